import * as assert from 'node:assert/strict';
import * as path from 'node:path';
import { UserError } from '../../../extension/core/errors';
import { openModel } from '../../../extension/core/families/registry';
import type { ChannelMask, SurgeryPlan } from '../../../extension/core/plan/plan';
import { fixture, temporaryFolder } from '../support/files';
import { REFERENCE_ENGINE } from './siren-reference';
import type { Changes } from './variants';
import { f32, writeVariant } from './variants';

const HF = fixture('golden/hyenadna-hf-a');
const H = 32, TAPS = 66, N = 256;
const GRID = { fftSize: N, factors: [16, 16], taps: 64 };
const LOWPASS: ChannelMask = { frequency: { grid: GRID, symmetry: 'conjugate', keep: { kind: 'lowpass', fraction: 0.5 } } };
const GENERATOR_OF_LAYER_0 = /layers\.0\.mixer\.filter_fn\.(implicit_filter|pos_emb|modulation)/;
const BAKED_NAME = 'longconv.surgeon.layers.0.mixer.k';

function planFor(masks: readonly ChannelMask[], options?: SurgeryPlan['model']['options']): SurgeryPlan {
  return {
    version: 1,
    model: { path: 'model.safetensors', family: 'hyenadna', fingerprint: `sha256:${'0'.repeat(64)}`, ...(options ? { options } : {}) },
    sites: [{ site: 'layers.0.mixer', masks }],
  };
}

const metadataOf = (plan: SurgeryPlan | string, form = 'baked', recausalised = 'false'): Map<string, string> => new Map([
  ['longconv.surgeon.plan', typeof plan === 'string' ? plan : JSON.stringify(plan)],
  ['longconv.surgeon.form', form],
  ['longconv.surgeon.recausalised', recausalised],
]);

/** Element [row, column] is row + column / 1000, so that every lag can be told apart. */
const counted = (columns: number): Float32Array => Float32Array.from({ length: H * columns }, (_, i) => Math.floor(i / columns) + (i % columns) / 1000);

