import { UserError } from '../../core/errors';
import { openTensorFile } from '../../core/formats/open';
import { readTokens } from '../../core/data/tokens';
import { writeSafetensors } from '../../core/formats/safetensors/write';
import { GpuModelRunner } from '../../core/gpu/runner';
import { ModelRunner } from '../../core/graph/runtime';
import type { ForwardRequest } from '../../core/protocol/kernel-host';
import type { ReportProgress } from '../../core/protocol/rpc';
import { chooseDevice } from '../devices';
import { host } from '../host';
import { openSource } from '../surgery';

/** Runs a model or a plan on the input file's tokens and writes `logits` [B, L, V]. */
export async function forward(request: ForwardRequest, progress: ReportProgress): Promise<{ shape: readonly number[] }> {
  const { engine, sessions, models } = host();
  const { info: { threads }, gpu } = chooseDevice(engine, request.backend, request.threads, request.dtype);
  const { model, filters } = await openSource(models, request.source, request.options, request.recausalise, engine);
  const file = await openTensorFile(request.input);
  try {
    if (!file.tensors.has('input_ids')) {
      throw new UserError(`${request.input} has no tensor "input_ids"; ${model.name} takes token ids [B, L].`, 'Name the tensor input_ids.');
    }
    const { ids, batch, length } = await readTokens(file, 'input_ids', model.vocabularySize);
    const setup = { graph: await model.graph(), filters, maxLength: length };
    const runner = gpu ? await GpuModelRunner.create({ ...setup, ...gpu }) : await ModelRunner.create({ ...setup, sessions, engine, threads });
    try {
      const shape = [batch, length, model.vocabularySize];
      const logits = new Float32Array(batch * length * model.vocabularySize);
      // Row by row: memory stays that of one sequence, and a row's logits do not depend on the others.
      for (let row = 0; row < batch; row++) {
        logits.set(await runner.run(ids.subarray(row * length, (row + 1) * length), 1, length), row * length * model.vocabularySize);
        progress({ message: `row ${row + 1} of ${batch}`, fraction: (row + 1) / batch });
      }
      await writeSafetensors(request.output, [{ name: 'logits', dtype: 'F32', shape, data: new Uint8Array(logits.buffer) }]);
      return { shape };
    } finally {
      await runner.dispose();
    }
  } finally {
    await file.close();
  }
}
