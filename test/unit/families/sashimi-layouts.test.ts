import * as assert from 'node:assert/strict';
import * as path from 'node:path';
import { openModel } from '../../../extension/core/families/registry';
import { openSafetensors } from '../../../extension/core/formats/safetensors/read';
import { copiedTensor, type TensorEntry } from '../../../extension/core/formats/safetensors/write';
import type { TensorFile } from '../../../extension/core/formats/tensor-file';
import { assertClose, noise } from '../graph/support/measure';
import { temporaryFolder } from '../support/files';
import { Expected, GOLDEN } from './golden';
import { assertGolden, filterRows, goldenInput, runValues } from './golden-runs';
import { CASE, engine, POOL, tensorsOf, writeUnet } from './sashimi-files';
import { sashimi } from './sashimi-reference';
import { f32, writeVariant } from './variants';

/** Names of the training code's network: its encoder and decoder are lists of one module. */
const trained = (name: string): string => name.replace(/^encoder\./, 'encoder.0.').replace(/^decoder\./, 'decoder.0.output_transform.');
/** The way up as one list of blocks, as unet.py of the training code has it; three to each tier. */
const flat = (name: string): string => name.replace(/u_layers\.(\d)\.(\d)/, (_, tier: string, block: string) => `u_layers.${3 * Number(tier) + Number(block)}`);

