import * as assert from 'node:assert/strict';
import * as fs from 'node:fs/promises';
import { UserError } from '../../../extension/core/errors';
import { openModel } from '../../../extension/core/families/registry';
import { referenceEngine } from '../graph/support/reference-engine';
import { assertClose } from '../graph/support/measure';
import { temporaryFolder } from '../support/files';
import { assertFilter, assertRun, Expected, GOLDEN, withModel } from './golden';
import { type Changes, f32, writeVariant } from './variants';

/** Name; filter tensors by site suffix; layers with sites. */
const CASES = [
  { name: 'h3-a', tensors: { shift: 'k_shift', diag: 'k_diag' }, layers: [0, 1], noise: 2e-6 },
  { name: 'h3-attn-a', tensors: { shift: 'k_shift', diag: 'k_diag' }, layers: [0], noise: 2e-6 },
  { name: 'h3conv-a', tensors: { k_kernel: 'k_kernel', kernel: 'kernel' }, layers: [0, 1], noise: 2e-6 },
] as const;

/** Names as older checkpoints have them: see families/h3/names.ts. */
function oldName(name: string): string {
  const layers = 2;
  const norm = /^backbone\.layers\.(\d+)\.norm([12])\.(.+)$/.exec(name);
  if (norm) {
    const [layer, which, rest] = [Number(norm[1]), norm[2], norm[3]];
    if (which === '2') return `model.s4seq.encoder.layers.${layer}.norm1.${rest}`;
    return layer === 0 ? `model.s4seq.encoder.norm.${rest}` : `model.s4seq.encoder.layers.${layer - 1}.norm2.${rest}`;
  }
  if (name.startsWith('backbone.ln_f.')) return name.replace('backbone.ln_f', `model.s4seq.encoder.layers.${layers - 1}.norm2`);
  if (name === 'backbone.embeddings.word_embeddings.weight') return 'model.embedding.weight';
  return `model.${name.replace(/^backbone\./, 's4seq.encoder.')}`;
}

describe('H3 language models', () => {
  const temporary = temporaryFolder();
  const variant = (name: string, changes: Changes): Promise<string> => writeVariant(GOLDEN(name), temporary.file('variant'), changes);
  const config = async (name: string): Promise<Record<string, unknown>> => JSON.parse(await fs.readFile(`${GOLDEN(name)}/config.json`, 'utf8')) as Record<string, unknown>;

  for (const { name, tensors, layers, noise } of CASES) {
    it(`${name}: filters of every layer`, () => withModel(name, undefined, async (model) => {
      const expected = await Expected.read(name);
      for (const layer of layers) {
        for (const [site, tensor] of Object.entries(tensors)) await assertFilter(model, `layers.${layer}.mixer.${site}`, expected, `filters.${layer}.${tensor}`, noise);
      }
    }));
    for (const input of ['full', 'short'] as const) {
      it(`${name}: hidden states and logits, ${input}`, () => withModel(name, undefined, async (model) => assertRun(model, await Expected.read(name), input, noise)));
    }
  }

  it('reads the names of older checkpoints', async () => {
    const model = await openModel(await variant('h3-attn-a', { rename: oldName, config: await config('h3-attn-a') }));
    const expected = await Expected.read('h3-attn-a');
    await assertRun(model, expected, 'short', 2e-6);
    assert.deepEqual([...model.sites[0].filterTensors], ['B', 'C'].map((part) => `model.s4seq.encoder.layers.0.mixer.ssm_k_kernel.kernel.${part}`));
    await model.close();
  });

  it('discretises as config.json or the user says', async () => {
    const part = { channels: [0, 32], taps: [0, 50] } as const;
    const rows: Float32Array[] = [];
    for (const [settings, options] of [[{ ssm_cfg: { disc: 'zoh' } }, undefined], [undefined, { zoh: true }], [undefined, undefined]] as const) {
      const model = await openModel(await variant('h3-a', { config: settings }), options);
      rows.push(await model.filter('layers.0.mixer.diag', part, referenceEngine));
      await model.close();
    }
    assert.deepEqual(rows[0], rows[1]);
    assert.throws(() => assertClose(rows[0], rows[2], 1e-3));
  });

  it('writes shifts and explicit filters back', async () => {
    for (const [name, site, taps] of [['h3-a', 'layers.1.mixer.shift', 64], ['h3conv-a', 'layers.1.mixer.kernel', 64]] as const) {
      const range = { channels: [0, 32], taps: [0, taps] } as const;
      const model = await openModel(GOLDEN(name));
      const rows = (await model.filter(site, range, referenceEngine)).map((value, i) => (i % taps < 9 ? value : 0));
      const { tensors } = await model.exactTensors!(site, rows);
      const changed = await openModel(await variant(name, { put: tensors.map(({ name: tensor, shape, data }) => f32(tensor, shape, data)), config: await config(name) }));
      assertClose(await changed.filter(site, range, referenceEngine), rows, 1e-6);
      await Promise.all([model.close(), changed.close()]);
    }
  });

  it('says what is missing or contradicts itself', async () => {
    const cases: readonly (readonly [name: string, changes: Changes, message: RegExp])[] = [
      ['h3-attn-a', {}, /attention layers, and neither config\.json .* nor its width tells how many heads/],
      ['h3-attn-a', { config: { attn_cfg: { num_heads: 5 } } }, /5 attention heads do not divide the width 32/],
      ['h3-attn-a', { config: { attn_cfg: { num_heads: 4, rotary_emb_dim: 8 } }, put: [f32('backbone.layers.1.mixer.rotary_emb.inv_freq', [2], 1)] }, /rotary embedding of 8 channels, but the tensors have 4/],
      ['h3-a', { drop: /layers\.0\.mixer\.kernel\.kernel\.log_dt/ }, /looks like a h3 model, but it lacks backbone\.layers\.0\.mixer\.kernel\.kernel\.log_dt/],
      ['h3-a', { put: [f32('backbone.layers.0.mixer.D', [8], 1)] }, /H3 heads of 4 channels/],
      ['h3-a', { put: [f32('backbone.embeddings.position_embeddings.weight', [8, 32], 1)] }, /position_embeddings\.weight, which this model has no place for/],
      ['h3-a', { config: { ssm_cfg: { mode: 'nplr' } } }, /sets "mode" to "nplr"/],
      ['h3-a', { config: { n_layer: 3 } }, /n_layer is 3/],
      ['h3conv-a', { config: { layer: { use_ma_smoothing: true } } }, /use_ma_smoothing/],
    ];
    for (const [name, changes, message] of cases) {
      const file = await variant(name, changes);
      await assert.rejects(openModel(file).then((model) => model.close()), (error) => error instanceof UserError && message.test(error.message), String(message));
    }
    const model = await openModel(await variant('h3-attn-a', {}), { heads: 4, length: 100 });
    assert.equal(model.maxLength, 100);
    await assertRun(model, await Expected.read('h3-attn-a'), 'full', 2e-6);
    await model.close();
  });
});
