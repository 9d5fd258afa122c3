import { UserError } from '../errors';
import type { DenseTensor } from './dense-sessions';
import { randomFeeds } from './feeds';
import type { ModelGraph } from './model-graph';
import { int32Ids, int64Ids } from './token-ids';

export type ModelInput = Int32Array | BigInt64Array | Float32Array;

/**
 * The inputs of a run as tensors by name: token ids [batch, length], or floats of the shape that the graph declares; further token inputs are 0
 * where they are not given. Of a graph that declares its feeds, the others are taken from `extra` or made up (see randomFeeds), as runs need them that
 * only measure time. Token ids are int64, as ONNX has them, unless the caller or the graph wants `int32`. Throws UserError for negative ones.
 */
export function inputTensors(
  graph: ModelGraph, input: ModelInput, batch: number, length: number, extra: ReadonlyMap<string, ModelInput> = new Map(),
  integer: 'int64' | 'int32' = 'int64',
): Map<string, DenseTensor> {
  const values = new Map([[graph.input.name, inputTensor(graph, input, batch, length, integer)]]);
  for (const name of graph.extraInputs ?? []) {
    const given = extra.get(name) ?? new Int32Array(batch * length);
    values.set(name, inputTensor({ ...graph, input: { name, kind: 'tokens' } }, given, batch, length, integer));
  }
  if (graph.feeds && graph.feeds.length > 1) {
    for (const [name, value] of randomFeeds(graph, length, 2, 5)) if (!values.has(name)) values.set(name, value);
  }
  return values;
}

function inputTensor(graph: ModelGraph, input: ModelInput, batch: number, length: number, integer: 'int64' | 'int32'): DenseTensor {
  if (graph.input.kind === 'tokens') {
    if (input instanceof Float32Array) throw new Error('The model takes token ids, not floats.');
    if (input.length !== batch * length) throw new Error(`${input.length} token ids were given for shape [${batch}, ${length}].`);
    const ids = input instanceof BigInt64Array ? int32Ids(input) : input;
    refuseNegative(ids);
    const dims = [batch, length];
    const declared = graph.feeds?.find(({ name }) => name === graph.input.name);
    return (declared?.type ?? integer) === 'int32' ? { type: 'int32', data: ids, dims } : { type: 'int64', data: int64Ids(ids), dims };
  }
  if (!(input instanceof Float32Array)) throw new Error('The model takes floats, not token ids.');
  return { type: 'float32', data: input, dims: floatDims(graph, input.length, batch, length) };
}

/** ONNX counts negative indices from the end, so a padding of -1 would silently become the last token of the vocabulary. */
function refuseNegative(ids: Int32Array): void {
  for (let i = 0; i < ids.length; i++) {
    if (ids[i] < 0) throw new UserError(`Token ${i} of the input is ${ids[i]}, but token ids start at 0.`);
  }
}

/** Dimensions of a float input: those that the graph declares, with the batch first and `length` on the axis of the samples. */
function floatDims(graph: ModelGraph, size: number, batch: number, length: number): number[] {
  const declared = graph.model.graph!.input!.find(({ name }) => name === graph.input.name)?.type?.tensorType?.shape?.dim ?? [{}, {}, {}];
  const { lengthAxis = 1 } = graph.input;
  const known = declared.map(({ dimValue }, axis) => (axis === 0 ? batch : axis === lengthAxis ? length : Number(dimValue ?? 0)));
  const product = known.reduce((a, b) => a * (b || 1), 1);
  const dims = known.map((dim) => dim || size / product);
  if (dims.reduce((a, b) => a * b, 1) !== size) throw new Error(`${size} floats were given for an input of shape [${dims.join(', ')}].`);
  return dims;
}
