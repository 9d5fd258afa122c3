import * as assert from 'node:assert/strict';
import { siteFilter } from '../../../extension/core/plan/apply';
import { bakedTensor } from '../../../extension/core/plan/baked';
import type { ChannelMask, FrequencyMask } from '../../../extension/core/plan/plan';
import { spectralEngine } from './support/spectral-engine';
import { CHANNELS, SITE, syntheticModel, TAPS } from './support/synthetic-model';

const GRID = { fftSize: 128, factors: [8, 16], taps: TAPS };
const comb: FrequencyMask = { grid: GRID, symmetry: 'conjugate', keep: { kind: 'comb', rows: 3 } };
const block: FrequencyMask = { grid: { fftSize: 64, factors: [8, 8], taps: 32 }, symmetry: 'gain', keep: { kind: 'block', counts: [4, 8] } };

const CASES: readonly (readonly [what: string, masks: ChannelMask[]])[] = [
  ['partial', [{ partial: { taps: 16, taper: 4 } }]],
  ['partial on some channels', [{ channels: [2, 4], partial: { taps: 16 } }]],
  ['frequency', [{ frequency: comb }]],
  ['frequency on some channels', [{ channels: [0, 3], frequency: comb }]],
  ['frequency then partial', [{ frequency: comb, partial: { taps: 20 } }]],
  ['all of it', [{ channels: [0, 2], frequency: comb }, { channels: [2, 3], partial: { taps: 9 } }, { channels: [4, 6], frequency: comb, partial: { taps: 20 } }]],
  ['two grids', [{ channels: [0, 2], frequency: block }, { channels: [3, 7], frequency: comb }]],
  ['a grid smaller than the taps, others dense', [{ channels: [0, 2], frequency: { ...comb, grid: { fftSize: 32, factors: [8, 4], taps: 16 } } }]],
];

describe('baked filters', () => {
  for (const [what, masks] of CASES) {
    for (const recausalise of [false, true]) {
      it(`of ${what}${recausalise ? ', re-causalised,' : ''} re-open as the parts of the plan, bit for bit`, async () => {
        const planned = await siteFilter(syntheticModel(), SITE, masks, spectralEngine, { recausalise });
        const baked = bakedTensor(planned, SITE);
        assert.equal(baked.shape[0], CHANNELS);
        assert.equal(baked.rows.length, baked.shape[0] * baked.shape[1]);
        assert.equal(baked.circular, planned.parts.some(({ mode }) => mode === 'grid'));
        const model = syntheticModel({ ...baked, masks });
        const reopened = await siteFilter(model, model.sites[0], [], spectralEngine, { recausalise });
        assert.deepEqual(reopened.parts, planned.parts);
        assert.ok(reopened.parts.every(({ rows }) => rows.some((value) => value !== 0)));
        assert.equal(reopened.measures.filterError, 0);
        assert.deepEqual([reopened.measures.keptBins, reopened.measures.keptTaps], [planned.measures.keptBins, planned.measures.keptTaps]);
        const leak = recausalise ? 0 : planned.measures.leak;
        assert.ok(Math.abs(reopened.measures.leak - leak) <= 1e-6 * leak, `leak ${reopened.measures.leak}, was ${leak}`);
      });
    }

    it(`of ${what} can be re-causalised after re-opening`, async () => {
      const raw = bakedTensor(await siteFilter(syntheticModel(), SITE, masks, spectralEngine, { recausalise: false }), SITE);
      const model = syntheticModel({ ...raw, masks });
      const reopened = await siteFilter(model, model.sites[0], [], spectralEngine, { recausalise: true });
      assert.deepEqual(reopened.parts, (await siteFilter(syntheticModel(), SITE, masks, spectralEngine, { recausalise: true })).parts);
    });
  }

  it('have N columns where they are circular, and the taps of the site otherwise', async () => {
    const shape = async (masks: ChannelMask[], recausalise: boolean): Promise<readonly number[]> =>
      bakedTensor(await siteFilter(syntheticModel(), SITE, masks, spectralEngine, { recausalise }), SITE).shape;
    assert.deepEqual(await shape([{ channels: [0, 3], frequency: comb }], false), [CHANNELS, 128]);
    assert.deepEqual(await shape([{ channels: [0, 3], frequency: comb }], true), [CHANNELS, TAPS]);
    assert.deepEqual(await shape([{ partial: { taps: 16 } }], false), [CHANNELS, TAPS]);
  });

  it('that are damaged are refused with a sentence', async () => {
    const reopen = async (shape: [number, number], masks: ChannelMask[]): Promise<unknown> => {
      const model = syntheticModel({ shape, circular: true, rows: new Float32Array(shape[0] * shape[1]), masks });
      return siteFilter(model, model.sites[0], [], spectralEngine, { recausalise: false });
    };
    await assert.rejects(reopen([CHANNELS, 64], [{ frequency: comb }]), /^UserError: The embedded filter baked of synthetic cannot be used: its rows have 64 values, but its masks need 128\.$/);
    await assert.rejects(reopen([3, 128], [{ frequency: comb }]), /its shape is \[3, 128\], but layers\.0\.mixer has 7 channels/);
  });
});
