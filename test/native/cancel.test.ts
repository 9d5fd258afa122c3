import * as assert from 'node:assert/strict';
import type { ConvolutionCall, PreparedConvolution } from '../../extension/core/engine/engine';
import { median } from '../../extension/core/validation/statistics';
import { noise } from '../unit/graph/support/measure';
import { assertSameBits } from './support/accuracy';
import { gridCase, longFilterCase } from './support/cases';
import { engine, runOnce } from './support/engine';
import { combGrid, gridOf } from './support/grids';
import { signals } from './support/signals';

const isCancelled = (error: unknown): boolean => error instanceof Error && (error as Error & { code?: string }).code === 'cancelled';

/** Milliseconds from an abort to the rejection, by the design. */
const ALLOWED_MS = 50;
const CANCELLED_RUNS = 9;

/**
 * How long a run takes to end that is aborted after `delayMs`: the median of some, since a busy machine may hear of an end late. One that it
 * finishes before it is aborted is done again.
 */
async function cancelledRun(prepared: PreparedConvolution, call: ConvolutionCall, delayMs: number): Promise<number> {
  const took: number[] = [];
  for (let attempt = 0; attempt < 3 * CANCELLED_RUNS && took.length < CANCELLED_RUNS; attempt++) {
    const controller = new AbortController();
    const outcome = prepared.run(call, controller.signal).then(() => undefined, (error: unknown) => error);
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    const aborted = performance.now();
    controller.abort();
    const error = await outcome;
    if (error === undefined) continue;
    assert.ok(isCancelled(error), String(error));
    took.push(performance.now() - aborted);
  }
  assert.ok(took.length > 0, 'no run was cancelled');
  return median(took);
}

describe('cancelling a run', () => {
  it('that has not begun rejects', async () => {
    const { spec, filter } = longFilterCase('causal', 4096, 4096).make(8);
    const prepared = await engine.prepare(spec, filter());
    await assert.rejects(runOnce(prepared, signals(1, 8, 4096, true), AbortSignal.abort()), isCancelled);
    prepared.free();
  });

  const length = 2 ** 20;
  for (const kind of [
    longFilterCase('causal', length, length), longFilterCase('causal', length, 500),
    gridCase('comb', length / 2, combGrid(length, [1, 2])), gridCase('low-pass', length / 2, gridOf(length, (bin) => bin < length / 8)),
  ]) {
    it(`stops at once, and runs well the next time: ${kind.name}`, async () => {
      const { spec } = kind.make(4);
      const prepared = await engine.prepare(spec, noise(4 * spec.filterLength, 1));
      const call = { ...signals(4, 4, spec.maxLength, false), threads: 1 };
      const output = new Float32Array(call.input.length);
      let wholeMs = Infinity;
      for (let i = 0; i < 3; i++) {
        const started = performance.now();
        await prepared.run({ ...call, output });
        wholeMs = Math.min(wholeMs, performance.now() - started);
      }
      const whole = output.slice();

      const took = await cancelledRun(prepared, { ...call, output }, wholeMs / 5);
      assert.ok(took <= ALLOWED_MS, `it took ${took.toFixed(0)} ms to stop a run of ${wholeMs.toFixed(0)} ms`);
      await prepared.run({ ...call, output });
      assertSameBits(output, whole, 'the run after');
      prepared.free();
    });
  }

  it('that is over does nothing', async () => {
    const { spec, filter } = longFilterCase('causal', 1000, 1000).make(2);
    const prepared = await engine.prepare(spec, filter());
    const controller = new AbortController();
    const call = signals(1, 2, 1000, false);
    const first = await runOnce(prepared, call, controller.signal);
    controller.abort();
    assertSameBits(await runOnce(prepared, call), first, 'the run after');
    prepared.free();
  });
});
