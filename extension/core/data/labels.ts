import { UserError } from '../errors';
import type { TensorFile } from '../formats/tensor-file';
import { integerValues } from './tokens';
import { NOT_SCORED } from './samples';

/**
 * Reads the wanted classes: an integer tensor of the given shape with values below `classes`, or NOT_SCORED. Throws UserError for anything
 * else, and when nothing is scored.
 */
export async function readLabels(file: TensorFile, name: string, shape: readonly number[], classes: number): Promise<Int32Array> {
  const { values, shape: stored } = await integerValues(file, name, 'labels');
  if (stored.length !== shape.length || stored.some((dim, axis) => dim !== shape[axis])) {
    throw new UserError(`${file.path} has "${name}" of shape [${stored.join(', ')}], but its inputs need [${shape.join(', ')}].`);
  }
  const labels = new Int32Array(values.length);
  for (let i = 0; i < labels.length; i++) {
    const value = Number(values[i]);
    if (value !== NOT_SCORED && !(value >= 0 && value < classes)) {
      throw new UserError(`${file.path} has the label ${value} at position ${i} of "${name}", but the model has classes 0 to ${classes - 1}.`, `Use ${NOT_SCORED} where nothing is to be scored.`);
    }
    labels[i] = value;
  }
  if (labels.every((label) => label === NOT_SCORED)) {
    throw new UserError(`${file.path} has no label that is scored: all of "${name}" is ${NOT_SCORED}.`);
  }
  return labels;
}
