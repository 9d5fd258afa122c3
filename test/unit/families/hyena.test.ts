import * as assert from 'node:assert/strict';
import * as fs from 'node:fs/promises';
import { UserError } from '../../../extension/core/errors';
import { openModel } from '../../../extension/core/families/registry';
import { relativeError } from '../graph/support/measure';
import { referenceEngine } from '../graph/support/reference-engine';
import { temporaryFolder } from '../support/files';
import { assertFilter, assertRun, Expected, GOLDEN, withModel } from './golden';
import { type Changes, f32, writeVariant } from './variants';

/** Name; filter tensors of each layer by site suffix; noise of the original's float32 filters and outputs, relative (golden README). */
const CASES = [
  ['hyena-safari-mod-a', { '': 'k' }, 1e-5, 1e-5],
  ['hyena-safari-nomod-a', { '': 'k' }, 1e-5, 1e-5],
  ['hyena-safari-order3-a', { '.o0': 'o0.k', '.o1': 'o1.k' }, 1e-5, 2e-5],
] as const;
const ALL = { channels: [0, 32], taps: [0, 64] } as const;

describe('Hyena (safari) language models', () => {
  const temporary = temporaryFolder();
  const variant = (name: string, changes: Changes): Promise<string> => writeVariant(GOLDEN(name), temporary.file('variant'), changes);
  const config = async (name: string): Promise<{ model_config: Record<string, unknown> }> => JSON.parse(await fs.readFile(`${GOLDEN(name)}/config.json`, 'utf8')) as { model_config: Record<string, unknown> };

  for (const [name, tensors, filterNoise, outputNoise] of CASES) {
    it(`${name}: filters of every layer`, () => withModel(name, undefined, async (model) => {
      const expected = await Expected.read(name);
      for (const layer of [0, 1]) {
        for (const [suffix, tensor] of Object.entries(tensors)) await assertFilter(model, `layers.${layer}.mixer${suffix}`, expected, `filters.${layer}.${tensor}`, filterNoise);
      }
    }));
    for (const input of ['full', 'short'] as const) {
      it(`${name}: hidden states and logits, ${input}`, () => withModel(name, undefined, async (model) => assertRun(model, await Expected.read(name), input, outputNoise)));
    }
  }

  it('takes modulation and shift from the user, config.json or the published evaluation', async () => {
    const file = await variant('hyena-safari-mod-a', {});
    const nested = await config('hyena-safari-mod-a');
    for (const [settings, options, modulate, source] of [
      [undefined, undefined, false, /published evaluation/], [nested, undefined, true, /config\.json/], [nested.model_config, undefined, true, /config\.json/],
      [nested, { modulate: false }, false, /user/], [undefined, { modulate: true, shift: 0.05 }, true, /user/],
    ] as const) {
      const model = await openModel(await variant('hyena-safari-mod-a', { config: settings }), options);
      assert.equal(model.options[0].value, modulate);
      assert.match(model.options[0].source, source);
      await model.close();
    }
    await assert.rejects(openModel(file, { modulate: 1 }), /option "modulate" must be true or false/);
    await assert.rejects(openModel(file, { lam: 1 }), /no option "lam"/);
  });

  it('the shift changes modulated filters, and no others', async () => {
    for (const [name, changes] of [['hyena-safari-mod-a', true], ['hyena-safari-nomod-a', false]] as const) {
      const rows: Float32Array[] = [];
      for (const shift of [0, 0.05]) await withModel(name, { shift }, async (model) => void rows.push(await model.filter('layers.0.mixer', ALL, referenceEngine)));
      assert.equal(relativeError(rows[0], rows[1]) > 1e-3, changes);
    }
  });

  it('is told from HyenaDNA by its vocabulary and its order', async () => {
    for (const [rows, name, family] of [[16, 'hyena-safari-mod-a', 'hyenadna'], [24, 'hyena-safari-mod-a', 'hyena'], [16, 'hyena-safari-order3-a', 'hyena'], [8, 'hyena-safari-mod-a', 'hyena']] as const) {
      const put = ['backbone.embeddings.word_embeddings.weight', 'lm_head.weight'].map((tensor) => f32(tensor, [rows, 32], 0.1));
      const model = await openModel(await variant(name, { put }));
      assert.equal(model.family, family);
      await model.close();
    }
  });

  it('holds for other prefixes, and rebuilds buffers that are left out', async () => {
    const settings = await config('hyena-safari-order3-a');
    const expected = await Expected.read('hyena-safari-order3-a');
    const model = await openModel(await variant('hyena-safari-order3-a', { rename: (name) => `model.${name}`, drop: /pos_emb\.t$|modulation/, config: settings }));
    await assertFilter(model, 'layers.0.mixer.o1', expected, 'filters.0.o1.k');
    assert.ok(model.notes.some((note) => /buffers t, deltas/.test(note)));
    await model.close();
  });

  it('refuses contradictions', async () => {
    const { model_config } = await config('hyena-safari-order3-a');
    const layer = model_config.layer as Record<string, unknown>;
    const cases: readonly (readonly [changes: Changes, message: RegExp])[] = [
      [{ config: { ...model_config, layer: { ...layer, order: 2 } } }, /sets "order" to 2, and only 3 is supported/],
      [{ config: { ...model_config, layer: { ...layer, l_max: 128 } } }, /l_max is 128/],
      [{ config: { d_model: 32 } }, /no "layer"/],
      [{ drop: /layers\.1\.norm2\.bias/ }, /looks like a hyena model, but it lacks backbone\.layers\.1\.norm2\.bias/],
      [{ put: [f32('backbone.layers.0.mixer.filter_fn.bias', [32], 0)] }, /filter_fn\.bias of shape \[32\] where the other tensors need \[64\]/],
      [{ put: [f32('backbone.layers.0.mixer.D', [32], 0)] }, /it has backbone\.layers\.0\.mixer\.D, which this model has no place for/],
    ];
    for (const [changes, message] of cases) {
      const file = await variant('hyena-safari-order3-a', changes);
      await assert.rejects(openModel(file).then((model) => model.close()), (error) => error instanceof UserError && message.test(error.message), String(message));
    }
  });

  it('a file with two models in it is not guessed', async () => {
    const put = ['r', 'theta', 'R_re', 'R_im', 'h_0'].map((name) => f32(`other.${name}`, [name === 'h_0' ? 1 : 3, 4], 0.5));
    await assert.rejects(openModel(await variant('hyena-safari-mod-a', { put })), (error) => error instanceof UserError && /fits several families, hyena and laughing-hyena/.test(error.message));
  });
});
