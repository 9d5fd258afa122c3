/**
 * An error the user can act on: `message` says what happened and why, `hint` what to do.
 * Everything else that is thrown is a bug and is shown with its stack in the log.
 */
export class UserError extends Error {
  constructor(message: string, readonly hint?: string) {
    super(message);
    this.name = 'UserError';
  }
}
