import * as assert from 'node:assert/strict';
import type { Engine } from '../../../extension/core/engine/engine';
import type { Gpu } from '../../../extension/core/engine/gpu';
import { predictSeconds, SiteConvolution } from '../../../extension/core/engine/site-convolution';
import type { Direction, Site } from '../../../extension/core/families/model';
import { filterColumns } from '../../../extension/core/families/site-shape';
import { GpuSiteConvolution } from '../../../extension/core/gpu/site-convolution';
import { siteLimit } from '../../../extension/core/graph/run-length';
import { siteFilter } from '../../../extension/core/plan/apply';
import { filterOfRun } from '../../../extension/core/plan/filter-of-run';
import type { ChannelMask } from '../../../extension/core/plan/plan';
import type { SiteFilter } from '../../../extension/core/plan/site-filter';
import { filtersOfPieces } from '../../../extension/core/validation/long-windows';
import { assertClose, noise } from '../graph/support/measure';
import { ringOfShortRun } from '../plan/support/short-ring';
import { spectralEngine } from '../plan/support/spectral-engine';
import { CHANNELS, directConvolution, ringValue, twoSided } from '../plan/support/two-sided';

const TAPS = 20;
const CUT = 15;
const KINDS: readonly (readonly [direction: Direction, kind: NonNullable<Site['ringOfRun']>])[] = [['causal', 'wrapped'], ['bidirectional', 'wrapped'], ['bidirectional', 'cut']];
/** Whole; so short that the ring has fewer samples than the filter taps; one sample. */
const LENGTHS = [20, 19, 13, 7, 1];
const allKept: ChannelMask = { frequency: { grid: { fftSize: 64, factors: [8, 8], taps: TAPS }, symmetry: 'conjugate', keep: { kind: 'lowpass', fraction: 1 } } };
const onSomeChannels: ChannelMask = { channels: [1, 3], partial: { taps: CUT } };

/** The cost model prefers causal filters, or grids. */
const preferring = (mode: 'causal' | 'grid'): Engine => ({
  ...spectralEngine, predict: (spec, ...rest) => ({ ...spectralEngine.predict(spec, ...rest), seconds: (spec.mode === 'causal') === (mode === 'causal') ? 1 : 2 }),
});

const filterOf = ({ model, site }: ReturnType<typeof twoSided>, masks: readonly ChannelMask[]): Promise<SiteFilter> => siteFilter(model, site, masks, spectralEngine, { recausalise: false });

/** The original's kernel for n samples, of the site's rows after the cut on some channels. */
function original({ site, rows }: ReturnType<typeof twoSided>, n: number, cut: boolean): (channel: number, lag: number) => number {
  const columns = filterColumns(site);
  const lagOf = (column: number): number => (column < TAPS ? column : 2 * TAPS - column);
  const rings = Array.from({ length: CHANNELS }, (_, c) => {
    const row = rows.slice(c * columns, (c + 1) * columns).map((value, column) => (cut && c >= 1 && lagOf(column) >= CUT ? 0 : value));
    return ringOfShortRun(site.ringOfRun!, site.direction, row, n);
  });
  return (channel, lag) => rings[channel][lag < 0 ? 2 * n + lag : lag];
}

describe('convolutions of inputs shorter than a filter that the original code does not cut', () => {
  for (const [direction, kind] of KINDS) {
    const target = twoSided(direction, TAPS, { ringOfRun: kind });
    for (const n of LENGTHS) {
      for (const [what, masks, cut] of [['whole', [], false], ['cut on some channels', [onSomeChannels], true], ['all frequencies kept', [allKept], false]] as const) {
        it(`${direction}, ${kind}, ${n} samples, ${what}: what its ring gives`, async () => {
          const call = { input: noise(2 * CHANNELS * n, 1), batch: 2, length: n, preGate: noise(2 * CHANNELS * n, 2), skip: noise(CHANNELS, 4) };
          const expected = directConvolution(call, original(target, n, cut));
          const filter = await filterOf(target, masks);
          for (const engine of [preferring('causal'), preferring('grid')]) {
            const convolution = await SiteConvolution.prepare(engine, filter, n);
            const output = new Float32Array(call.input.length);
            await convolution.run({ ...call, output });
            convolution.free();
            assertClose(output, expected, 1e-6);
            assert.ok(predictSeconds(engine, filter, 1, n, 1) > 0);
          }
        });
      }
    }

    it(`${direction}, ${kind}: goes to the GPU as it acts`, async () => {
      const filter = await filterOf(target, []);
      const given: { fftSize: number; rows: Float32Array }[] = [];
      const gpu: Pick<Gpu, 'predictConvolution' | 'prepareConvolution'> = {
        predictConvolution: () => ({ algorithm: 'none', seconds: 1, preparedBytes: 0 }),
        prepareConvolution: async (spec, rows) => given.push({ fftSize: spec.grid!.fftSize, rows }),
      };
      await GpuSiteConvolution.prepare(gpu as Gpu, filter, 13, 'f16');
      const kernel = original(target, 13, false);
      const [{ fftSize, rows }] = given;
      const lags = Array.from({ length: CHANNELS * 25 }, (_, i) => [Math.floor(i / 25), (i % 25) - 12] as const);
      assertClose(lags.map(([c, lag]) => ringValue(rows, fftSize, c, lag)), lags.map(([c, lag]) => kernel(c, lag)), 1e-7);
    });
  }

  it('are bound to their length, where a cut does not leave fewer taps than that', async () => {
    const causal = twoSided('causal', TAPS, { ringOfRun: 'wrapped' });
    const limit = async (target: ReturnType<typeof twoSided>, masks: readonly ChannelMask[], length: number): Promise<readonly number[]> => {
      const { samples, minLength, maxLength } = siteLimit(await filterOf(target, masks), length);
      return [samples, minLength, maxLength];
    };
    assert.deepEqual(await limit(causal, [], 13), [13, 13, 13]);
    assert.deepEqual(await limit(causal, [], 25), [20, 20, 20]);
    assert.deepEqual(await limit(causal, [{ partial: { taps: CUT } }], 13), [13, 13, 13]);
    assert.deepEqual(await limit(causal, [{ partial: { taps: CUT } }], 100), [100, CUT, 100]);
    assert.deepEqual(await limit(causal, [onSomeChannels], 18), [18, 18, 18]);
    assert.deepEqual(await limit(twoSided('bidirectional', TAPS, { ringOfRun: 'wrapped' }), [{ partial: { taps: CUT } }], 100), [100, TAPS, 100]);
    assert.deepEqual(await limit(twoSided('causal', TAPS), [], 13), [13, 1, 13]);
  });

  it('act as the first samples of longer ones where they are pieces of them', async () => {
    const target = twoSided('causal', TAPS, { ringOfRun: 'wrapped' });
    const filter = await filterOf(target, []);
    const piece = filtersOfPieces(new Map([['site', filter]])).get('site')!;
    assert.equal(filterOfRun(piece, 7), piece);
    assert.deepEqual(piece.parts, filter.parts);
    assert.equal(siteLimit(piece, 13).minLength, 1);
  });
});