describe('embedded surgery', () => {
  const temporary = temporaryFolder();
  const variant = (changes: Changes): Promise<string> => writeVariant(HF, temporary.file('variant'), changes);
  const baked = (columns: number, masks: readonly ChannelMask[], recausalised: boolean, config?: unknown): Promise<string> => variant({
    drop: GENERATOR_OF_LAYER_0, put: [f32(BAKED_NAME, [H, columns], counted(columns))], metadata: metadataOf(planFor(masks), 'baked', String(recausalised)), config,
  });

  it('opens a baked site with causal lags as an explicit filter', async () => {
    const masks: ChannelMask[] = [{ partial: { taps: 8 } }];
    const model = await openModel(await baked(TAPS, masks, false));
    const [site, other] = model.sites;
    assert.deepEqual([site.storage, site.taps, site.channels, site.direction], ['explicit', TAPS, H, 'causal']);
    assert.deepEqual(site.embedded, { tensor: BAKED_NAME, circular: false, channelMasks: masks });
    assert.deepEqual([...site.filterTensors], [BAKED_NAME]);
    assert.deepEqual([...site.writeBack], ['baked']);
    assert.equal(other.storage, 'implicit');
    assert.equal(other.embedded, undefined);
    assert.deepEqual(model.embeddedPlan, planFor(masks));
    assert.equal(model.recausalised, false);
    assert.equal(model.maxLength, TAPS);
    assert.ok(model.notes.some((note) => /result of a surgery \(baked\): the filters of layers\.0\.mixer/.test(note)));
    const all = counted(TAPS);
    assert.deepEqual(await model.filter(site.id, { channels: [0, H], taps: [0, TAPS] }, REFERENCE_ENGINE), all);
    assert.deepEqual(
      await model.filter(site.id, { channels: [3, 5], taps: [10, 13] }, REFERENCE_ENGINE),
      Float32Array.from([3, 4].flatMap((row) => [10, 11, 12].map((lag) => all[row * TAPS + lag]))));
    await model.close();
  });

  it('counts a baked filter with what it stores', async () => {
    const original = await openModel(HF);
    const model = await openModel(await baked(TAPS, [{ partial: { taps: 8 } }], false));
    const generator = 64 * 5 + 64 + 2 * (64 * 64 + 64) + H * 64 + 64;
    assert.equal(model.parameters, original.parameters - generator + H * TAPS);
    await Promise.all([original.close(), model.close()]);
  });

  it('opens circular lags, and gives the causal ones of them', async () => {
    const model = await openModel(await baked(N, [LOWPASS], false));
    const [site] = model.sites;
    assert.equal(site.embedded?.circular, true);
    assert.equal(site.taps, TAPS);
    const filter = await model.filter(site.id, { channels: [0, H], taps: [0, TAPS] }, REFERENCE_ENGINE);
    const stored = counted(N);
    filter.forEach((value, i) => {
      const lag = i % TAPS;
      assert.equal(value, lag < GRID.taps ? stored[Math.floor(i / TAPS) * N + lag] : 0, `lag ${lag}`);
    });
    await model.close();
  });

  it('takes the original taps from config.json, or the grid, where every site is baked', async () => {
    const everything = /layers\.\d\.mixer\.filter_fn\.(implicit_filter|pos_emb|modulation)/;
    const plan: SurgeryPlan = { ...planFor([LOWPASS]), sites: [0, 1].map((layer) => ({ site: `layers.${layer}.mixer`, masks: [LOWPASS] })) };
    const put = [0, 1].map((layer) => f32(`longconv.surgeon.layers.${layer}.mixer.k`, [H, N], counted(N)));
    for (const [config, taps] of [[{ max_seq_len: TAPS }, TAPS], [undefined, GRID.taps]] as const) {
      const model = await openModel(await variant({ drop: everything, put, metadata: metadataOf(plan), config }));
      assert.deepEqual(model.sites.map((site) => site.taps), [taps, taps]);
      assert.equal(model.maxLength, taps);
      assert.ok(model.notes.every((note) => !note.includes('shift')));
      await model.close();
    }
  });

  it('bounds the input by the smallest circular grid', async () => {
    const grid = { fftSize: 64, factors: [8, 8], taps: 32 };
    const model = await openModel(await baked(TAPS, [{ channels: [0, 4], frequency: { ...LOWPASS.frequency!, grid } }], false));
    assert.equal(model.sites[0].embedded?.circular, true);
    assert.equal(model.maxLength, 32);
    const [masked, dense] = [
      await model.filter('layers.0.mixer', { channels: [3, 4], taps: [0, TAPS] }, REFERENCE_ENGINE),
      await model.filter('layers.0.mixer', { channels: [4, 5], taps: [0, TAPS] }, REFERENCE_ENGINE)];
    assert.ok(masked.subarray(32).every((value) => value === 0) && masked.subarray(0, 32).every((value) => value >= 3));
    assert.ok(dense.every((value) => value >= 4));
    await model.close();
  });

  it('takes re-causalised filters, and frequency masks followed by partial ones, as causal lags', async () => {
    for (const [masks, recausalised] of [[[LOWPASS], true], [[{ ...LOWPASS, partial: { taps: 16 } }], false]] as const) {
      const model = await openModel(await baked(TAPS, masks, recausalised));
      assert.equal(model.sites[0].embedded?.circular, false);
      assert.equal(model.sites[0].taps, TAPS);
      assert.equal(model.recausalised, recausalised);
      assert.equal(model.notes.some((note) => note.includes('re-causalised')), recausalised);
      await model.close();
    }
  });

  it('opens a sidecar export as the original model with a plan', async () => {
    const plan = planFor([LOWPASS]);
    const model = await openModel(await variant({ metadata: metadataOf(plan, 'sidecar', 'true') }));
    assert.ok(model.sites.every((site) => site.storage === 'implicit' && site.embedded === undefined));
    assert.deepEqual(model.embeddedPlan, plan);
    assert.equal(model.recausalised, true);
    assert.ok(model.notes.some((note) => /sidecar, re-causalised/.test(note)));
    await model.close();
  });

  it('takes options from the embedded plan, unless the user gives others', async () => {
    const file = await variant({ metadata: metadataOf(planFor([LOWPASS], { shift: 0 }), 'sidecar') });
    for (const [given, value, source] of [[undefined, 0, /plan in the file/], [{ shift: 0.05 }, 0.05, /user/]] as const) {
      const model = await openModel(file, given);
      assert.equal(model.options[0].value, value);
      assert.match(model.options[0].source, source);
      await model.close();
    }
  });

  describe('refuses', () => {
    const put = [f32(BAKED_NAME, [H, TAPS], counted(TAPS))];
    const drop = GENERATOR_OF_LAYER_0;
    const good = planFor([{ partial: { taps: 8 } }]);
    const cases: readonly (readonly [what: string, changes: Changes, message: RegExp])[] = [
      ['a plan that is not JSON', { metadata: metadataOf('{"version": 1,') }, /damaged: its plan is not valid, .*not valid JSON/],
      ['a plan of another version', { metadata: metadataOf(JSON.stringify({ ...good, version: 2 })) }, /damaged: its plan is not valid, .*version/],
      ['a plan with a broken grid', { metadata: metadataOf(JSON.stringify(planFor([{ frequency: { ...LOWPASS.frequency!, grid: { ...GRID, factors: [16, 15] } } }]))) },
        /damaged: its plan is not valid, .*factors/],
      ['an unknown form', { metadata: metadataOf(good, 'melted') }, /damaged: "longconv\.surgeon\.form" is "melted"/],
      ['a missing form', { metadata: new Map([['longconv.surgeon.plan', JSON.stringify(good)]]) }, /"longconv\.surgeon\.form" is null/],
      ['a flag that is neither true nor false', { metadata: metadataOf(good, 'baked', 'yes') }, /"longconv\.surgeon\.recausalised" is "yes"/],
      ['a baked filter without a plan', { drop, put, metadata: new Map() }, /holds a changed filter for layers\.0\.mixer, but no plan/],
      ['a baked filter that the plan does not name', { drop, put, metadata: metadataOf({ ...good, sites: [] }) }, /holds a changed filter for layers\.0\.mixer, but no plan/],
      ['a baked filter of another height', { drop, put: [f32(BAKED_NAME, [H + 1, TAPS], 1)], metadata: metadataOf(good) }, /has shape \[33, 66\] where \[32, taps\] is needed/],
      ['circular lags of another grid', { drop, put, metadata: metadataOf(planFor([LOWPASS])) }, /has 66 lags, but the plan's grid has 256/],
      ['a baked filter beside the weights that it replaces', { put, metadata: metadataOf(good) }, /which this model has no place for/],
      ['a baked filter of a site that does not exist', { drop, put: [...put, f32('longconv.surgeon.layers.9.mixer.k', [H, TAPS], 1)], metadata: metadataOf(good) },
        /longconv\.surgeon\.layers\.9\.mixer\.k, which this model has no place for/],
    ];
    for (const [what, changes, message] of cases) {
      it(what, async () => {
        await assert.rejects(openModel(await variant(changes)), (error) => {
          assert.ok(error instanceof UserError, String(error));
          assert.match(error.message, message);
          assert.ok(error.message.includes(path.join(temporary.file('variant'), 'model.safetensors')));
          return true;
        });
      });
    }
  });
});
