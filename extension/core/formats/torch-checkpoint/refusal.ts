import { UserError } from '../../errors';

/** A PyTorch checkpoint that is damaged, hostile, or holds what cannot be read. */
export class CheckpointError extends UserError {
  /** `offset` is a byte offset in the file; `reason` a clause without a full stop. */
  constructor(readonly path: string, readonly offset: number, reason: string, hint?: string) {
    super(`Cannot read ${path} as a PyTorch checkpoint: at byte ${offset}, ${reason}.`, hint ?? 'Copy or download the file again, or save its state dict as safetensors where PyTorch runs.');
  }
}

/** Raises a CheckpointError for one file. */
export type Refuse = (offset: number, reason: string, hint?: string) => never;
