import { readInputs } from '../../core/data/load-samples';
import { readTokens } from '../../core/data/tokens';
import { UserError } from '../../core/errors';
import { checkLength } from '../../core/families/check-length';
import { OnnxModel } from '../../core/families/onnx/model';
import { openTensorFile } from '../../core/formats/open';
import { type PlaceBytes, type TensorEntry, writeSafetensors, writeSafetensorsInPlaces } from '../../core/formats/safetensors/write';
import type { TensorFile } from '../../core/formats/tensor-file';
import { GpuModelRunner } from '../../core/gpu/runner';
import { checkOutputs, filesOf } from '../../core/io/check-outputs';
import { ModelRunner, type RunsModel } from '../../core/graph/runtime';
import { history, longestWindow, runSliding, type SlidingPiece, windowSizes } from '../../core/graph/sliding-window';
import type { ForwardRequest } from '../../core/protocol/kernel-host';
import type { ReportProgress } from '../../core/protocol/rpc';
import { chooseDevice } from '../devices';
import { host } from '../host';
import { openSource, openSourceModel } from '../surgery';
import { forwardOnnx } from './forward-onnx';

/** Name of the output tensor. */
const LOGITS = 'logits';

/** Runs a model or a plan on the input file's tokens [B, L] or floats [B, ...] and writes `logits` [B, ...]. */
export async function forward(request: ForwardRequest, progress: ReportProgress): Promise<{ shape: readonly number[] }> {
  const { engine, sessions, models } = host();
  const { info: { threads }, gpu } = chooseDevice(engine, request.backend, request.threads, request.dtype);
  const described = await openSourceModel(models, request.source, request.options);
  const file = await openTensorFile(request.input);
  try {
    await checkOutputs([request.output], [...filesOf(described.file), ...filesOf(file), request.source]);
    if (described instanceof OnnxModel) {
      const { filters } = await openSource(models, request.source, request.options, request.recausalise, engine, described.maxLength);
      return await forwardOnnx(described, filters, file, request, threads);
    }
    if (!described.floatInput && !file.tensors.has('input_ids')) {
      throw new UserError(`${request.input} has no tensor "input_ids"; ${described.name} takes token ids [B, L].`, 'Name the tensor input_ids.');
    }
    const { batch, length, row } = await readInputs(file, described);
    if (batch === 0 || length === 0) throw new UserError(`${request.input} has ${batch} rows of ${length} samples, so there is nothing to run.`, 'Give one row of one sample at least.');
    checkLength(described, length);
    const { model, filters } = await openSource(models, request.source, request.options, request.recausalise, engine, length);
    const graph = await model.graph();
    const extra = await extraInputs(file, graph.extraInputs ?? [], batch, length);
    const before = length > model.maxLength ? history(model, filters) : undefined;
    const sizes = before === undefined ? undefined : windowSizes(model, before);
    const setup = { graph, filters, maxLength: sizes ? Math.min(length, longestWindow(sizes)) : length };
    const runner = gpu ? await GpuModelRunner.create({ ...setup, ...gpu }) : await ModelRunner.create({ ...setup, sessions, engine, threads });
    try {
      const report = (done: number): void => progress({ message: `sample ${done} of ${batch * length}`, fraction: done / (batch * length) });
      if (!sizes) {
        const result = await wholeRows(runner, batch, length, row, extra, report);
        await writeSafetensors(request.output, [{ name: LOGITS, dtype: 'F32', ...result }]);
        return { shape: result.shape };
      }
      const axis = graph.input.lengthAxis ?? 1;
      const outer = (model.floatInput ?? []).slice(0, axis - 1).reduce<number>((product, dim) => product * Number(dim), 1);
      return { shape: await writeSliding(request.output, batch, length, axis, (b) => runSliding(runner, { values: row(b), outer, length }, axis, sizes), report) };
    } finally {
      await runner.dispose();
    }
  } finally {
    await file.close();
  }
}

/** Row by row: memory stays that of one sequence, and a row's logits do not depend on the others. */
async function wholeRows(
  runner: RunsModel, batch: number, length: number, row: Row, extra: (row: number) => ReadonlyMap<string, Int32Array>, report: (done: number) => void,
): Promise<Pick<TensorEntry, 'shape' | 'data'>> {
  const rows: Float32Array[] = [];
  let dims: readonly number[] = [];
  for (let b = 0; b < batch; b++) {
    const result = await runner.infer(row(b), 1, length, { extra: extra(b) });
    dims = result.dims.slice(1);
    rows.push(result.data);
    report((b + 1) * length);
  }
  return { shape: [batch, ...dims], data: () => bytesOf(rows) };
}

type Row = (row: number) => Float32Array | Int32Array;

/** Longer than the model was trained on: a window slides over each row, and its outputs go to their places in the file as they come. */
async function writeSliding(
  output: string, batch: number, length: number, axis: number, slide: (row: number) => AsyncIterable<SlidingPiece>, report: (done: number) => void,
): Promise<readonly number[]> {
  const pieces = slide(0)[Symbol.asyncIterator]();
  let piece = await pieces.next();
  if (piece.done) throw new UserError('The input has no samples.', 'Give one sample at least.');
  const shape = piece.value.dims.map((size, i) => (i === 0 ? batch : i === axis ? length : size));
  const product = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);
  const [outer, inner] = [product(shape.slice(1, axis)), product(shape.slice(axis + 1))];
  const put = async (place: PlaceBytes, b: number, { first, end, values }: SlidingPiece): Promise<void> => {
    const bytes = 4 * (end - first) * inner;
    for (let o = 0; o < outer; o++) {
      await place(LOGITS, 4 * ((b * outer + o) * length + first) * inner, new Uint8Array(values.buffer, values.byteOffset + o * bytes, bytes));
    }
    report(b * length + end);
  };
  await writeSafetensorsInPlaces(output, [{ name: LOGITS, dtype: 'F32', shape }], async (place) => {
    for (; !piece.done; piece = await pieces.next()) await put(place, 0, piece.value);
    for (let b = 1; b < batch; b++) for await (const next of slide(b)) await put(place, b, next);
  });
  return shape;
}

/** Further token inputs of the file, by row; those that it does not have stay 0. */
async function extraInputs(
  file: TensorFile, names: readonly string[], batch: number, length: number,
): Promise<(row: number) => ReadonlyMap<string, Int32Array>> {
  const given = new Map<string, Int32Array>();
  for (const name of names.filter((known) => file.tensors.has(known))) {
    const { ids, batch: rows, length: columns } = await readTokens(file, name, Infinity);
    if (rows !== batch || columns !== length) {
      throw new UserError(`${file.path} has "${name}" of shape [${rows}, ${columns}], but its inputs need [${batch}, ${length}].`);
    }
    given.set(name, ids);
  }
  return (row) => new Map([...given].map(([name, ids]) => [name, ids.subarray(row * length, (row + 1) * length)]));
}

async function* bytesOf(rows: readonly Float32Array[]): AsyncIterable<Uint8Array> {
  for (const row of rows) yield new Uint8Array(row.buffer, row.byteOffset, row.byteLength);
}
