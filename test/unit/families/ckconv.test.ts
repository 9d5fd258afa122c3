import * as assert from 'node:assert/strict';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import type { LongConvModel } from '../../../extension/core/families/model';
import { openModel } from '../../../extension/core/families/registry';
import { loadEngine } from '../../../extension/kernel-host/addon';
import { relativeError } from '../graph/support/measure';
import { temporaryFolder } from '../support/files';
import { Expected, GOLDEN, withModel } from './golden';
import { assertGolden, runValues } from './golden-runs';

/** The stored kernels of a site against the model's, in the original's order: index j is lag L - 1 - j. */
async function assertKernels(model: LongConvModel, expected: Expected, site: string, tensor: string, tolerance: number): Promise<void> {
  const inputs = expected.get(`${tensor}.l2`).values.length / 30;
  const pairs = expected.get(`${tensor}.pairs`).values;
  const stored = expected.get(`${tensor}.k`).values;
  const taps = model.maxLength;
  const made = new Float32Array(stored.length);
  for (let p = 0; p < pairs.length / 2; p++) {
    const row = pairs[2 * p] * inputs + pairs[2 * p + 1];
    made.set((await model.filter(site, { channels: [row, row + 1], taps: [0, taps] }, loadEngine())).reverse(), p * taps);
  }
  const error = relativeError(made, stored);
  assert.ok(error <= tolerance, `${tensor}: relative error ${error}`);
}

describe('CKCNN', function () {
  this.timeout(60_000);
  for (const [name, tolerance] of [['ckconv-pmnist30', 1e-4], ['ckconv-speech30', 1e-4]] as const) {
    it(`${name}: the kernels of the trained model`, () => withModel(name, undefined, async (model) => {
      const expected = await Expected.read(name);
      for (const block of [0, 1]) {
        for (const n of [1, 2]) await assertKernels(model, expected, `backbone.${block}.cconv${n}`, `filters.${block}.cconv${n}`, tolerance);
      }
    }));
  }

  it('ckconv-pmnist30: blocks and logits of real images', () => withModel('ckconv-pmnist30', undefined, async (model) => {
    const expected = await Expected.read('ckconv-pmnist30');
    const input = Float32Array.from(expected.get('full.input').values);
    const values = await runValues(model, { input, batch: 4, length: 784, engine: loadEngine() }, ['backbone.0.cconv1.y', 'block0.out', 'block1.out', '']);
    for (const [value, tensor] of [['backbone.0.cconv1.y', 'conv0.y'], ['block0.out', 'block0.out'], ['block1.out', 'block1.out']]) {
      const error = relativeError(values.get(value)!.subarray(0, 30 * 784), expected.get(`full.${tensor}`).values);
      assert.ok(error <= 1e-4, `${tensor}: ${error}`);
    }
    const logits = expected.get('full.logits').values;
    values.get('')!.forEach((value, i) => assert.ok(Math.abs(value - logits[i]) <= 1e-3, `logit ${i}: ${value} instead of ${logits[i]}`));
    const labels = expected.get('labels').values;
    labels.forEach((label, b) => assert.equal(values.get('')!.subarray(10 * b, 10 * b + 10).reduce((best, x, i, row) => (x > row[best] ? i : best), 0), label));
  }));

  it('ckconv-speech30: blocks and logits of 16,000 samples', () => withModel('ckconv-speech30', undefined, async (model) => {
    const expected = await Expected.read('ckconv-speech30');
    const input = Float32Array.from(expected.get('full.input').values);
    const names = ['backbone.0.cconv1.y', 'block0.out', 'block1.out', ''];
    const values = await runValues(model, { input, batch: 2, length: 16000, engine: loadEngine() }, names);
    const first = (value: string): Float32Array => values.get(value)!.subarray(0, 30 * 16000).filter((_, i) => i % 40 === 0);
    for (const [value, tensor] of [['backbone.0.cconv1.y', 'conv0.y'], ['block0.out', 'block0.out'], ['block1.out', 'block1.out']]) assertGolden(first(value), expected, `full.${tensor}`, 1e-4);
    assertGolden(values.get('')!, expected, 'full.logits', 1e-4);
  }));

  const folder = temporaryFolder();
  it('takes omega_0 from the name of the file, and asks for it where nothing tells it', async () => {
    const weights = path.join(GOLDEN('ckconv-pmnist30'), 'model.safetensors');
    const named = folder.file('model_CKCNN_kernact_Sine_kernomega0_43.46_bs_64.safetensors');
    await fs.copyFile(weights, named);
    const model = await openModel(named);
    try {
      assert.deepEqual(model.options.map(({ name, value }) => [name, value]), [['omega_0', 43.46], ['train_length', 784]]);
      assert.equal(model.fixedLength, true);
    } finally {
      await model.close();
    }
    await fs.copyFile(weights, folder.file('model.safetensors'));
    await assert.rejects(openModel(folder.file('model.safetensors')), /nothing says its omega_0/);
  });
});
