import * as assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { LongConvModel } from '../../../extension/core/families/model';
import { openModel } from '../../../extension/core/families/registry';
import { defaultGrid } from '../../../extension/core/masks/grid';
import { measureMasks, siteFilter } from '../../../extension/core/plan/apply';
import type { ChannelMask, FrequencyMask, FrequencyPattern, Symmetry } from '../../../extension/core/plan/plan';
import { fixture } from '../support/files';
import { fft, spectralEngine } from './support/spectral-engine';
import { CHANNELS, FILTER, SITE, syntheticModel, TAPS } from './support/synthetic-model';

const SAMPLE = 'samples/hyenadna-tiny-1k-ecoli';
const GRID = { fftSize: 128, factors: [8, 16], taps: TAPS };
const comb = (rows: number, symmetry: Symmetry = 'conjugate'): FrequencyMask => ({ grid: GRID, symmetry, keep: { kind: 'comb', rows } });
const close = (actual: number, expected: number, relative: number, what: string): void =>
  assert.ok(Math.abs(actual - expected) <= relative * Math.abs(expected), `${what}: ${actual}, expected ${expected}`);

/** lags -N/2..N/2-1 of a masked row by a naive DFT sum over the kept bins. */
function maskedByDefinition(channel: number, n: number, gain: (f: number) => number): (lag: number) => number {
  const spectrum = Array.from({ length: n }, (_, f) => {
    let [re, im] = [0, 0];
    for (let j = 0; j < TAPS; j++) {
      re += FILTER[channel * TAPS + j] * Math.cos((2 * Math.PI * f * j) / n);
      im -= FILTER[channel * TAPS + j] * Math.sin((2 * Math.PI * f * j) / n);
    }
    return [re * gain(f), im * gain(f)];
  });
  return (lag) => spectrum.reduce((sum, [re, im], f) => sum + re * Math.cos((2 * Math.PI * f * lag) / n) - im * Math.sin((2 * Math.PI * f * lag) / n), 0) / n;
}

