import { UserError } from '../errors';

const READ_FAILURES: Readonly<Record<string, readonly [why: string, hint: string]>> = {
  ENOENT: ['it does not exist', 'Check the path.'],
  ENOTDIR: ['a part of its path is a file', 'Check the path.'],
  EISDIR: ['it is a folder', 'Give a file.'],
  EACCES: ['permission is denied', 'Check the permissions of the file.'],
  EPERM: ['permission is denied', 'Check the permissions of the file.'],
  EMFILE: ['too many files are open', 'Close some and try again.'],
  EIO: ['the disk reports an error', 'Check the disk or the network drive.'],
};

/** A failed file operation as a UserError where the user can do something about it; anything else as it is. */
export function readFailure(path: string, cause: unknown): unknown {
  const code = cause instanceof Error ? (cause as NodeJS.ErrnoException).code : undefined;
  const known = code === undefined ? undefined : READ_FAILURES[code];
  return known ? new UserError(`Cannot read ${path}: ${known[0]}.`, known[1]) : cause;
}
