import { UserError } from '../../errors';

/** The rule that an ONNX file breaks. */
export type OnnxRule =
  | 'Truncated' | 'InvalidTag' | 'InvalidVarint' | 'InvalidLength' | 'InvalidText' | 'TooDeep' | 'TooManyFields' | 'TooManyNodes'
  | 'MissingGraph' | 'MissingVersion' | 'MissingOperator' | 'DuplicateName' | 'InvalidShape' | 'InvalidTensor' | 'ExternalData';

/** A file that is not a valid ONNX model. */
export class OnnxError extends UserError {
  /** `offset` is a byte offset in the file; `reason` a clause without a full stop. */
  constructor(readonly path: string, readonly rule: OnnxRule, readonly offset: number, reason: string, hint?: string) {
    super(`Cannot read ${path} as ONNX: at byte ${offset}, ${reason}.`, hint ?? 'Download the file again, or export the model again.');
  }
}

/** Raises an OnnxError for one file. */
export type RefuseOnnx = (rule: OnnxRule, offset: number, reason: string, hint?: string) => never;
