import { UserError } from '../errors';
import { isFloatDType } from '../formats/dtype';
import { float32ToFloat16 } from '../formats/float16';
import type { TensorFile } from '../formats/tensor-file';
import { type DenseTensor, DENSE_TYPES, elementTypeOf } from '../graph/dense-sessions';
import type { GraphFeed } from '../graph/model-graph';
import { integerValues } from './tokens';

/** Names under which the first input of a model may be stored, whatever the graph calls it. */
const USUAL_NAMES = ['input', 'input_ids'];

/**
 * The inputs of a graph from a file, by the graph's own names; the first one may also be called input or input_ids. Throws UserError for one
 * that is missing, of another shape, or of values that the graph does not take.
 */
export async function readFeeds(file: TensorFile, feeds: readonly GraphFeed[], model: string): Promise<Map<string, DenseTensor>> {
  const values = new Map<string, DenseTensor>();
  for (const [index, feed] of feeds.entries()) {
    const stored = [feed.name, ...(index === 0 ? USUAL_NAMES : [])].find((name) => file.tensors.has(name));
    const wanted = `[${feed.dims.join(', ')}] ${feed.type}`;
    if (stored === undefined) {
      throw new UserError(`${file.path} has no tensor "${feed.name}", an input of ${model}.`, `Store it under this name, with shape and type ${wanted}.`);
    }
    const { shape } = file.tensors.get(stored)!;
    if (shape.length !== feed.dims.length || feed.dims.some((dim, axis) => typeof dim === 'number' && dim !== shape[axis])) {
      throw new UserError(`${file.path} has "${stored}" of shape [${shape.join(', ')}], but ${model} takes ${wanted}.`);
    }
    values.set(feed.name, { type: feed.type, dims: shape, data: await readAs(file, stored, feed) });
  }
  return values;
}

async function readAs(file: TensorFile, name: string, { type }: GraphFeed): Promise<DenseTensor['data']> {
  const { View } = DENSE_TYPES[elementTypeOf(type)]!;
  const { dtype } = file.tensors.get(name)!;
  if (type === 'float32') return floats(file, name);
  if (type === 'float64') return dtype === 'F64' ? new View((await file.readBytes(name)).slice().buffer as ArrayBuffer) : Float64Array.from(await floats(file, name));
  if (type === 'float16') return Uint16Array.from(await floats(file, name), float32ToFloat16);
  if (type === 'bool' && dtype === 'BOOL') return file.readBytes(name);
  const { values: integers } = await integerValues(file, name, 'values of an integer input');
  const data = new View(new ArrayBuffer(integers.length * (View as unknown as { readonly BYTES_PER_ELEMENT: number }).BYTES_PER_ELEMENT));
  for (let i = 0; i < integers.length; i++) data[i] = data instanceof BigInt64Array || data instanceof BigUint64Array ? BigInt(integers[i]) : Number(integers[i]);
  return data;
}

async function floats(file: TensorFile, name: string): Promise<Float32Array> {
  const { dtype } = file.tensors.get(name)!;
  if (!isFloatDType(dtype)) throw new UserError(`${file.path} stores "${name}" as ${dtype}, but the model takes floats.`, 'Store it as F32.');
  return file.readFloat32(name);
}
