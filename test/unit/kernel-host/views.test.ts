import assert from 'node:assert/strict';
import { loadEngine } from '../../../extension/kernel-host/addon';
import { siteFilter } from '../../../extension/core/plan/apply';
import type { LongConvModel, Site } from '../../../extension/core/families/model';
import type { ChannelMask, MonarchGrid } from '../../../extension/core/plan/plan';
import type { MinMax } from '../../../extension/core/protocol/kernel-host';
import { measure } from '../../../extension/kernel-host/jobs/measure';
import { preview } from '../../../extension/kernel-host/jobs/preview';
import { decimate } from '../../../extension/kernel-host/views/decimate';
import { FilterStore } from '../../../extension/kernel-host/views/filter-store';
import { cellHeatmap, timeHeatmap } from '../../../extension/kernel-host/views/heatmaps';
import { frequencySeries, timeSeries } from '../../../extension/kernel-host/views/series';

const GRID: MonarchGrid = { fftSize: 128, factors: [16, 8], taps: 50 };
const COMB: ChannelMask = { frequency: { grid: GRID, symmetry: 'conjugate', keep: { kind: 'comb', rows: 5 } } };

interface Asked { readonly channels: readonly [number, number]; readonly taps: readonly [number, number] }

/** A site whose filter is cos(0.3 (c + 1) j) exp(-j / 20), and the pieces that were made of it. */
function siteOf(shape: Partial<Site>): { site: Site; model: LongConvModel; asked: Asked[]; value: (channel: number, column: number) => number } {
  const site = { id: 'site', layer: 0, channels: 6, taps: 50, direction: 'causal', storage: 'explicit', writeBack: [], filterTensors: [], ...shape } as unknown as Site;
  const value = (c: number, j: number): number => Math.fround(Math.cos(0.3 * (c + 1) * j) * Math.exp(-j / 20));
  const asked: Asked[] = [];
  const filter = (_id: string, range: Asked): Promise<Float32Array> => {
    asked.push(range);
    const width = range.taps[1] - range.taps[0];
    return Promise.resolve(Float32Array.from({ length: (range.channels[1] - range.channels[0]) * width }, (_, i) => value(range.channels[0] + Math.floor(i / width), range.taps[0] + (i % width))));
  };
  return { site, model: { filter } as unknown as LongConvModel, asked, value };
}

/** |sum_j k[j] exp(-2 pi i f j / N)| in float64, by the definition. */
function magnitude(k: readonly number[], f: number, fftSize: number): number {
  let [re, im] = [0, 0];
  k.forEach((value, j) => { re += value * Math.cos((2 * Math.PI * f * j) / fftSize); im -= value * Math.sin((2 * Math.PI * f * j) / fftSize); });
  return Math.hypot(re, im);
}

function near(actual: ArrayLike<number>, expected: readonly number[]): void {
  const size = Math.hypot(...expected);
  assert.ok(size > 0);
  assert.equal(actual.length, expected.length);
  assert.ok(Math.hypot(...expected.map((value, i) => value - actual[i])) <= 1e-5 * size, `${Array.from(actual).join(' ')}\n${expected.join(' ')}`);
}
const flat = ({ min, max }: MinMax): number[] => { assert.deepEqual(min, max); return [...max]; };

