import * as assert from 'node:assert/strict';
import * as path from 'node:path';
import type { LongConvModel } from '../../../extension/core/families/model';
import { openModel } from '../../../extension/core/families/registry';
import { openSafetensors } from '../../../extension/core/formats/safetensors/read';
import { copiedTensor, type TensorEntry } from '../../../extension/core/formats/safetensors/write';
import { assertClose, noise } from '../graph/support/measure';
import { temporaryFolder } from '../support/files';
import { Expected, GOLDEN, withModel } from './golden';
import { filterRows, goldenInput, runValues } from './golden-runs';
import { sashimi, type SashimiTensors } from './sashimi-reference';
import { f32, writeVariant } from './variants';

const CASE = 'sashimi-a';
const POOL = [2, 4];

/** Modules of the variant with blocks on the way down, and the golden model's modules that they are made of. */
const DOWN: readonly (readonly [module: string, from: string])[] = [
  ['d_layers.0', 'u_layers.1.1'], ['d_layers.1', 'u_layers.1.2'], ['d_layers.2', 'd_layers.0'], ['d_layers.3', 'u_layers.0.1'], ['d_layers.4', 'u_layers.0.2'], ['d_layers.5', 'd_layers.1'],
];

async function tensorsOf(model: LongConvModel): Promise<SashimiTensors> {
  const weights = new Map<string, Float32Array>();
  for (const [name, { dtype }] of model.file.tensors) if (dtype === 'F32') weights.set(name.replace(/^model\./, ''), await model.file.readFloat32(name));
  const filters = new Map(await Promise.all(model.sites.map(async ({ id, taps }) => [id, { rows: await filterRows(model, id), taps }] as const)));
  return { weights, filters };
}

describe('SaShiMi with blocks on the way down (unet)', () => {
  const temporary = temporaryFolder();

  it('is measured by a reference that gives the original\'s logits without them', () => withModel(CASE, undefined, async (model) => {
    const expected = await Expected.read(CASE);
    for (const input of ['full', 'short']) {
      const logits = sashimi(await tensorsOf(model), expected.ids(`${input}.input_ids`), POOL, 1, false);
      // The filters are float32 ones.
      assertClose(logits.flat(), expected.get(`${input}.logits`).values, 1e-6);
    }
  }));

  /** The golden model with blocks before its poolings; `without`: modules to leave out. */
  async function variant(config: unknown, without?: string): Promise<string> {
    const file = await openSafetensors(path.join(GOLDEN(CASE), 'model.safetensors'));
    const put: TensorEntry[] = [];
    for (const [i, [module, from]] of DOWN.entries()) {
      if (module === without) continue;
      for (const [name, { shape }] of file.tensors) {
        if (!name.startsWith(`model.${from}.`)) continue;
        const target = name.replace(from, module);
        // Other weights than those they are copied from; the state spaces stay, as the matrices of one are tuned to each other.
        const spread = noise(shape.reduce((a, b) => a * b, 1), i + 1);
        put.push(/\.kernel\./.test(name) ? { ...copiedTensor(file, name), name: target } : f32(target, shape, (await file.readFloat32(name)).map((value, at) => value + 0.2 * spread[at])));
      }
    }
    const written = await writeVariant(GOLDEN(CASE), temporary.file('variant'), { drop: /^model\.d_layers\./, put, config });
    await file.close();
    return written;
  }

  for (const input of ['full', 'short'] as const) {
    it(`gives the logits of a float64 run from the definition, ${input}`, async () => {
      const model = await openModel(await variant({ model: { unet: true } }));
      try {
        assert.deepEqual(model.sites.map(({ id, taps, rate }) => [id, taps, rate]),
          [['d_layers.0', 96, 1], ['d_layers.3', 48, 1 / 2], ['c_layers.0', 12, 1 / 8], ['u_layers.0.1', 48, 1 / 2], ['u_layers.1.1', 96, 1]]);
        const run = goldenInput(await Expected.read(CASE), input);
        const logits = sashimi(await tensorsOf(model), run.input as Int32Array, POOL, 1, true);
        assertClose((await runValues(model, run)).get('')!, logits.flat(), 1e-5);
      } finally {
        await model.close();
      }
    });
  }

  it('says that config.json contradicts it, or that blocks do not pair', async () => {
    await assert.rejects(openModel(await variant({ model: { unet: false } })), /unet is false in the file, but the tensors have blocks on the way down/);
    await assert.rejects(openModel(await writeVariant(GOLDEN(CASE), temporary.file('variant'), { config: { model: { unet: true } } })), /unet is true in the file, but the tensors have no blocks/);
    await assert.rejects(openModel(await variant(undefined, 'd_layers.5')), /blocks are not poolings, a centre, and as many poolings back/);
  });
});
