import * as assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { UserError } from '../../../extension/core/errors';
import { HYENADNA_TOKENIZER } from '../../../extension/core/families/hyenadna/tokenizer';
import type { OptionOverrides } from '../../../extension/core/families/model';
import { openModel } from '../../../extension/core/families/registry';
import { openSafetensors } from '../../../extension/core/formats/safetensors/read';
import { fixture, temporaryFolder } from '../support/files';
import { REFERENCE_ENGINE } from './siren-reference';
import type { Changes } from './variants';
import { f32, writeVariant } from './variants';

const SAMPLE = fixture('samples/hyenadna-tiny-1k-ecoli');
const HF = fixture('golden/hyenadna-hf-a');
const LIGHTNING = fixture('golden/hyenadna-lightning-a');
const HF_CONFIG = JSON.parse(fs.readFileSync(path.join(HF, 'config.json'), 'utf8')) as Record<string, unknown>;
const ORIGINAL_CONFIG = JSON.parse(fs.readFileSync(path.join(LIGHTNING, 'config.json'), 'utf8')) as { layer: Record<string, unknown> };

describe('HyenaDNA models', () => {
  const temporary = temporaryFolder();
  const variant = (source: string, changes: Changes): Promise<string> => writeVariant(source, temporary.file('variant'), changes);
  const refused = async (source: string, changes: Changes, message: RegExp, options?: OptionOverrides): Promise<void> => {
    const file = await variant(source, changes);
    await assert.rejects(openModel(file, options), (error) => {
      assert.ok(error instanceof UserError, String(error));
      assert.match(error.message, message);
      assert.ok(error.message.endsWith('.') && !error.message.includes('\n'));
      return true;
    });
  };

  it('describes the sample', async () => {
    const model = await openModel(SAMPLE);
    assert.equal(model.family, 'hyenadna');
    assert.equal(model.name, 'hyenadna-tiny-1k-ecoli');
    assert.equal(model.path, path.join(SAMPLE, 'model.safetensors'));
    assert.equal(model.parameters, 436_096);
    assert.equal(model.vocabularySize, 16);
    assert.equal(model.maxLength, 1026);
    assert.deepEqual(model.options.map(({ name, value }) => [name, value]), [['shift', 0.05]]);
    assert.ok(model.notes.some((note) => /not a published model/.test(note)));
    assert.ok(model.notes.some((note) => /shift .* 0\.05/.test(note)));
    assert.deepEqual(
      model.sites.map(({ id, layer, channels, taps, direction, storage, writeBack }) => [id, layer, channels, taps, direction, storage, [...writeBack]]),
      [0, 1].map((layer) => [`layers.${layer}.mixer`, layer, 128, 1026, 'causal', 'implicit', ['baked', 'sidecar']]));
    for (const site of model.sites) {
      assert.equal(site.filterTensors.length, 13);
      assert.ok(site.filterTensors.every((name) => name.startsWith(`backbone.layers.${site.layer}.mixer.filter_fn.`) && !name.endsWith('filter_fn.bias')));
    }
    assert.equal(model.embeddedPlan, undefined);
    await model.close();
  });

  it('opens the file as well as its folder', async () => {
    const model = await openModel(path.join(SAMPLE, 'model.safetensors'));
    assert.equal(model.parameters, 436_096);
    await model.close();
  });

  it('counts a head of its own, and the tied one not', async () => {
    const d = 32, inner = 128, rows = 16, width = 64, features = 5;
    const generator = width * features + width + 2 * (width * width + width) + width * d + width;
    const layer = 4 * d + (3 * d * d + 3 * d) + (3 * d * 3 + 3 * d) + d + (d * d + d) + (2 * inner * d + inner + d) + generator;
    const counts = [];
    for (const folder of [HF, LIGHTNING]) {
      const model = await openModel(folder);
      counts.push(model.parameters);
      await model.close();
    }
    assert.deepEqual(counts, [2 * rows * d + 2 * layer + 2 * d, rows * d + 2 * layer + 2 * d]);
  });

  it('reads the same network from all three layouts, with and without config.json', async () => {
    const reference = await openModel(HF);
    const range = { channels: [0, 32], taps: [0, 66] } as const;
    const expected = await reference.filter('layers.1.mixer', range, REFERENCE_ENGINE);
    for (const [prefix, head] of [['hyena.backbone.', 'lm_head.weight'], ['model.backbone.', 'model.lm_head.weight'], ['backbone.', 'lm_head.weight']]) {
      for (const config of [undefined, HF_CONFIG]) {
        const rename = (name: string): string => (name === 'lm_head.weight' ? head : name.replace('hyena.backbone.', prefix));
        const model = await openModel(await variant(HF, { rename, config }));
        assert.equal(model.parameters, reference.parameters);
        assert.equal(model.maxLength, 66);
        assert.deepEqual(await model.filter('layers.1.mixer', range, REFERENCE_ENGINE), expected);
        await model.close();
      }
    }
    await reference.close();
  });

  it('ignores training counters and other heads, and says so', async () => {
    const counter = { name: 'train_torchmetrics.num_tokens.count', dtype: 'I64' as const, shape: [], data: new Uint8Array(8) };
    const model = await openModel(await variant(LIGHTNING, { put: [counter, f32('score.weight', [2, 32], 1)] }));
    assert.equal(model.parameters, 48_448);
    assert.ok(model.notes.some((note) => note.includes('score.weight') && note.includes('train_torchmetrics.num_tokens.count')));
    await model.close();
  });

  it('uses the embedding as head where none is stored, and says so', async () => {
    const model = await openModel(await variant(SAMPLE, { drop: /^lm_head/ }));
    assert.equal(model.parameters, 436_096);
    assert.ok(model.notes.some((note) => note.includes('lm_head.weight')));
    await model.close();
  });

  it('reads weights of other floating-point types', async () => {
    const file = await openSafetensors(path.join(HF, 'model.safetensors'));
    const name = 'hyena.backbone.layers.0.mixer.filter_fn.implicit_filter.6.weight';
    const wide = Float64Array.from(await file.readFloat32(name));
    await file.close();
    const range = { channels: [0, 32], taps: [0, 66] } as const;
    const model = await openModel(await variant(HF, { put: [{ name, dtype: 'F64', shape: [32, 64], data: new Uint8Array(wide.buffer) }] }));
    const reference = await openModel(HF);
    assert.deepEqual(await model.filter('layers.0.mixer', range, REFERENCE_ENGINE), await reference.filter('layers.0.mixer', range, REFERENCE_ENGINE));
    await Promise.all([model.close(), reference.close()]);
  });

  describe('the shift of the window', () => {
    const cases: readonly (readonly [what: string, source: string, config: unknown, options: OptionOverrides | undefined, value: number, from: RegExp])[] = [
      ['is 0.05 as in the published code', HF, HF_CONFIG, undefined, 0.05, /published/],
      ['is 0.05 without config.json', SAMPLE, undefined, undefined, 0.05, /published/],
      ['is 0 where the names are of the training code', LIGHTNING, ORIGINAL_CONFIG, undefined, 0, /training code/],
      ['comes from config.json', LIGHTNING, { ...ORIGINAL_CONFIG, shift: 0.02 }, undefined, 0.02, /config\.json/],
      ['comes from the layer of config.json', LIGHTNING, { ...ORIGINAL_CONFIG, layer: { ...ORIGINAL_CONFIG.layer, shift: 0.03 } }, undefined, 0.03, /config\.json/],
      ['is what the user gives', LIGHTNING, { ...ORIGINAL_CONFIG, shift: 0.02 }, { shift: 0.05 }, 0.05, /user/],
      ['is what the user gives, even 0', HF, HF_CONFIG, { shift: 0 }, 0, /user/],
    ];
    for (const [what, source, config, options, value, from] of cases) {
      it(what, async () => {
        const model = await openModel(await variant(source, { config }), options);
        assert.deepEqual(model.options.map((option) => [option.name, option.value]), [['shift', value]]);
        assert.match(model.options[0].source, from);
        assert.ok(model.notes.some((note) => note.includes(`${value} (`)));
        await model.close();
      });
    }

    it('must be a number, and is the only option', async () => {
      await refused(HF, {}, /option "shift" must be a finite number, not true/, { shift: true });
      await refused(HF, {}, /option "shift" must be a finite number, not NaN/, { shift: NaN });
      await refused(HF, {}, /no option "shfit"/, { shfit: 0 });
    });
  });

  describe('refuses', () => {
    const layer = 'hyena.backbone.layers.1.';
    const original = (change: Record<string, unknown>): unknown => ({ ...ORIGINAL_CONFIG, layer: { ...ORIGINAL_CONFIG.layer, ...change } });
    const cases: readonly (readonly [what: string, source: string, changes: Changes, message: RegExp])[] = [
      ['a missing tensor', HF, { drop: /layers\.1\.mlp\.fc1\.bias/ }, /looks like a hyenadna model, but it lacks hyena\.backbone\.layers\.1\.mlp\.fc1\.bias/],
      ['a missing layer', HF, { rename: (name) => name.replace('layers.1.', 'layers.2.') }, /lacks hyena\.backbone\.layers\.1\.norm1\.weight, .* and \d+ more/],
      ['a missing embedding', HF, { drop: /embeddings/ }, /lacks hyena\.backbone\.embeddings\.word_embeddings\.weight/],
      ['a missing generator', HF, { drop: /layers\.0.*(implicit_filter|pos_emb|modulation)/ }, /lacks .*implicit_filter\.0\.weight/],
      ['a missing frequency', HF, { drop: /freq/ }, /lacks .*implicit_filter\.1\.freq/],
      ['tensors that change what the network computes', HF, { put: [f32('hyena.backbone.embeddings.position_embeddings.weight', [66, 32], 0)] },
        /it has hyena\.backbone\.embeddings\.position_embeddings\.weight, which this model has no place for/],
      ['models of other families', fixture('golden/hyenadna-hf-a'), { drop: /filter_fn/ }, /not a model of a known family: its tensors, such as/],
      ['names behind those of a wrapper', HF, { rename: (name) => `module.${name}` }, /not a model of a known family: the names of all its tensors begin with "module\."/],
      ['a file without tensors', HF, { drop: /./ }, /not a model of a known family: it has no tensors/],
      ['a tensor of another shape', HF, { put: [f32(`${layer}mlp.fc2.weight`, [32, 64], 0)] }, /layers\.1\.mlp\.fc2\.weight of shape \[32, 64\] where the other tensors need \[32, 128\]/],
      ['a tensor of another rank', HF, { put: [f32(`${layer}mixer.short_filter.weight`, [96, 3], 0)] }, /shape \[96, 3\] where the other tensors need \[96, 1, 3\]/],
      ['integer weights', HF, { put: [{ name: `${layer}norm1.bias`, dtype: 'I32', shape: [32], data: new Uint8Array(128) }] }, /norm1\.bias as I32/],
      ['grids of different lengths', HF, { put: [f32(`${layer}mixer.filter_fn.pos_emb.t`, [1, 65, 1], 0)] }, /pos_emb\.t of shape \[1, 65, 1\] where the other tensors need \[1, 66, 1\]/],
      ['operators of another order', HF, { put: [f32('hyena.backbone.layers.0.mixer.in_proj.weight', [128, 32], 0)] }, /operators of order 3 .*only order 2/],
      ['other vocabularies', HF, { put: [f32('hyena.backbone.embeddings.word_embeddings.weight', [50264, 32], 0)] }, /vocabulary of 50264, but HyenaDNA has 12/],
      ['copies of one parameter that differ', LIGHTNING, { put: [f32('model.backbone.layers.0.mixer.layer.filter_fn.implicit_filter.3.freq', [1, 64], 9)] },
        /implicit_filter\.1\.freq and .*implicit_filter\.3\.freq, which are one parameter.*different values/],
      ['heads that differ', HF, { put: [f32('model.lm_head.weight', [16, 32], 1)] }, /lm_head\.weight and model\.lm_head\.weight, which are one parameter/],
      ['missing grids without config.json', HF, { drop: /pos_emb/ }, /neither the grids .* nor a config\.json that gives their length/],
      ['a config.json that is not JSON', HF, { config: '{"d_model": 32,' }, /config\.json is not valid JSON: /],
      ['a config.json that is no object', HF, { config: [] }, /config\.json is not a model configuration/],
      ['a config.json of another width', HF, { config: { ...HF_CONFIG, d_model: 64 } }, /config\.json and the model disagree: d_model is 64 in the file, but the tensors have 32/],
      ['a config.json of another length', LIGHTNING, { config: original({ l_max: 1026 }) }, /disagree: l_max is 1026/],
      ['a config.json of another vocabulary', HF, { config: { ...HF_CONFIG, vocab_size: 17 } }, /disagree: the padded vocabulary is 24 in the file, but the tensors have 16/],
      ['a config.json with fewer layers', HF, { config: { ...HF_CONFIG, n_layer: 3 } }, /disagree: n_layer is 3/],
      ['a config.json with values of the wrong type', HF, { config: { ...HF_CONFIG, d_model: '32' } }, /sets "d_model" to "32" where a whole number above 0 is needed/],
      ['a config.json with a shift that is no number', HF, { config: { ...HF_CONFIG, shift: 'none' } }, /sets "shift" to "none"/],
      ['other orders in config.json', HF, { config: { ...HF_CONFIG, hyena_order: 3 } }, /sets "hyena_order" to 3, and only 2 is supported/],
      ['other orders in an original config.json', LIGHTNING, { config: original({ order: 3 }) }, /sets "order" to 3, and only 2 is supported/],
      ['normalised filters', LIGHTNING, { config: original({ normalized: true }) }, /sets "normalized" to true, and only false is supported/],
      ['bidirectional filters', LIGHTNING, { config: original({ bidirectional: true }) }, /sets "bidirectional"/],
      ['convolutions without their skip term', LIGHTNING, { config: original({ use_bias: false }) }, /sets "use_bias" to false/],
      ['other layers', LIGHTNING, { config: original({ _name_: 'h3' }) }, /layers of type "h3", not "hyena"/],
    ];
    for (const [what, source, changes, message] of cases) {
      it(what, () => refused(source, changes, message));
    }

    it('a folder without weights, naming what it has instead', async () => {
      await temporary.write('no-model/notes.txt', 'nothing here');
      await assert.rejects(openModel(temporary.file('no-model')), (error) => error instanceof UserError && /has no model\.safetensors\.$/.test(error.message));
      await temporary.write('torch/weights.ckpt', Buffer.from('PK\x03\x04archive/data.pkl'));
      await assert.rejects(openModel(temporary.file('torch')), (error) => error instanceof UserError && /weights\.ckpt as a PyTorch checkpoint/.test(error.message));
      await temporary.write('named/tiny.safetensors', '');
      await assert.rejects(openModel(temporary.file('named')), (error) => error instanceof UserError && /has no model\.safetensors, but tiny\.safetensors/.test(error.message));
    });
  });

  it('does not modulate where config.json says so', async () => {
    const range = { channels: [0, 32], taps: [0, 66] } as const;
    const model = await openModel(await variant(LIGHTNING, { config: { ...ORIGINAL_CONFIG, layer: { ...ORIGINAL_CONFIG.layer, modulate: false } } }));
    const plain = await model.filter('layers.0.mixer', range, REFERENCE_ENGINE);
    await model.close();
    const modulated = await openModel(LIGHTNING);
    const windowed = await modulated.filter('layers.0.mixer', range, REFERENCE_ENGINE);
    await modulated.close();
    // The window is exp(-t |delta|), 1 at t = 0 and below 1 from there on.
    for (let channel = 0; channel < 32; channel++) {
      assert.equal(windowed[channel * 66], plain[channel * 66]);
      assert.ok(Math.abs(windowed[channel * 66 + 65]) < Math.abs(plain[channel * 66 + 65]));
    }
  });
});

describe('HyenaDNA tokenizer', () => {
  const encode = (text: string): number[] => [...HYENADNA_TOKENIZER.encode(text)];

  it('gives the published ids, and the unknown token for everything else', () => {
    assert.deepEqual(encode('ACGTN'), [7, 8, 9, 10, 11]);
    assert.deepEqual(encode('acgtn RYK\n-*'), new Array(12).fill(6));
    assert.deepEqual(encode(''), []);
    assert.deepEqual(encode('A\u{1f9ec}C\u00e9'), [7, 6, 8, 6]);
    assert.equal(HYENADNA_TOKENIZER.unknownToken, 6);
  });

  it('agrees with the reference tokens of the held-out sequence', async () => {
    const sequence = fs.readFileSync(path.join(SAMPLE, 'ecoli-table.fa'), 'utf8').split('\n').slice(1).join('');
    const file = await openSafetensors(path.join(SAMPLE, 'reference.safetensors'));
    const tokens = new Int32Array((await file.readBytes('tokens')).buffer);
    await file.close();
    assert.deepEqual(HYENADNA_TOKENIZER.encode(sequence.slice(0, 1025)), tokens);
  });
});