describe('SaShiMi in the layouts of its code', () => {
  const temporary = temporaryFolder();
  const folder = (): string => temporary.file('variant');
  let golden: TensorFile;
  before(async () => { golden = await openSafetensors(path.join(GOLDEN(CASE), 'model.safetensors')); });
  after(() => golden.close());

  /** Opens the file, runs the golden input on it, and compares its logits. */
  async function assertLogits(file: string, input: string): Promise<void> {
    const model = await openModel(file);
    try {
      const expected = await Expected.read(CASE);
      assertGolden((await runValues(model, { ...goldenInput(expected, input), engine })).get('')!, expected, `${input}.logits`, 1e-4);
      for (const { id } of model.sites) assertGolden(await filterRows(model, id, 0, undefined, engine), expected, `filters.${id}.layer.layer.kernel.k`, 1e-5, 6e-6);
    } finally {
      await model.close();
    }
  }

  it('opens with the encoder and decoder of the training code', async () => {
    await assertLogits(await writeVariant(GOLDEN(CASE), folder(), { rename: trained }), 'full');
  });

  it('opens with state spaces as release 3 of the code named them', async () => {
    const put: TensorEntry[] = [];
    for (const [name, { shape }] of golden.tensors) {
      const renamed = trained(name).replace('layer.layer.', 'layer.').replace('.kernel.', '.kernel.kernel.').replace('inv_dt', 'log_dt').replace('A_real', 'inv_w_real')
        .replace('A_imag', 'w_imag').replace('l_kernel', 'L');
      if (name.endsWith('inv_dt')) put.push({ ...copiedTensor(golden, name), name: renamed, shape: shape.slice(0, 1) });
      else if (name.endsWith('A_imag')) put.push(f32(renamed, shape, (await golden.readFloat32(name)).map((value) => -value)));
      else put.push({ ...copiedTensor(golden, name), name: renamed });
    }
    // That release knew no other transform of dt than exp.
    await assertLogits(await writeVariant(GOLDEN(CASE), folder(), { drop: /./, put, config: { model: { layer: { dt_transform: 'softplus' } } } }), 'short');
  });

  it('opens without encoder and decoder, as a network of floats', async () => {
    const model = await openModel(await writeVariant(GOLDEN(CASE), folder(), { drop: /^(en|de)coder\./, rename: (name) => name.replace(/^model\./, '') }));
    try {
      assert.deepEqual([model.task, model.floatInput, model.vocabularySize, model.lengthMultiple], ['features', ['length', 8], 0, 8]);
      const expected = await Expected.read(CASE);
      const ids = expected.ids('full.input_ids');
      const embedding = await golden.readFloat32('encoder.weight');
      const input = Float32Array.from({ length: 8 * ids.length }, (_, i) => embedding[8 * ids[Math.floor(i / 8)] + (i % 8)]);
      const out = (await runValues(model, { input, length: ids.length, engine })).get('')!;
      const [weight, bias] = [await golden.readFloat32('decoder.weight'), await golden.readFloat32('decoder.bias')];
      const logits = Array.from({ length: ids.length }, (_, t) => Array.from(bias, (b, v) => weight.subarray(8 * v, 8 * v + 8).reduce((sum, w, h) => sum + w * out[8 * t + h], b)));
      assertGolden(logits.flat(), expected, 'full.logits', 1e-4);
    } finally {
      await model.close();
    }
  });

  it('opens with scalar norms and poolings by direction and length, as they are trained', async () => {
    const put: TensorEntry[] = [];
    const random = noise(1000, 3);
    for (const [i, [name, { shape }]] of [...golden.tensors].entries()) {
      if (/layers.*norm\.weight$/.test(name)) put.push(f32(name.replace('norm.weight', 'norm.norm.m'), [1], [0.3 * random[i]]), f32(name.replace('norm.weight', 'norm.norm.s'), [1], [1 + 0.3 * random[i + 500]]));
      if (/\.linear\.weight$/.test(name)) {
        const values = await golden.readFloat32(name);
        put.push(f32(name.replace('weight', 'weight_v'), shape.slice(0, 2), values), f32(name.replace('weight', 'weight_g'), [shape[0], 1], noise(shape[0], i + 1).map((value) => 1 + 0.5 * value)));
      }
    }
    const model = await openModel(await writeVariant(GOLDEN(CASE), folder(), { drop: /layers.*norm\.|\.linear\.weight$/, put }));
    try {
      const run = goldenInput(await Expected.read(CASE), 'full');
      assertClose((await runValues(model, { ...run, engine })).get('')!, sashimi(await tensorsOf(model), run.input as Int32Array, POOL, 1, false).flat(), 1e-5);
    } finally {
      await model.close();
    }
  });

  for (const config of [undefined, { _name_: 'unet', pool_mode: 'linear', prenorm: true }]) {
    it(`opens with its way up in one list, which is the variant unet, ${config ? 'with' : 'without'} config.json`, async () => {
      const nested = await openModel(await writeUnet(temporary.file('nested'), {}));
      const run = goldenInput(await Expected.read(CASE), 'full');
      const logits = sashimi(await tensorsOf(nested), run.input as Int32Array, POOL, 1, true).flat();
      await nested.close();
      const model = await openModel(await writeUnet(folder(), { rename: (name) => flat(trained(name)), config: config && { model: config } }));
      try {
        assert.deepEqual(model.sites.map(({ id, taps, rate }) => [id, taps, rate]),
          [['d_layers.0', 96, 1], ['d_layers.3', 48, 1 / 2], ['c_layers.0', 12, 1 / 8], ['u_layers.1', 48, 1 / 2], ['u_layers.4', 96, 1]]);
        assertClose((await runValues(model, { ...run, engine })).get('')!, logits, 1e-5);
      } finally {
        await model.close();
      }
    });
  }

  it('is refused where it does not know what the network computes', async () => {
    const rename = (name: string): string => flat(trained(name));
    await assert.rejects(openModel(await writeUnet(folder(), { rename, config: { model: { pool_mode: 'avg' } } })), /"pool_mode" to "avg", and only "linear"/);
    await assert.rejects(openModel(await writeUnet(folder(), { rename, config: { model: { prenorm: false } } })), /"prenorm" to false, and only true/);
    // One list is unet; without blocks on the way down it has no skip connections for those on the way up.
    await assert.rejects(openModel(await writeVariant(GOLDEN(CASE), folder(), { rename: flat })), /blocks are not poolings, a centre, and as many poolings back/);
    await assert.rejects(openModel(await writeVariant(GOLDEN(CASE), folder(), { drop: /^(en|de)coder\./ })), /lacks encoder\.weight, decoder\.weight, decoder\.bias/);
    const average = [f32('model.d_layers.0.linear.weight', [16, 8, 1], noise(128, 1))];
    await assert.rejects(openModel(await writeVariant(GOLDEN(CASE), folder(), { put: average })), /d_layers\.0 over an unknown number of samples/);
  });
});
