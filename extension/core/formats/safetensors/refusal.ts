import { UserError } from '../../errors';

/**
 * The rule that a file breaks. The first eight are the official parser's own error names; the rest are stricter here:
 * DuplicateName (its documentation forbids what its code accepts), and the limits that keep hostile headers cheap.
 */
export type Rule =
  | 'HeaderTooSmall' | 'HeaderTooLarge' | 'InvalidHeaderLength' | 'InvalidHeader' | 'InvalidHeaderDeserialization' | 'InvalidOffset'
  | 'ValidationOverflow' | 'MisalignedSlice' | 'TensorInvalidInfo' | 'MetadataIncompleteBuffer'
  | 'DuplicateName' | 'TooManyEntries' | 'TooManyDimensions';

/** A file that is not valid safetensors. */
export class SafetensorsError extends UserError {
  /** `offset` is a byte offset in the file; `reason` a clause without a full stop. */
  constructor(readonly path: string, readonly rule: Rule, readonly offset: number, reason: string, hint?: string) {
    super(`Cannot read ${path} as safetensors: at byte ${offset}, ${reason}.`, hint ?? 'Download the file again, or write it again with the safetensors library.');
  }
}

/** Raises a SafetensorsError for one file. */
export type Refuse = (rule: Rule, offset: number, reason: string, hint?: string) => never;
