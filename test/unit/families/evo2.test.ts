import * as assert from 'node:assert/strict';
import * as fs from 'node:fs/promises';
import { UserError } from '../../../extension/core/errors';
import { openModel } from '../../../extension/core/families/registry';
import { referenceEngine } from '../graph/support/reference-engine';
import { temporaryFolder } from '../support/files';
import { assertFilter, assertRun, Expected, GOLDEN, runModel, withModel } from './golden';
import { assertClose } from '../graph/support/measure';
import { EVO2_7B, evo2Entries, type Evo2Shape, evo2Tensors, writeSparse } from './striped-files';
import { f32, writeVariant } from './variants';

const CASE = 'evo2-a';
const CONFIG = async (): Promise<Record<string, unknown>> => JSON.parse(await fs.readFile(`${GOLDEN(CASE)}/config.json`, 'utf8')) as Record<string, unknown>;

describe('Evo 2 language models', () => {
  const temporary = temporaryFolder();

  it('filters of every kind of block', () => withModel(CASE, undefined, async (model) => {
    const expected = await Expected.read(CASE);
    for (const block of [1, 2]) await assertFilter(model, `blocks.${block}.filter`, expected, `filters.${block}.h`, 1e-6);
    // Stored as a cross-correlation, last tap = current sample; a site's tap 0 is the current sample.
    const stored = expected.get('filters.0.h').values;
    const rows = await model.filter('blocks.0.filter', { channels: [0, 32], taps: [0, 7] }, referenceEngine);
    assertClose(rows, rows.map((_, i) => stored[i - (i % 7) + 6 - (i % 7)]), 1e-6);
  }));
  for (const input of ['full', 'short'] as const) {
    it(`hidden states and logits, ${input}`, () => withModel(CASE, undefined, async (model) => assertRun(model, await Expected.read(CASE), input, 2e-6)));
  }

  it('opens the site list of a 13 GB checkpoint in 3 seconds of processor time, without a config.json', async () => {
    const file = temporary.file('evo2.safetensors');
    const bytes = await writeSparse(file, evo2Tensors(EVO2_7B));
    assert.ok(bytes > 12.5e9 && bytes < 14e9, `${bytes} bytes`);
    // Processor time, which other programs do not change; nothing is waited for, because only the header is read.
    const begin = process.cpuUsage();
    const model = await openModel(file);
    const { user, system } = process.cpuUsage(begin);
    assert.ok(user + system < 3e6, `${(user + system) / 1e6} s`);
    assert.equal(model.sites.length, 27);
    assert.deepEqual(model.sites.slice(0, 3).map(({ id, channels, taps, storage }) => [id, channels, taps, storage]),
      [['blocks.0.filter', 4096, 7, 'explicit'], ['blocks.1.filter', 4096, 128, 'explicit'], ['blocks.2.filter', 4096, 8192, 'modal']]);
    // Two published models have this size, so it is not guessed which of them it is.
    assert.match(model.sitesOnly ?? '', /the size of both evo2_7b_base and evo2_7b_262k; the option rotary_scale \(1 or 32\)/);
    await assert.rejects(model.graph(), (error) => error instanceof UserError && /cannot be run as a whole/.test(error.message));
    assert.ok(model.parameters > 6.4e9 && model.parameters < 6.6e9);
    assert.equal(model.tokenizer?.encode('ACé').join(), '65,67,195,169');
    await model.close();
  });

  it('takes the settings of the published model where the size or the option tells it', async () => {
    const file = temporary.file('evo2.safetensors');
    await writeSparse(file, evo2Tensors(EVO2_7B));
    const model = await openModel(file, { rotary_scale: 32 });
    assert.deepEqual(model.options.map(({ name, value }) => [name, value]), [['length', 8192], ['rotary_scale', 32]]);
    assert.ok(model.notes.some((note) => note.includes('evo2_7b_262k')));
    await model.close();
  });

  it('says that a config.json of another model does not fit', async () => {
    for (const [change, message] of [
      [{ hcm_layer_idxs: [2], hcl_layer_idxs: [1] }, /hcm_layer_idxs is \[2\] in the file, but the tensors have such filters in \[1\]/],
      [{ hidden_size: 64 }, /hidden_size is 64/], [{ attn_layer_idxs: [] }, /attn_layer_idxs is \[\]/], [{ num_attention_heads: 5 }, /5 attention heads/],
      [{ hcs_filter_length: 9 }, /hcs_filter_length is 9/], [{ mlp_activation: 'relu' }, /"mlp_activation" to "relu"/],
    ] as const) {
      const file = await writeVariant(GOLDEN(CASE), temporary.file('variant'), { config: { ...(await CONFIG()), ...change } });
      await assert.rejects(openModel(file).then((model) => model.close()), (error) => error instanceof UserError && message.test(error.message), String(message));
    }
  });

  it('reports missing and unknown tensors', async () => {
    const without = await writeVariant(GOLDEN(CASE), temporary.file('variant'), { drop: /blocks\.2\.filter\.residues/ });
    await assert.rejects(openModel(without), /looks like a evo2 model, but it lacks blocks\.2\.filter\.residues/);
    const more = await writeVariant(GOLDEN(CASE), temporary.file('variant'), { put: [f32('blocks.2.filter.extra', [2], 1)] });
    await assert.rejects(openModel(more), /it has blocks\.2\.filter\.extra, which this model has no place for/);
    const state = await writeVariant(GOLDEN(CASE), temporary.file('variant'), { put: [f32('blocks.0.projections._extra_state', [2], 1), f32('blocks.2.filter.t', [1, 1, 4], 1)], config: await CONFIG() });
    await (await openModel(state)).close();
  });

  it('writes explicit taps back, one row for each group', () => withModel(CASE, undefined, async (model) => {
    for (const [site, taps, tensor] of [['blocks.0.filter', 7, 'blocks.0.filter.h'], ['blocks.1.filter', 128, 'blocks.1.filter.h']] as const) {
      const rows = await model.filter(site, { channels: [0, 32], taps: [0, taps] }, referenceEngine);
      const { tensors: [written] } = await model.exactTensors!(site, rows);
      assert.equal(written.name, tensor);
      assert.deepEqual(written.data, await model.file.readFloat32(tensor));
      rows[1] += 1;
      await assert.rejects(model.exactTensors!(site, rows.map((value, i) => (i === taps ? value + 1 : value))), /share one stored filter/);
    }
  }));

  it('opens synthetic models of other sizes', async () => {
    const shape: Evo2Shape = { hidden: 64, inner: 96, groups: 16, vocabulary: 256, kinds: ['hcl', 'attn', 'hcs', 'hcm', 'hcl'] };
    const config = { num_attention_heads: 2, interleave: true, evo2_style_activations: true, max_seqlen: 300 };
    const file = await writeVariant(GOLDEN(CASE), temporary.file('variant'), { drop: /./, put: evo2Entries(shape), config });
    const model = await openModel(file);
    assert.deepEqual(model.sites.map(({ id, taps }) => [id, taps]), [['blocks.0.filter', 300], ['blocks.2.filter', 7], ['blocks.3.filter', 128], ['blocks.4.filter', 300]]);
    assert.equal(model.maxLength, 300);
    const logits = [...(await runModel(model, Int32Array.from({ length: 33 }, (_, i) => (i * 37) % 256), 33)).values()][0];
    assert.equal(logits.length, 33 * 256);
    assert.ok(logits.every(Number.isFinite) && logits.some((value) => value !== 0));
    await model.close();
  });
});
