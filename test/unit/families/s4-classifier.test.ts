import * as assert from 'node:assert/strict';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { openModel } from '../../../extension/core/families/registry';
import { openSafetensors } from '../../../extension/core/formats/safetensors/read';
import type { TensorEntry } from '../../../extension/core/formats/safetensors/write';
import { assertClose, noise } from '../graph/support/measure';
import { temporaryFolder } from '../support/files';
import { erf } from './erf';
import { Expected, GOLDEN } from './golden';
import { assertGolden, filterRows, goldenInput, runValues } from './golden-runs';
import { f32, writeVariant } from './variants';

const [WIDTH, INPUTS, CLASSES, LENGTH] = [32, 3, 5, 64];
/** Made with the original code of the repository's example, as its notes say. */
const CASE = 's4-classifier-a';
const LAYERS = ['s4d-a', 's4-dplr-a'] as const;
const frame = {
  'encoder.weight': noise(WIDTH * INPUTS, 1), 'encoder.bias': noise(WIDTH, 2), 'decoder.weight': noise(CLASSES * WIDTH, 3), 'decoder.bias': noise(CLASSES, 4),
  'norms.0.weight': noise(WIDTH, 5), 'norms.0.bias': noise(WIDTH, 6), 'norms.1.weight': noise(WIDTH, 7), 'norms.1.bias': noise(WIDTH, 8),
};

interface Layer { readonly k: Float64Array; readonly D: Float32Array; readonly weight: Float32Array; readonly bias: Float32Array }

/** The classifier in float64 sums, rows of time: x [LENGTH][WIDTH]. */
function reference(input: Float32Array, layers: readonly Layer[], prenorm: boolean): number[] {
  const linear = (x: readonly number[], weight: Float32Array, bias: Float32Array): number[] =>
    Array.from(bias, (b, o) => x.reduce((sum, value, i) => sum + value * weight[o * x.length + i], b));
  const norm = (x: readonly number[], n: number): number[] => {
    const mean = x.reduce((a, b) => a + b) / WIDTH;
    const variance = x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / WIDTH;
    const [scale, shift] = n === 0 ? [frame['norms.0.weight'], frame['norms.0.bias']] : [frame['norms.1.weight'], frame['norms.1.bias']];
    return x.map((value, i) => ((value - mean) / Math.sqrt(variance + 1e-5)) * scale[i] + shift[i]);
  };
  let x = Array.from({ length: LENGTH }, (_, t) => linear([...input.subarray(t * INPUTS, (t + 1) * INPUTS)], frame['encoder.weight'], frame['encoder.bias']));
  layers.forEach(({ k, D, weight, bias }, n) => {
    const u = prenorm ? x.map((row) => norm(row, n)) : x;
    const convolved = u.map((row, t) => row.map((value, h) => {
      let sum = D[h] * value;
      for (let j = 0; j <= t; j++) sum += k[h * LENGTH + j] * u[t - j][h];
      return (sum / 2) * (1 + erf(sum / Math.SQRT2));
    }));
    const mixed = convolved.map((row) => linear(row, weight, bias));
    const sum = x.map((row, t) => row.map((value, h) => value + mixed[t][h] / (1 + Math.exp(-mixed[t][WIDTH + h]))));
    x = prenorm ? sum : sum.map((row) => norm(row, n));
  });
  const mean = Array.from({ length: WIDTH }, (_, h) => x.reduce((sum, row) => sum + row[h], 0) / LENGTH);
  return linear(mean, frame['decoder.weight'], frame['decoder.bias']);
}

describe('S4 classifiers of signals', () => {
  const temporary = temporaryFolder();
  const layers: Layer[] = [];
  const tensors: TensorEntry[] = Object.entries(frame).map(([name, values]) =>
    f32(name, name === 'encoder.weight' ? [WIDTH, INPUTS] : name === 'decoder.weight' ? [CLASSES, WIDTH] : [values.length], values));

  before(async () => {
    for (const [n, name] of LAYERS.entries()) {
      const file = await openSafetensors(path.join(GOLDEN(name), 'model.safetensors'));
      const skip = name === 's4d-a' ? 'D' : 'layer.D';
      layers.push({
        k: (await Expected.read(name)).get('filters.k').values, D: await file.readFloat32(skip),
        weight: await file.readFloat32('output_linear.0.weight'), bias: await file.readFloat32('output_linear.0.bias'),
      });
      for (const [tensor, { dtype, shape }] of file.tensors) tensors.push({ name: `s4_layers.${n}.${tensor}`, dtype, shape, data: await file.readBytes(tensor) });
      await file.close();
    }
  });

  for (const prenorm of [false, true]) {
    it(`are what float64 sums over the original's filters give, ${prenorm ? 'pre' : 'post'}-norm`, async () => {
      const config = { prenorm, d_model: WIDTH, n_layers: 2, d_input: INPUTS, d_output: CLASSES };
      const model = await openModel(await writeVariant(GOLDEN('rtf-a'), temporary.file('variant'), { drop: /./, put: tensors, config }));
      assert.deepEqual([model.family, model.task, model.maxLength, model.vocabularySize], ['s4', 'classification', LENGTH, CLASSES]);
      assert.deepEqual(model.sites.map(({ id, channels, taps }) => [id, channels, taps]), [['s4_layers.0', WIDTH, LENGTH], ['s4_layers.1', WIDTH, LENGTH]]);
      const input = noise(LENGTH * INPUTS, 9);
      assertClose((await runValues(model, { input, length: LENGTH })).get('')!, reference(input, layers, prenorm), 1e-5);
      await model.close();
    });
  }

  for (const prenorm of [false, true]) {
    it(`give the filters, layers and logits of the original code, ${prenorm ? 'pre' : 'post'}-norm`, async () => {
      const expected = await Expected.read(CASE);
      const config: unknown = JSON.parse(await fs.readFile(path.join(GOLDEN(CASE), 'config.json'), 'utf8'));
      const model = await openModel(await writeVariant(GOLDEN(CASE), temporary.file('variant'), { config: { ...(config as object), prenorm } }), { l_max: 64 });
      try {
        for (const layer of [0, 1]) assertGolden(await filterRows(model, `s4_layers.${layer}`), expected, `filters.${layer}.k`, 1e-5);
        for (const input of ['full', 'short']) {
          const names = ['layer0.out', 'layer1.out', 'logits'];
          const values = await runValues(model, goldenInput(expected, input), names);
          for (const name of names) assertGolden(values.get(name)!, expected, `${prenorm ? 'prenorm.' : ''}${input}.${name}`, 1e-5);
        }
      } finally {
        await model.close();
      }
    });
  }

  it('say what is missing, or contradicts config.json', async () => {
    const without = await writeVariant(GOLDEN('rtf-a'), temporary.file('variant'), { drop: /./, put: tensors.filter(({ name }) => name !== 'norms.1.bias') });
    await assert.rejects(openModel(without), /looks like a s4 model, but it lacks norms\.1\.bias/);
    const other = await writeVariant(GOLDEN('rtf-a'), temporary.file('variant'), { drop: /./, put: tensors, config: { d_output: 10 } });
    await assert.rejects(openModel(other), /d_output is 10 in the file, but the tensors have 5/);
  });
});
