import * as assert from 'node:assert/strict';
import type { ConvolutionCall } from '../../extension/core/engine/engine';
import { noise } from '../unit/graph/support/measure';
import { assertAccurate, assertSameBits } from './support/accuracy';
import { allCases, gridCase, longFilterCase } from './support/cases';
import type { Kind } from './support/cases';
import { expectedOutput } from './support/convolution-reference';
import { convolveOnce, engine, runOnce, withPrepared } from './support/engine';
import { combGrid, gridOf } from './support/grids';
import { signals } from './support/signals';

/** One of each way to compute: direct sum, blocks, one transform, comb rows; lengths that fill no block. */
const KINDS: readonly Kind[] = [
  longFilterCase('causal', 5000, 3), longFilterCase('causal', 5000, 300), longFilterCase('causal', 5000, 5000),
  longFilterCase('circular', 5000, 3), longFilterCase('circular', 5000, 5000), longFilterCase('circular', 4096, 4096),
  gridCase('comb', 5000, combGrid(16384, [1, 2])), gridCase('lowpass', 5000, gridOf(16384, (bin) => bin < 2000)),
];

const sizesOf = (call: ConvolutionCall) => ({ ...call, input: call.input.length, output: call.output.length });

describe('the contract of run', () => {
  for (const { name, make } of KINDS) {
    const { spec, filter: makeFilter } = make(5);
    const length = spec.maxLength;

    describe(name, () => {
      it('the same bits for any number of threads, again and again, and beside other runs', async () => {
        const call = signals(3, 5, length, true);
        await withPrepared(spec, makeFilter(), async (prepared) => {
          const one = await runOnce(prepared, { ...call, threads: 1 });
          for (const threads of [1, 2, 3, 64, undefined]) assertSameBits(await runOnce(prepared, { ...call, threads }), one, `${threads} threads`);
          for (const output of await Promise.all([1, 2, 1, 2, 3].map((threads) => runOnce(prepared, { ...call, threads })))) assertSameBits(output, one, 'at a time');
        });
      });

      it('touches nothing but its output', async () => {
        const filter = makeFilter();
        const call = { ...signals(2, 5, length, true), output: new Float32Array(10 * length) };
        const before = structuredClone(call);
        const filterBefore = filter.slice();
        await withPrepared(spec, filter, async (prepared) => {
          await prepared.run(call);
          for (const array of ['input', 'preGate', 'postGate', 'skip'] as const) assertSameBits(call[array]!, before[array]!, array);
          assertSameBits(filter, filterBefore, 'filter');
          assert.deepEqual(sizesOf(call), sizesOf(before));
        });
      });

      it('keeps its own copy of the filter', async () => {
        const filter = makeFilter();
        const call = signals(1, 5, length, false);
        const expected = expectedOutput(spec, filter, call);
        await withPrepared(spec, filter, async (prepared) => {
          filter.fill(NaN);
          assertAccurate(await runOnce(prepared, call), expected, 'a filter that changed after prepare');
        });
      });

      it('writes only its own channels', async () => {
        const filter = makeFilter();
        const total = 9;
        for (const firstChannel of [0, 2, 4]) {
          const whole = signals(3, total, length, true);
          const inside = (values: Float32Array): Float32Array => {
            const rows = new Float32Array(3 * 5 * length);
            for (let b = 0; b < 3; b++) rows.set(values.subarray((b * total + firstChannel) * length, (b * total + firstChannel + 5) * length), b * 5 * length);
            return rows;
          };
          const expected = expectedOutput(spec, filter, {
            ...whole, input: inside(whole.input), preGate: inside(whole.preGate!), postGate: inside(whole.postGate!), skip: whole.skip!.subarray(firstChannel, firstChannel + 5),
          });
          const sentinel = noise(3 * total * length, 99);
          const output = sentinel.slice();
          await withPrepared(spec, filter, (prepared) => prepared.run({ ...whole, output, totalChannels: total, firstChannel }));
          assertAccurate(inside(output), expected, `channels from ${firstChannel}`);
          for (let row = 0; row < 3 * total; row++) {
            const channel = row % total;
            const isOwn = channel >= firstChannel && channel < firstChannel + 5;
            if (!isOwn) assertSameBits(output.subarray(row * length, (row + 1) * length), sentinel.subarray(row * length, (row + 1) * length), `channel ${channel}`);
          }
        }
      });
    });
  }

  it('takes each gate and the skip term alone and in any combination', async () => {
    for (const { name, make } of allCases(130)) {
      const { spec, filter: makeFilter } = make(3);
      const filter = makeFilter();
      const { preGate, postGate, skip, ...plain } = signals(2, 3, 130, true);
      for (let choice = 0; choice < 8; choice++) {
        const call = { ...plain, ...(choice & 1 && { preGate }), ...(choice & 2 && { postGate }), ...(choice & 4 && { skip }) };
        assertAccurate(await convolveOnce(spec, filter, call), expectedOutput(spec, filter, call), `${name}, combination ${choice}`);
      }
    }
  });

  it('takes every length up to the longest', async () => {
    for (const { name, make } of allCases(130).filter((kind) => !kind.name.startsWith('circular'))) {
      const { spec, filter: makeFilter } = make(2);
      const filter = makeFilter();
      await withPrepared(spec, filter, async (prepared) => {
        for (let length = 1; length <= 130; length += length < 70 ? 1 : 12) {
          const call = signals(2, 2, length, true);
          assertAccurate(await runOnce(prepared, call), expectedOutput(spec, filter, call), `${name}, ${length} samples`);
        }
      });
    }
  });

  it('counts dropped bins as exactly 0 whatever the filter has there', async () => {
    for (const [what, grid] of Object.entries({ comb: combGrid(4096, [1, 2]), lowpass: gridOf(4096, (bin) => bin < 300), nothing: gridOf(4096, () => false) })) {
      const spec = { channels: 2, mode: 'grid', filterLength: 4096, maxLength: 2048, grid } as const;
      const filter = noise(2 * 4096, 3);
      const call = signals(2, 2, 2048, false);
      const output = await convolveOnce(spec, filter, call);
      if (what === 'nothing') assert.ok(output.every((value) => value === 0), 'all bins dropped');
      else assertAccurate(output, expectedOutput(spec, filter, call), what);
    }
  });

  it('leaves the event loop free while it works', async () => {
    const { spec, filter } = longFilterCase('causal', 2 ** 17, 2 ** 17).make(16);
    const call = signals(2, 16, 2 ** 17, false);
    await withPrepared(spec, filter(), async (prepared) => {
      await runOnce(prepared, call);
      const output = new Float32Array(call.input.length);
      let turns = 0;
      let working = true;
      const turn = (): void => {
        turns++;
        if (working) setImmediate(turn);
      };
      setImmediate(turn);
      const started = performance.now();
      await Promise.all([1, 2, 3].map(() => prepared.run({ ...call, output: output.slice(), threads: 1 })));
      working = false;
      const elapsed = performance.now() - started;
      assert.ok(turns >= 3, `${turns} turns of the event loop in ${elapsed.toFixed(0)} ms`);
    });
  });

  it('prepares many at a time', async () => {
    const call = signals(1, 2, 500, false);
    await Promise.all(Array.from({ length: 30 }, async (_, i) => {
      const spec = { channels: 2, mode: 'causal', filterLength: 20 + 17 * i, maxLength: 500 } as const;
      const filter = noise(2 * spec.filterLength, i + 1);
      assertAccurate(await convolveOnce(spec, filter, call), expectedOutput(spec, filter, call), `${spec.filterLength} taps`);
    }));
    assert.ok(engine.devices().cpu.threads >= 1);
  });
});
