import * as assert from 'node:assert/strict';
import type { LongConvModel } from '../../../extension/core/families/model';
import { measureMasks, siteFilter } from '../../../extension/core/plan/apply';
import { bakedTensor } from '../../../extension/core/plan/baked';
import type { ChannelMask } from '../../../extension/core/plan/plan';
import { assertClose } from '../graph/support/measure';
import { fft, spectralEngine } from './support/spectral-engine';
import { CHANNELS, ringValue, twoSided } from './support/two-sided';

const keepAll = { recausalise: false };
const comb = (fftSize: number, factors: number[], taps: number, rows = 3): ChannelMask =>
  ({ frequency: { grid: { fftSize, factors, taps }, symmetry: 'conjugate', keep: { kind: 'comb', rows } } });

describe('masks on bidirectional sites', () => {
  const TAPS = 20;
  const { site, rows, model } = twoSided('bidirectional', TAPS);

  it('leave 2L columns as they are where there are none', async () => {
    const { parts, measures } = await siteFilter(model, site, [], spectralEngine, keepAll);
    assert.deepEqual(parts, [{ channels: [0, CHANNELS], masked: false, mode: 'bidirectional', filterLength: 2 * TAPS, rows }]);
    assert.deepEqual(measures, { filterError: 0, leak: 0, keptBins: 1, keptTaps: 1 });
  });

  it('of time keep the lags on both sides below K, tapered alike, and leak nothing', async () => {
    const { parts, measures } = await siteFilter(model, site, [{ partial: { taps: 7, taper: 2 } }], spectralEngine, keepAll);
    const [{ mode, filterLength, rows: kept }] = parts;
    assert.deepEqual([mode, filterLength], ['bidirectional', 14]);
    const weight = (lag: number): number => [1, 1, 1, 1, 1, 0.75, 0.25][Math.abs(lag)] ?? 0;
    for (let c = 0; c < CHANNELS; c++) {
      for (let lag = -7; lag < 7; lag++) {
        const expected = Math.fround(weight(lag) * ringValue(rows, 2 * TAPS, c, lag));
        assert.ok(Math.abs(ringValue(kept, 14, c, lag) - expected) <= 1e-7, `lag ${lag}`);
      }
    }
    assert.equal(measures.leak, 0);
    assert.ok(Math.abs(measures.keptTaps - 7 / TAPS) < 1e-12);
    assert.ok(measures.filterError > 0.5 && measures.filterError < 1);
  });

  it('of frequency act on the ring of the grid, and leak nothing, re-causalised or not', async () => {
    const { parts, measures } = await siteFilter(model, site, [comb(64, [8, 8], TAPS)], spectralEngine, keepAll);
    const [{ mode, filterLength, rows: masked, grid }] = parts;
    assert.deepEqual([mode, filterLength], ['grid', 64]);
    for (let c = 0; c < CHANNELS; c++) {
      const re = new Float64Array(64);
      for (let lag = -TAPS; lag < TAPS; lag++) re[(lag + 64) % 64] = ringValue(rows, 2 * TAPS, c, lag);
      const im = new Float64Array(64);
      fft(re, im, -1);
      // Rows 0, 1, 2 and their mirrors 0, 7, 6 of f mod 8.
      for (let f = 0; f < 64; f++) if (![0, 1, 2, 6, 7].includes(f % 8)) re[f] = im[f] = 0;
      fft(re, im, 1);
      assertClose(masked.subarray(c * 64, (c + 1) * 64), re.map((value) => value / 64), 1e-6);
    }
    assert.equal(grid?.kept.reduce((a, b) => a + b), 4 * 5 + 1);
    assert.equal(measures.leak, 0);
    assert.deepEqual(await siteFilter(model, site, [comb(64, [8, 8], TAPS)], spectralEngine, { recausalise: true }), { site, parts, measures });
  });

  it('of frequency and time act in this order', async () => {
    const [{ rows: masked }] = (await siteFilter(model, site, [comb(64, [8, 8], TAPS)], spectralEngine, keepAll)).parts;
    const [{ rows: both, filterLength }] = (await siteFilter(model, site, [{ ...comb(64, [8, 8], TAPS), partial: { taps: 5 } }], spectralEngine, keepAll)).parts;
    assert.equal(filterLength, 10);
    for (let c = 0; c < CHANNELS; c++) {
      for (let lag = -4; lag < 5; lag++) assert.equal(ringValue(both, 10, c, lag), ringValue(masked, 64, c, lag));
      assert.ok(ringValue(both, 10, c, -5) === 0);
    }
  });

  const CASES: readonly (readonly [what: string, masks: ChannelMask[]])[] = [
    ['time', [{ partial: { taps: 6 } }]],
    ['frequency', [comb(64, [8, 8], TAPS)]],
    ['a small grid on some channels', [{ channels: [1, 2], ...comb(32, [8, 4], 16) }]],
    ['channel ranges of each', [{ channels: [0, 1], ...comb(64, [8, 8], TAPS) }, { channels: [1, 2], partial: { taps: 9, taper: 3 } }]],
  ];
  for (const [what, masks] of CASES) {
    it(`of ${what} re-open from a baked tensor bit for bit, and are measured over sampled channels as over the site`, async () => {
      const planned = await siteFilter(model, site, masks, spectralEngine, keepAll);
      const baked = bakedTensor(planned, site);
      const reopened: LongConvModel = {
        ...model,
        file: { ...model.file, tensors: new Map([['b', { name: 'b', dtype: 'F32', shape: baked.shape, byteLength: baked.rows.byteLength }]]), readFloat32: async (_, begin, end) => baked.rows.slice(begin, end) },
      };
      const embedded = { ...site, embedded: { tensor: 'b', circular: baked.circular, channelMasks: masks } };
      const again = await siteFilter(reopened, embedded, [], spectralEngine, keepAll);
      assert.deepEqual(again.parts, planned.parts);
      assert.equal(again.measures.leak, 0);
      const measured = await measureMasks(site, masks, [{ channels: [0, 1, 2], rows }], spectralEngine);
      for (const name of ['filterError', 'leak', 'keptBins', 'keptTaps'] as const) assert.ok(Math.abs(measured[name] - planned.measures[name]) <= 1e-12);
    });
  }
});

