import * as assert from 'node:assert/strict';
import * as path from 'node:path';
import { ModelRunner } from '../../../extension/core/graph/runtime';
import { OnnxSessions } from '../../../extension/kernel-host/onnx-sessions';
import { denseFilters, GOLDEN, openTinyModel, readTensors, SAMPLE, type TinyModel } from './support/hyenadna';
import { assertClose } from './support/measure';
import { referenceEngine } from './support/reference-engine';

async function runDense(model: TinyModel, tokens: Float32Array): Promise<Float32Array> {
  const runner = await ModelRunner.create({
    graph: model.graph,
    sessions: new OnnxSessions(),
    engine: referenceEngine,
    filters: denseFilters(model),
    maxLength: model.network.maxLength,
  });
  try {
    return await runner.run(Int32Array.from(tokens), 1, tokens.length);
  } finally {
    await runner.dispose();
  }
}

describe('HyenaDNA graph, cut and run', () => {
  it('gives the logits and per-token losses of the trained sample', async () => {
    const reference = await readTensors(path.join(SAMPLE, 'reference.safetensors'));
    const model = await openTinyModel(path.join(SAMPLE, 'model.safetensors'), 0.05);
    const tokens = reference('tokens');
    const logits = await runDense(model, tokens.subarray(0, 1024));
    assertClose(logits, reference('logits'), 1e-4);
    const nll = reference('nll');
    for (let t = 0; t < 1024; t++) {
      const row = logits.subarray(16 * t, 16 * (t + 1));
      const loss = Math.log(row.reduce((sum, x) => sum + Math.exp(x), 0)) - row[tokens[t + 1]];
      assert.ok(Math.abs(loss - nll[t]) <= 1e-4, `position ${t}: ${loss} instead of ${nll[t]}`);
    }
  });

  const cases = [['hyenadna-hf-a', 0.05, ''], ['hyenadna-lightning-a', 0, ''], ['hyenadna-lightning-a', 0.05, 'shift005.']] as const;
  for (const [name, shift, prefix] of cases) {
    for (const input of ['full', 'short']) {
      it(`gives the ${input} logits of the original code for ${name} ${prefix}`, async () => {
        const folder = path.join(GOLDEN, name);
        const expected = await readTensors(path.join(folder, prefix ? 'expected.safetensors' : 'expected_f64.safetensors'));
        const ids = (await readTensors(path.join(folder, 'expected.safetensors')))(`${input}.input_ids`);
        const model = await openTinyModel(path.join(folder, 'model.safetensors'), shift);
        assertClose(await runDense(model, ids), expected(`${prefix}${input}.logits`), 1e-4);
      });
    }
  }
});
