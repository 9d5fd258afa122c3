import { readInputs } from '../../core/data/load-samples';
import { readTokens } from '../../core/data/tokens';
import { UserError } from '../../core/errors';
import { checkLength } from '../../core/families/check-length';
import { OnnxModel } from '../../core/families/onnx/model';
import { openTensorFile } from '../../core/formats/open';
import { writeSafetensors } from '../../core/formats/safetensors/write';
import type { TensorFile } from '../../core/formats/tensor-file';
import { ModelRunner } from '../../core/graph/runtime';
import type { ForwardRequest } from '../../core/protocol/kernel-host';
import type { ReportProgress } from '../../core/protocol/rpc';
import { chooseDevice } from '../devices';
import { host } from '../host';
import { openSource } from '../surgery';
import { forwardOnnx } from './forward-onnx';

/** Runs a model or a plan on the input file's tokens [B, L] or floats [B, ...] and writes `logits` [B, ...]. */
export async function forward(request: ForwardRequest, progress: ReportProgress): Promise<{ shape: readonly number[] }> {
  const { engine, sessions, models } = host();
  const { threads } = chooseDevice(engine, request.backend, request.threads);
  const { model, filters } = await openSource(models, request.source, request.options, request.recausalise, engine);
  const file = await openTensorFile(request.input);
  try {
    if (model instanceof OnnxModel) return await forwardOnnx(model, filters, file, request, threads);
    if (!model.floatInput && !file.tensors.has('input_ids')) {
      throw new UserError(`${request.input} has no tensor "input_ids"; ${model.name} takes token ids [B, L].`, 'Name the tensor input_ids.');
    }
    const { batch, length, row } = await readInputs(file, model);
    checkLength(model, length);
    const graph = await model.graph();
    const extra = await extraInputs(file, graph.extraInputs ?? [], batch, length);
    const runner = await ModelRunner.create({ graph, sessions, engine, filters, maxLength: length, threads });
    try {
      const rows: Float32Array[] = [];
      let dims: readonly number[] = [];
      // Row by row: memory stays that of one sequence, and a row's logits do not depend on the others.
      for (let b = 0; b < batch; b++) {
        const result = await runner.infer(row(b), 1, length, { extra: extra(b) });
        dims = result.dims.slice(1);
        rows.push(result.data);
        progress({ message: `row ${b + 1} of ${batch}`, fraction: (b + 1) / batch });
      }
      const shape = [batch, ...dims];
      await writeSafetensors(request.output, [{ name: 'logits', dtype: 'F32', shape, data: () => bytesOf(rows) }]);
      return { shape };
    } finally {
      await runner.dispose();
    }
  } finally {
    await file.close();
  }
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
