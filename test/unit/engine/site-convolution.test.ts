import * as assert from 'node:assert/strict';
import type { Engine } from '../../../extension/core/engine/engine';
import { predictSeconds, SiteConvolution } from '../../../extension/core/engine/site-convolution';
import { siteFilter } from '../../../extension/core/plan/apply';
import type { ChannelMask } from '../../../extension/core/plan/plan';
import { assertClose, noise } from '../graph/support/measure';
import { spectralEngine } from '../plan/support/spectral-engine';
import { CHANNELS, directConvolution, ringValue, twoSided } from '../plan/support/two-sided';

/** An engine whose cost model makes one of the two ways of running a two-sided filter the cheaper one. */
const preferring = (mode: 'causal' | 'other'): Engine => ({
  ...spectralEngine,
  predict: (spec, ...rest) => ({ ...spectralEngine.predict(spec, ...rest), seconds: (spec.mode === 'causal') === (mode === 'causal') ? 1 : 2 }),
});

const BATCH = 2;
function callOf(length: number) {
  const size = BATCH * CHANNELS * length;
  return { input: noise(size, 1), batch: BATCH, length, preGate: noise(size, 2), postGate: noise(size, 3), skip: noise(CHANNELS, 4) };
}

async function run(engine: Engine, target: ReturnType<typeof twoSided>, masks: readonly ChannelMask[], length: number): Promise<[Float32Array, ReturnType<typeof callOf>]> {
  const filter = await siteFilter(target.model, target.site, masks, engine, { recausalise: false });
  const convolution = await SiteConvolution.prepare(engine, filter, length);
  const call = callOf(length);
  const output = new Float32Array(call.input.length);
  await convolution.run({ ...call, output });
  convolution.free();
  assert.ok(predictSeconds(engine, filter, 1, length, 1) > 0);
  return [output, call];
}

describe('convolutions with lags on both sides of 0', () => {
  for (const way of ['causal', 'other'] as const) {
    const engine = preferring(way);
    describe(way === 'causal' ? 'as a moved causal filter' : 'on a grid or ring', () => {
      for (const length of [20, 13, 1]) {
        it(`bidirectional, ${length} samples`, async () => {
          const target = twoSided('bidirectional', 20);
          const [output, call] = await run(engine, target, [], length);
          assertClose(output, directConvolution(call, (c, lag) => ringValue(target.rows, 40, c, lag)), 1e-6);
        });
      }

      it('bidirectional, cut to some lags, on inputs longer than the filter', async () => {
        const target = twoSided('bidirectional', 20);
        const [output, call] = await run(engine, target, [{ channels: [1, 3], partial: { taps: 6 } }], 20);
        assertClose(output, directConvolution(call, (c, lag) => (c === 0 || Math.abs(lag) < 6 ? ringValue(target.rows, 40, c, lag) : 0)), 1e-6);
        const [longer, longCall] = await run(engine, target, [{ partial: { taps: 6 } }], 90);
        assertClose(longer, directConvolution(longCall, (c, lag) => (Math.abs(lag) < 6 ? ringValue(target.rows, 40, c, lag) : 0)), 1e-6);
      });

      it('circular: whole, on a shorter ring, and cut to some lags', async () => {
        const target = twoSided('circular', 24);
        const around = (length: number, value: (c: number, n: number) => number) => (c: number, lag: number): number => value(c, ((lag % length) + length) % length);
        for (const length of [24, 17]) {
          const [output, call] = await run(engine, target, [], length);
          assertClose(output, directConvolution(call, around(length, (c, n) => target.rows[c * 24 + n])), 1e-6);
        }
        const [output, call] = await run(engine, target, [{ partial: { taps: 5 } }], 24);
        assertClose(output, directConvolution(call, around(24, (c, n) => (Math.min(n, 24 - n) < 5 ? target.rows[c * 24 + n] : 0))), 1e-6);
      });
    });
  }

  it('bidirectional, masked on a grid', async () => {
    const target = twoSided('bidirectional', 16);
    const grid = { fftSize: 32, factors: [8, 4], taps: 16 };
    const masks: ChannelMask[] = [{ frequency: { grid, symmetry: 'conjugate', keep: { kind: 'lowpass', fraction: 0.5 } } }];
    const [{ rows }] = (await siteFilter(target.model, target.site, masks, spectralEngine, { recausalise: false })).parts;
    const [output, call] = await run(spectralEngine, target, masks, 16);
    assertClose(output, directConvolution(call, (c, lag) => ringValue(rows, 32, c, lag)), 1e-6);
  });
});