describe('masks applied to a site', () => {
  const model = syntheticModel();
  const apply = (masks: ChannelMask[], recausalise = false) => siteFilter(model, SITE, masks, spectralEngine, { recausalise });

  it('leave the filter as it is where there are none', async () => {
    const { parts, measures } = await apply([]);
    assert.deepEqual(parts, [{ channels: [0, CHANNELS], masked: false, mode: 'causal', filterLength: TAPS, rows: FILTER }]);
    assert.deepEqual(measures, { filterError: 0, leak: 0, keptBins: 1, keptTaps: 1 });
  });

  it('are refused where the filter has no finite values, which every mask would seem to keep', async () => {
    for (const value of [NaN, Infinity]) {
      const broken: LongConvModel = { ...model, filter: async () => FILTER.map((tap, i) => (i === TAPS - 1 ? value : tap)) };
      for (const masks of [[], [{ partial: { taps: 10 } }], [{ frequency: comb(3) }]]) {
        await assert.rejects(siteFilter(broken, SITE, masks, spectralEngine, { recausalise: false }), /not finite numbers \(NaN or infinite\)/);
      }
    }
  });

  it('of frequency give N circular lags and the kept bins, as the definition says', async () => {
    const { parts, measures } = await apply([{ frequency: comb(3, 'gain') }]);
    assert.equal(parts.length, 1);
    const { mode, filterLength, rows, grid } = parts[0];
    assert.deepEqual([mode, filterLength, rows.length], ['grid', 128, CHANNELS * 128]);
    assert.deepEqual({ fftSize: grid?.fftSize, factors: grid?.factors }, { fftSize: 128, factors: [8, 16] });
    // Comb rows 0, 1, 2 as drawn; their mirrors are rows 0, 7, 6.
    const gain = (f: number): number => [1, 0.5, 0.5, 0, 0, 0, 0.5, 0.5][f % 8];
    assert.deepEqual([...(grid?.kept ?? [])], Array.from({ length: 65 }, (_, f) => (gain(f) > 0 ? 1 : 0)));
    assert.equal(measures.keptBins, 5 / 8);
    const energies = { error: 0, original: 0, leak: 0, masked: 0 };
    for (let c = 0; c < CHANNELS; c++) {
      const expected = maskedByDefinition(c, 128, gain);
      for (let j = 0; j < 128; j++) {
        const lag = j < 64 ? j : j - 128;
        const value = expected(lag);
        assert.ok(Math.abs(rows[c * 128 + j] - value) < 1e-7, `channel ${c} lag ${lag}`);
        energies.masked += value ** 2;
        energies.leak += lag < 0 ? value ** 2 : 0;
        energies.original += j < TAPS ? FILTER[c * TAPS + j] ** 2 : 0;
        energies.error += j < TAPS ? (value - FILTER[c * TAPS + j]) ** 2 : 0;
      }
    }
    close(measures.leak, energies.leak / energies.masked, 1e-9, 'leak');
    close(measures.filterError, Math.sqrt(energies.error / energies.original), 1e-9, 'filter error');
  });

  it('of frequency, re-causalised, give the lags 0..taps-1 of the same filter and report what it leaked before', async () => {
    const raw = await apply([{ frequency: comb(3) }]);
    const { parts, measures } = await apply([{ frequency: comb(3) }], true);
    assert.deepEqual({ ...parts[0], rows: undefined }, { channels: [0, CHANNELS], masked: true, mode: 'causal', filterLength: TAPS, rows: undefined });
    for (let c = 0; c < CHANNELS; c++) {
      assert.deepEqual(parts[0].rows.subarray(c * TAPS, (c + 1) * TAPS), raw.parts[0].rows.subarray(c * 128, c * 128 + TAPS));
    }
    assert.deepEqual(measures, raw.measures);
    assert.ok(measures.leak > 0.01);
  });

  it('of frequency see only the first taps of a smaller grid', async () => {
    const grid = { fftSize: 32, factors: [4, 8], taps: 16 };
    const { parts, measures } = await apply([{ frequency: { grid, symmetry: 'conjugate', keep: { kind: 'block', counts: [4, 8] } } }], true);
    assert.equal(parts[0].filterLength, 16);
    for (let c = 0; c < CHANNELS; c++) {
      parts[0].rows.subarray(16 * c, 16 * c + 16).forEach((value, j) => close(value, FILTER[c * TAPS + j], 1e-6, `lag ${j}`));
    }
    assert.ok(measures.filterError < 1e-12, 'the error is over the lags of the grid');
  });

  it('of taps give K weighted lags with the error over all taps', async () => {
    const { parts, measures } = await apply([{ partial: { taps: 10, taper: 1 } }]);
    assert.deepEqual([parts[0].mode, parts[0].filterLength], ['causal', 10]);
    let [error, energy] = [0, 0];
    FILTER.forEach((value, i) => {
      const weight = i % TAPS < 9 ? 1 : i % TAPS === 9 ? 0.5 : 0;
      if (i % TAPS < 10) assert.equal(parts[0].rows[Math.floor(i / TAPS) * 10 + (i % TAPS)], Math.fround(value * weight));
      error += (value * (weight - 1)) ** 2;
      energy += value ** 2;
    });
    close(measures.filterError, Math.sqrt(error / energy), 1e-12, 'filter error');
    assert.deepEqual([measures.leak, measures.keptTaps, measures.keptBins], [0, 10 / TAPS, 1]);
  });

  it('of both are the frequency mask cut to K lags, which leaks nothing', async () => {
    const raw = await apply([{ frequency: comb(3) }]);
    const { parts, measures } = await apply([{ frequency: comb(3), partial: { taps: 12 } }]);
    assert.deepEqual([parts[0].mode, parts[0].filterLength, parts[0].grid], ['causal', 12, undefined]);
    for (let c = 0; c < CHANNELS; c++) {
      assert.deepEqual(parts[0].rows.subarray(12 * c, 12 * c + 12), raw.parts[0].rows.subarray(128 * c, 128 * c + 12));
    }
    assert.equal(measures.leak, 0);
    assert.deepEqual(await apply([{ frequency: comb(3), partial: { taps: 12 } }], true), await apply([{ frequency: comb(3), partial: { taps: 12 } }]));
  });

  it('of channel ranges leave the others dense and weigh the measures by energy and channels', async () => {
    const { parts, measures } = await apply([{ channels: [1, 3], frequency: comb(2) }, { channels: [5, 6], partial: { taps: 5 } }]);
    assert.deepEqual(parts.map(({ channels, mode, masked }) => [...channels, mode, masked]), [
      [0, 1, 'causal', false], [1, 3, 'grid', true], [3, 5, 'causal', false], [5, 6, 'causal', true], [6, 7, 'causal', false],
    ]);
    assert.deepEqual(parts[2].rows, FILTER.subarray(3 * TAPS, 5 * TAPS));
    close(measures.keptBins, (5 + 2 * 3 / 8) / CHANNELS + 0, 1e-12, 'kept bins');
    close(measures.keptTaps, (6 + 5 / TAPS) / CHANNELS, 1e-12, 'kept taps');
    const alone = await apply([{ frequency: comb(2) }]);
    assert.ok(measures.filterError > 0 && measures.filterError < alone.measures.filterError);
    assert.ok(measures.leak > 0 && measures.leak < alone.measures.leak);
  });

  it('are measured over sampled channels as over the site', async () => {
    const masks: ChannelMask[] = [{ channels: [1, 3], frequency: comb(2) }, { channels: [3, 6], frequency: comb(5), partial: { taps: 20, taper: 3 } }];
    const whole = await apply(masks);
    const sampled = await measureMasks(SITE, masks, [{ channels: [...Array(CHANNELS).keys()], rows: FILTER }], spectralEngine);
    for (const name of ['filterError', 'leak', 'keptBins', 'keptTaps'] as const) close(sampled[name], whole.measures[name], 1e-12, name);
    const two = await measureMasks(SITE, masks, [{ channels: [0, 4], rows: Float32Array.of(...FILTER.subarray(0, TAPS), ...FILTER.subarray(4 * TAPS, 5 * TAPS)) }], spectralEngine);
    assert.equal(two.keptTaps, whole.measures.keptTaps, 'what is kept needs no sample');
  });
});

