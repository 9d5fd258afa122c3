import { UserError } from '../errors';
import type { LongConvModel } from './model';

/** Refuses inputs of a length that the model's own layers do not take. */
export function checkLength(model: LongConvModel, length: number): void {
  if (model.fixedLength && length !== model.maxLength) {
    throw new UserError(`${model.name} takes inputs of exactly ${model.maxLength} samples, not ${length}.`);
  }
  if (model.positions !== undefined && length > model.positions) {
    throw new UserError(`${model.name} takes inputs of at most ${model.positions} tokens, not ${length}: it has no position embeddings beyond them.`, `Use at most ${model.positions} tokens.`);
  }
  const multiple = model.lengthMultiple ?? 1;
  if (length % multiple !== 0) {
    throw new UserError(`${model.name} takes inputs of a multiple of ${multiple} samples, not ${length}.`, `Use ${length - (length % multiple) || multiple} samples.`);
  }
}
