import * as assert from 'node:assert/strict';
import { assertSameBits } from './support/accuracy';
import { gridCase, longFilterCase } from './support/cases';
import { engine, runOnce } from './support/engine';
import { combGrid } from './support/grids';
import { signals } from './support/signals';

const isCancelled = (error: unknown): boolean => error instanceof Error && (error as Error & { code?: string }).code === 'cancelled';

/** Milliseconds from an abort to the rejection: 50 by the design, and as much again for a busy machine. */
const ALLOWED_MS = 100;

describe('cancelling a run', () => {
  it('that has not begun rejects', async () => {
    const { spec, filter } = longFilterCase('causal', 4096, 4096).make(8);
    const prepared = await engine.prepare(spec, filter());
    await assert.rejects(runOnce(prepared, signals(1, 8, 4096, true), AbortSignal.abort()), isCancelled);
    prepared.free();
  });

  const length = 2 ** 20;
  for (const kind of [
    longFilterCase('causal', length, length), longFilterCase('causal', length, 500), longFilterCase('circular', length, length),
    gridCase('comb', length / 2, combGrid(length, [1, 2])),
  ]) {
    it(`stops at once, and runs well the next time: ${kind.name}`, async () => {
      const { spec, filter } = kind.make(4);
      const prepared = await engine.prepare(spec, filter());
      const call = { ...signals(2, 4, spec.maxLength, false), threads: 1 };
      const started = performance.now();
      const whole = await runOnce(prepared, call);
      const wholeMs = performance.now() - started;

      // Several runs of which the last ones cannot have begun to end when the abort comes.
      const controller = new AbortController();
      const outputs = Array.from({ length: 4 }, () => new Float32Array(call.input.length));
      const runs = outputs.map((output) => prepared.run({ ...call, output }, controller.signal));
      const settled = Promise.allSettled(runs);
      await new Promise((resolve) => setTimeout(resolve, Math.min(20, wholeMs / 4)));
      const aborted = performance.now();
      controller.abort();
      const results = await settled;
      const took = performance.now() - aborted;
      const rejected = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
      assert.ok(rejected.length > 0, `none of 4 runs of ${wholeMs.toFixed(0)} ms was cancelled`);
      assert.ok(rejected.every(isCancelled));
      assert.ok(took <= ALLOWED_MS, `it took ${took.toFixed(0)} ms to stop`);
      assertSameBits(await runOnce(prepared, call), whole, 'the run after');
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