describe('what the plots get', () => {
  const engine = loadEngine();

  it('columns hold the smallest and largest value, on rings and outside of rows too', () => {
    const values = Float32Array.from({ length: 12 }, (_, i) => i + 1);
    assert.deepEqual(decimate({ values, first: 3 }, 0, 18, 6), { x: Float64Array.of(0, 3, 6, 9, 12, 15), min: Float32Array.of(0, 1, 4, 7, 10, 0), max: Float32Array.of(0, 3, 6, 9, 12, 0) });
    assert.deepEqual(decimate({ values, ring: true }, -8, 8, 4), { x: Float64Array.of(-8, -4, 0, 4), min: Float32Array.of(0, 9, 1, 0), max: Float32Array.of(8, 12, 4, 6) });
  });

  it('frequencies: the spectrum by its definition; under a frequency mask, times the gain; cut in time, of the cut filter', async () => {
    const { site, model, value } = siteOf({});
    const store = await FilterStore.create(model, site, engine);
    const k = Array.from({ length: 50 }, (_, j) => value(2, j));
    const request = { model: '', site: 'site', channel: 2, range: [0, 65] as const, columns: 65, fftSize: 128 };
    const bins = Array.from({ length: 65 }, (_, f) => f);
    const dense = bins.map((f) => magnitude(k, f, 128));
    const combed = await frequencySeries(store, { ...request, masks: [COMB] }, engine);
    near(flat(combed.original), dense);
    // A bin and its mirror are kept together, so row n1 < 5 keeps the mirrors 12..15 too.
    const gain = bins.map((f) => (f % 16 < 5 || f % 16 > 11 ? 1 : 0));
    assert.deepEqual(flat(combed.gain!), gain);
    near(flat(combed.masked!), dense.map((level, f) => level * gain[f]));
    const cut = await frequencySeries(store, { ...request, masks: [{ partial: { taps: 20 } }] }, engine);
    near(flat(cut.masked!), bins.map((f) => magnitude(k.slice(0, 20), f, 128)));
    // Both masks at once, by the transform of the masked row.
    const both = await frequencySeries(store, { ...request, masks: [{ ...COMB, partial: { taps: 50 } }] }, engine);
    assert.ok(flat(both.masked!).every((level, f) => gain[f] === 1 || level < dense[f]));
    await store.close();
  });

  it('lags: the masked filter and what it leaks; without negative lags in view the re-causalised one is the same', async () => {
    const { site, model, value } = siteOf({});
    const store = await FilterStore.create(model, site, engine);
    const request = { model: '', site: 'site', channel: 1, columns: 200, masks: [COMB] };
    const shown = await timeSeries(store, { ...request, range: [-40, 50] }, engine);
    near(flat(shown.original), Array.from({ length: 90 }, (_, i) => (i < 40 ? 0 : value(1, i - 40))));
    const masked = flat(shown.masked!);
    assert.ok(Math.hypot(...masked.slice(0, 40)) > 1e-3 * Math.hypot(...masked), 'a comb leaks');
    assert.deepEqual(flat(shown.recausalised!), masked.map((level, i) => (i < 40 ? 0 : level)));
    const causal = await timeSeries(store, { ...request, range: [0, 50] }, engine);
    assert.deepEqual(flat(causal.masked!), masked.slice(40));
    assert.deepEqual(causal.recausalised, causal.masked);
    await store.close();
  });

  it('of a very long stored site only the rows in view are made, in messages that do not grow with it', async () => {
    const { site, model, asked } = siteOf({ channels: 256, taps: 1_000_000 });
    const store = await FilterStore.create(model, site, engine);
    const grid: MonarchGrid = { fftSize: 2 ** 20, factors: [32, 32, 32, 32], taps: 2 ** 19 };
    const masks: ChannelMask[] = [{ frequency: { grid, symmetry: 'conjugate', keep: { kind: 'lowpass', fraction: 0.4 } } }];
    let maskings = 0;
    const counted = { ...engine, maskFilter: (request: Parameters<typeof engine.maskFilter>[0]) => { maskings++; return engine.maskFilter(request); } };
    const [time, frequency, figures] = await Promise.all([
      timeSeries(store, { model: '', site: 'site', channel: 7, range: [0, 1_000_000], columns: 900, masks }, counted),
      frequencySeries(store, { model: '', site: 'site', channel: 7, range: [0, 2 ** 19 + 1], columns: 900, masks, fftSize: 2 ** 20 }, counted),
      preview(store, { model: '', site: 'site', channel: 7, masks, maxChannels: 64, length: 2 ** 19 }, counted),
    ]);
    assert.equal(maskings, 1, 'one masked row serves both plots and the figures');
    assert.deepEqual(asked.map(({ channels }) => channels), [[4, 8]]);
    const bytes = [time, frequency].flatMap(Object.values).reduce<number>((sum, part: MinMax | Float64Array | undefined) => sum + (!part ? 0 : 'min' in part ? part.min.byteLength + part.max.byteLength : part.byteLength), 0);
    assert.ok(bytes > 10_000 && bytes < 100_000, `${bytes} bytes`);
    assert.deepEqual([figures.sampledChannels, figures.channels], [1, 256]);
    assert.ok(figures.measures.filterError > 0 && figures.measures.leak > 0);
    assert.ok(figures.preparedBytes.dense > 0 && figures.preparedBytes.masked > 0);
    await store.close();
  });

  it('figures of a long site: of the channel in view at once, then exactly those of the whole plan, unless newer masks were asked about', async () => {
    const { site, model } = siteOf({ channels: 9, taps: 2 ** 17 });
    const store = await FilterStore.create(model, site, engine);
    const grid: MonarchGrid = { fftSize: 2 ** 18, factors: [64, 64, 64], taps: 2 ** 17 };
    const masks: ChannelMask[] = [
      { channels: [0, 4], frequency: { grid, symmetry: 'conjugate', keep: { kind: 'lowpass', fraction: 0.1 } } }, { channels: [6, 9], partial: { taps: 30 } },
    ];
    const request = { model: '', site: 'site', channel: 1, masks, maxChannels: 64, length: 2 ** 17 };
    const estimate = await preview(store, request, engine);
    assert.deepEqual([estimate.sampledChannels, estimate.channels], [2, 9]);
    const exact = await measure(store, { masks }, engine);
    const { measures } = await siteFilter(model, site, masks, engine, { recausalise: false });
    for (const name of ['filterError', 'leak', 'keptBins', 'keptTaps'] as const) {
      assert.ok(measures[name] > 0 && Math.abs(exact![name] - measures[name]) <= 1e-9 * measures[name], `${name}: ${exact![name]}, not ${measures[name]}`);
    }
    assert.notEqual(estimate.measures.filterError, exact!.filterError);
    const [old] = await Promise.all([measure(store, { masks }, engine), preview(store, request, engine)]);
    assert.equal(old, null);
    const dense = await preview(store, { ...request, masks: [] }, engine);
    assert.deepEqual([dense.measures, dense.sampledChannels], [{ filterError: 0, leak: 0, keptBins: 1, keptTaps: 1 }, 9], 'nothing to estimate without masks');
    await store.close();
  });

  it('names the kernel of a mask, and says of a low-pass only above a third that it saves no time', async () => {
    const { site, model } = siteOf({ channels: 4, taps: 32768 });
    const store = await FilterStore.create(model, site, engine);
    const grid: MonarchGrid = { fftSize: 65536, factors: [64, 32, 32], taps: 32768 };
    for (const [fraction, algorithm, pays] of [[1 / 16, 'decimated FFT', true], [1 / 4, 'decimated FFT', true], [1 / 2, 'right-angle FFT', false]] as const) {
      const masks: ChannelMask[] = [{ frequency: { grid, symmetry: 'conjugate', keep: { kind: 'lowpass', fraction } } }];
      const { kernel, predictedSpeedup, advice, preparedBytes } = await preview(store, { model: '', site: 'site', masks, maxChannels: 1, length: 32768 }, engine);
      assert.match(kernel, new RegExp(`^${algorithm}, \\d+% of the dense arithmetic$`));
      assert.equal(predictedSpeedup > 1.3, pays, `${fraction}: ${predictedSpeedup}`);
      assert.equal(preparedBytes.masked < 0.6 * preparedBytes.dense, pays);
      if (pays) assert.equal(advice, undefined);
      else assert.match(advice!, /^This pattern saves no time on this kernel: it keeps bins of every comb row, some of them high/);
    }
    await store.close();
  });

  it('does not advise a low-pass to whoever drew one: on a short input it saves no time', async () => {
    const { site, model } = siteOf({ channels: 4, taps: 1024 });
    const store = await FilterStore.create(model, site, engine);
    const grid: MonarchGrid = { fftSize: 2048, factors: [16, 16, 8], taps: 1024 };
    const masks: ChannelMask[] = [{ frequency: { grid, symmetry: 'conjugate', keep: { kind: 'lowpass', fraction: 0.25 } } }];
    const { advice } = await preview(store, { model: '', site: 'site', masks, maxChannels: 1, length: 1024 }, engine);
    assert.match(advice!, /^This low-pass saves no time on this kernel: the input is too short/);
    await store.close();
  });

  it('maps: every channel and cell, made once', async () => {
    const { site, model, asked } = siteOf({ storage: 'implicit' });
    const store = await FilterStore.create(model, site, engine);
    const time = await timeHeatmap(store, 6, 50);
    const peak = 1;
    for (const [c, j] of [[0, 0], [3, 17], [5, 49]]) {
      const expected = Math.max(-120, 20 * Math.log10(Math.abs(Math.fround(Math.cos(0.3 * (c + 1) * j) * Math.exp(-j / 20))) / peak));
      assert.ok(Math.abs(time.values[c * 50 + j] - expected) < 1e-3);
    }
    assert.deepEqual(asked, [{ channels: [0, 6], taps: [0, 50] }]);
    const cells = await cellHeatmap(store, GRID, engine);
    assert.deepEqual([cells.rows, cells.columns, Math.max(...cells.values)], [16, 8, 0]);
    assert.equal(await cellHeatmap(store, GRID, engine), cells);
    await store.close();
  });
});
