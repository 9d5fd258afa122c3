import * as assert from 'node:assert/strict';
import type { ComplexArray, LowRankFilterRequest } from '../../extension/core/engine/engine';
import { Expected, withModel } from '../unit/families/golden';
import { filterRows } from '../unit/families/golden-runs';
import { assertClose } from '../unit/graph/support/measure';
import { lowRankFilter as reference } from '../unit/support/low-rank-reference';
import { engine } from './support/engine';
import { nodesFilter } from './support/low-rank-nodes';

/** Deterministic numbers in [from, to). */
function spread(count: number, from: number, to: number, step: number): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => from + (to - from) * (((i + 1) * step) % 1));
}

const complexes = (count: number, re: readonly [number, number], im: readonly [number, number], step = 0.6180339887): ComplexArray =>
  ({ re: spread(count, ...re, step), im: spread(count, ...im, step * 0.7548776662) });

interface Size { readonly channels?: number; readonly states: number; readonly rank?: number; readonly count: number }

/** Like a trained S4: poles with real parts about -1/2 and frequencies that grow with their number, and steps from 0.001 to 0.1. */
function request({ channels = 2, states, rank = 1, count }: Size, change: Partial<LowRankFilterRequest> = {}): LowRankFilterRequest {
  const all = channels * states;
  return {
    channels, states, rank, first: 0, count, output: new Float32Array(channels * count).fill(NaN),
    poles: { re: spread(all, -0.6, -0.4, 0.6180339887), im: Float64Array.from({ length: all }, (_, i) => 3.1 * (i % states) + 0.3) },
    lowRank: complexes(all * rank, [-1, 1], [-1, 1], 0.5698402910), inputs: complexes(all, [0.5, 1.5], [-0.5, 0.5]), outputs: complexes(all, [-1, 1], [-1, 1], 0.8191725134),
    steps: Float64Array.from({ length: channels }, (_, c) => 0.1 / 10 ** (c % 3)),
    ...change,
  };
}

async function evaluated(given: LowRankFilterRequest): Promise<Float32Array> {
  await engine.lowRankFilter(given);
  return given.output;
}

/** Compares with the equation, lag by lag; what is left is the rounding to float32. */
async function assertEqualsReference(given: LowRankFilterRequest): Promise<void> {
  const expected = new Float32Array(given.output.length);
  reference({ ...given, output: expected });
  assertClose(await evaluated(given), expected, 6e-8);
}

describe('filters of a diagonal state matrix plus low rank', () => {
  const cases: readonly (readonly [what: string, given: LowRankFilterRequest])[] = [
    ['one lag', request({ states: 4, count: 1 })],
    ['one state', request({ states: 1, count: 300 })],
    ['exactly a block', request({ states: 3, count: 256 })],
    ['several blocks, the last one cut', request({ channels: 3, states: 5, count: 1300 })],
    ['as many real states as a vector tile', request({ states: 8, count: 600 })],
    ['rank 2', request({ states: 6, rank: 2, count: 500 })],
    ['rank 3 of 3 states', request({ states: 3, rank: 3, count: 300 })],
    ['a range in the middle', request({ states: 4, count: 700 }, { first: 777 })],
    ['a range across two segments', request({ states: 2, count: 400 }, { first: 16_384 - 100 })],
    ['more lags than a segment', request({ channels: 1, states: 2, count: 20_000 })],
    ['an output matrix that is tuned to a power of two', request({ states: 4, count: 200 }, { tuned: 64 })],
    ['an output matrix that is tuned to another length', request({ states: 5, rank: 2, count: 200 }, { tuned: 1000 })],
    ['an output matrix that is tuned to one step', request({ states: 2, count: 40 }, { tuned: 1 })],
    ['as many states as S4 has', request({ channels: 1, states: 32, count: 400 }, { tuned: 1024 })],
  ];
  for (const [what, given] of cases) it(what, () => assertEqualsReference(given));

  it('equals the inverse transform of the generating function at the roots of unity', async () => {
    for (const rank of [1, 2]) {
      const given = request({ channels: 1, states: 6, rank, count: 101 }, { tuned: 101 });
      assertClose(await evaluated(given), nodesFilter(given), 1e-7);
    }
  });

  it('gives the filters of the original code', async () => {
    await withModel('s4-dplr-a', { l_max: 64 }, async (model) => {
      const { values, exact } = (await Expected.read('s4-dplr-a')).get('filters.k');
      assert.ok(exact);
      assertClose(await filterRows(model, 'layer', 0, 64, engine), values, 1e-7);
    });
    await withModel('sashimi-a', undefined, async (model) => {
      const expected = await Expected.read('sashimi-a');
      for (const { id } of model.sites) {
        const { values, exact } = expected.get(`filters.${id}.layer.layer.kernel.k`);
        // Where only the float32 run is there, its own noise is 6e-6 (README of the golden cases).
        assertClose(await filterRows(model, id, 0, undefined, engine), values, exact ? 1e-7 : 3e-5);
      }
    });
  });

  it('does not lose accuracy far from lag 0', async () => {
    // Hardly any decay, so that the filter is as large there as at its beginning.
    const slow = { poles: { re: spread(6, -1e-6, -1e-7, 0.6180339887), im: spread(6, 0.1, 3, 0.7548776662) }, lowRank: complexes(6, [-1e-4, 1e-4], [-1e-4, 1e-4]) };
    const given = request({ states: 3, count: 100 }, { ...slow, first: 3_000_001 });
    const expected = new Float32Array(200);
    reference({ ...given, output: expected });
    assertClose(await evaluated(given), expected, 1e-7);
    assert.ok(expected.some((value) => Math.abs(value) > 0.01));
  });

  it('gives a tap the same bits whatever else is asked for', async () => {
    const whole = await evaluated(request({ channels: 3, states: 5, rank: 2, count: 40_000 }, { tuned: 777 }));
    for (const [first, count] of [[0, 1], [255, 3], [16_383, 2], [20_000, 900], [39_999, 1]]) {
      const part = await evaluated(request({ channels: 3, states: 5, rank: 2, count }, { tuned: 777, first }));
      for (let c = 0; c < 3; c++) {
        assert.deepEqual(part.subarray(c * count, (c + 1) * count), whole.subarray(c * 40_000 + first, c * 40_000 + first + count), `${count} lags from ${first}`);
      }
    }
    const alone = request({ channels: 3, states: 5, rank: 2, count: 40_000 }, { tuned: 777 });
    const cut = ({ re, im }: ComplexArray, size: number): ComplexArray => ({ re: re.slice(0, size), im: im.slice(0, size) });
    const first = await evaluated({
      ...alone, channels: 1, poles: cut(alone.poles, 5), lowRank: cut(alone.lowRank, 10), inputs: cut(alone.inputs, 5), outputs: cut(alone.outputs, 5), steps: alone.steps.slice(0, 1),
      output: new Float32Array(40_000),
    });
    assert.deepEqual(first, whole.subarray(0, 40_000));
  });

  it('makes 64 filters of 262144 taps and 32 states in 2 s of processor time', async () => {
    const given = request({ channels: 64, states: 32, count: 262_144 }, { tuned: 16_384 });
    const begin = process.cpuUsage();
    await engine.lowRankFilter(given);
    const { user, system } = process.cpuUsage(begin);
    const seconds = (user + system) / 1e6;
    assert.ok(seconds < 2, `${seconds.toFixed(1)} s`);
  });
});
