import { readFeeds } from '../../core/data/feeds';
import { UserError } from '../../core/errors';
import type { OnnxModel } from '../../core/families/onnx/model';
import { type TensorEntry, writeSafetensors } from '../../core/formats/safetensors/write';
import type { DType, TensorFile } from '../../core/formats/tensor-file';
import type { DenseTensor, DenseType } from '../../core/graph/dense-sessions';
import { graphFeeds } from '../../core/graph/feeds';
import { ModelRunner } from '../../core/graph/runtime';
import type { SiteFilter } from '../../core/plan/site-filter';
import type { ForwardRequest } from '../../core/protocol/kernel-host';
import { host } from '../host';

const DTYPES: Readonly<Record<DenseType, DType>> = {
  float32: 'F32', float64: 'F64', float16: 'F16', int64: 'I64', int32: 'I32', int16: 'I16', int8: 'I8', uint64: 'U64', uint32: 'U32', uint16: 'U16', uint8: 'U8', bool: 'BOOL',
};

/**
 * Runs an ONNX model on the inputs of a file, by the graph's names (the first may be called input or input_ids), all at once. Writes its
 * first output as `logits`, and all others under their own names.
 */
export async function forwardOnnx(
  model: OnnxModel, filters: ReadonlyMap<string, SiteFilter>, file: TensorFile, request: ForwardRequest, threads: number,
): Promise<{ shape: readonly number[] }> {
  const { engine, sessions } = host();
  const graph = await model.graph();
  const feeds = await readFeeds(file, graphFeeds(graph), model.name);
  const first = feeds.get(graph.input.name);
  const length = first?.dims[graph.input.lengthAxis ?? 1] ?? model.maxLength;
  if (length > model.maxLength) throw new UserError(`The input has ${length} samples, but ${model.name} was opened for at most ${model.maxLength}.`, `Open it with --set length=${length}.`);
  const runner = await ModelRunner.create({ graph, sessions, engine, filters, maxLength: model.fixedLength ? model.maxLength : length, threads });
  try {
    const names = graph.model.graph!.output!.map(({ name }) => name!);
    const results = await runner.runFeeds(feeds, names);
    const entries = names.map((name, index) => entry(index === 0 ? 'logits' : name, results.get(name)!));
    await writeSafetensors(request.output, entries);
    return { shape: results.get(names[0])!.dims };
  } finally {
    await runner.dispose();
  }
}

function entry(name: string, { type, data, dims }: DenseTensor): TensorEntry {
  return { name, dtype: DTYPES[type], shape: dims, data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
}