describe('masks on the sample model', () => {
  interface Row { readonly mask: string; readonly kept: number; readonly sites: readonly { readonly site: number; readonly leak: number; readonly filterError: number }[] }
  const { rows } = JSON.parse(readFileSync(fixture(`${SAMPLE}/reference-masks.json`), 'utf8')) as { rows: Row[] };
  let model: LongConvModel;
  before(async () => { model = await openModel(fixture(`${SAMPLE}/model.safetensors`)); });
  after(() => model.close());

  for (const row of rows) {
    it(`${row.mask}: kept bins, leak and filter error as PyTorch computed them`, async () => {
      const [kind, value, symmetry] = row.mask.split(':');
      const keep: FrequencyPattern = kind === 'block' ? { kind, counts: value.split('.').map(Number) } : { kind: 'lowpass', fraction: Number(value) };
      for (const expected of row.sites) {
        const site = model.sites[expected.site];
        const grid = defaultGrid({ siteTaps: site.taps, maxLength: model.maxLength });
        const masks = [{ frequency: { grid, symmetry: symmetry as Symmetry, keep } }];
        const { measures, parts } = await siteFilter(model, site, masks, spectralEngine, { recausalise: false });
        assert.equal(measures.keptBins, row.kept);
        if (row.kept === 1) {
          assert.ok(measures.leak < 1e-12 && measures.filterError < 1e-12);
        } else {
          close(measures.leak, expected.leak, 1e-3, 'leak');
          close(measures.filterError, expected.filterError, 1e-3, 'filter error');
        }
        // The first row's spectrum is the original's times a gain of 0 or more, and 0 exactly where the kernels skip.
        const re = Float64Array.from(parts[0].rows.subarray(0, grid.fftSize));
        const im = new Float64Array(grid.fftSize);
        const size = Math.sqrt(re.reduce((sum, x) => sum + x * x, 0) * grid.fftSize);
        fft(re, im, -1);
        parts[0].grid!.kept.forEach((kept, f) => assert.ok(kept === 1 || Math.hypot(re[f], im[f]) < 1e-6 * size, `bin ${f}`));
        assert.ok(size > 0);
      }
    });
  }
});