describe('masks on circular sites', () => {
  const { site, rows, model } = twoSided('circular', 32);

  it('of time keep the lags below K both ways around the ring', async () => {
    const { parts, measures } = await siteFilter(model, site, [{ partial: { taps: 4 } }], spectralEngine, keepAll);
    const [{ mode, filterLength, reach, rows: kept }] = parts;
    assert.deepEqual([mode, filterLength, reach], ['circular', 32, 4]);
    kept.forEach((value, i) => assert.ok(value === (Math.min(i % 32, 32 - (i % 32)) < 4 ? rows[i] : 0), `column ${i}`));
    assert.equal(measures.keptTaps, 7 / 32);
    assert.equal(measures.leak, 0);
  });

  it('of frequency act on the ring itself', async () => {
    const { parts, measures } = await siteFilter(model, site, [comb(32, [8, 4], 32, 1)], spectralEngine, keepAll);
    const [{ mode, filterLength, rows: masked }] = parts;
    assert.deepEqual([mode, filterLength], ['circular', 32]);
    // Every eighth bin alone repeats every 4 lags: each is the sum of the lags that are 4 apart, over 8.
    for (let c = 0; c < CHANNELS; c++) {
      for (let lag = 0; lag < 32; lag++) {
        let expected = 0;
        for (let i = 0; i < 8; i++) expected += rows[c * 32 + ((lag + 4 * i) % 32)] / 8;
        assert.ok(Math.abs(masked[c * 32 + lag] - expected) < 1e-6);
      }
    }
    assert.equal(measures.keptBins, 4 / 32);
    assert.equal(measures.leak, 0);
  });
});
