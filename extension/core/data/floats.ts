import { UserError } from '../errors';
import { isFloatDType } from '../formats/dtype';
import type { TensorFile } from '../formats/tensor-file';

/** 2^28 floats are 1 GiB of memory. */
const MOST_ELEMENTS = 2 ** 28;

export interface FloatInput {
  /** [batch, ...dimensions], row-major. */
  readonly data: Float32Array;
  readonly batch: number;
  /** Samples of time. */
  readonly length: number;
}

/**
 * Reads a float tensor [batch, ...dimensions], where 'length' may be any size; without the batch it is a batch of 1. Throws UserError for
 * other shapes and dtypes.
 */
export async function readFloatInput(file: TensorFile, name: string, dimensions: readonly (number | 'length')[], model: string): Promise<FloatInput> {
  const info = file.tensors.get(name);
  const wanted = `[B, ${dimensions.map((dim) => (dim === 'length' ? 'L' : dim)).join(', ')}]`;
  if (!info) {
    const some = [...file.tensors.keys()].slice(0, 5).join(', ');
    throw new UserError(`${file.path} has no tensor "${name}"; ${some ? `it has ${some}` : 'it is empty'}.`, `${model} takes floats: store them in a tensor "${name}" of shape ${wanted}.`);
  }
  if (!isFloatDType(info.dtype)) {
    throw new UserError(`${file.path} stores "${name}" as ${info.dtype}, but ${model} takes floats.`, 'Store it as F32.');
  }
  const shape = info.shape.length === dimensions.length ? [1, ...info.shape] : info.shape;
  const fits = shape.length === dimensions.length + 1 && dimensions.every((dim, axis) => dim === 'length' || dim === shape[axis + 1]);
  if (!fits || shape.includes(0)) {
    throw new UserError(`${file.path} has "${name}" of shape [${info.shape.join(', ')}], but ${model} takes ${wanted}.`);
  }
  if (shape.reduce((a, b) => a * b, 1) > MOST_ELEMENTS) {
    throw new UserError(`${file.path} has more than ${MOST_ELEMENTS} values in "${name}".`, 'Give a smaller part of the data.');
  }
  return { data: await file.readFloat32(name), batch: shape[0], length: shape[dimensions.indexOf('length') + 1] };
}
