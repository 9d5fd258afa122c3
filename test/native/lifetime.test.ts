import * as assert from 'node:assert/strict';
import { noise } from '../unit/graph/support/measure';
import { assertAccurate } from './support/accuracy';
import { allCases, gridCase, longFilterCase } from './support/cases';
import { expectedOutput } from './support/convolution-reference';
import { engine, runOnce } from './support/engine';
import { combGrid } from './support/grids';
import { assertRefused } from './support/refusals';
import { signals } from './support/signals';

const MEBIBYTE = 2 ** 20;

describe('lifetime of prepared convolutions', () => {
  it('free may be called twice; a run afterwards is refused', async () => {
    for (const { make } of allCases(300)) {
      const { spec, filter } = make(2);
      const prepared = await engine.prepare(spec, filter());
      const call = { ...signals(1, 2, 300, false), output: new Float32Array(600) };
      await prepared.run(call);
      prepared.free();
      prepared.free();
      await assertRefused('a run after free', () => prepared.run(call));
    }
  });

  it('free during a run waits for it', async () => {
    const { spec, filter: makeFilter } = longFilterCase('causal', 20000, 20000).make(8);
    const filter = makeFilter();
    const call = signals(3, 8, 20000, false);
    const expected = expectedOutput(spec, filter, call);
    const prepared = await engine.prepare(spec, filter);
    const runs = [runOnce(prepared, call), runOnce(prepared, call)];
    prepared.free();
    for (const output of await Promise.all(runs)) assertAccurate(output, expected, 'freed while running');
  });

  it('freeing one of two with the same filter leaves the other', async () => {
    const { spec, filter: makeFilter } = longFilterCase('causal', 500, 400).make(2);
    const filter = makeFilter();
    const [first, second] = [await engine.prepare(spec, filter), await engine.prepare(spec, filter)];
    first.free();
    const call = signals(2, 2, 500, false);
    assertAccurate(await runOnce(second, call), expectedOutput(spec, filter, call), 'the second');
    second.free();
  });

  it('1,000 cycles of prepare, run and free keep no memory', async () => {
    const cases = [longFilterCase('causal', 4096, 4096), longFilterCase('causal', 4096, 64), gridCase('comb', 4096, combGrid(8192, [1, 2]))].map(({ make }) => make(32));
    const filters = cases.map(({ filter }) => filter());
    const call = signals(1, 32, 4096, true);
    const output = new Float32Array(call.input.length);
    const cycle = async (i: number): Promise<void> => {
      const { spec } = cases[i % cases.length];
      const filter = filters[i % cases.length];
      // Another filter each time, so that nothing is found again.
      filter[0] = i;
      const prepared = await engine.prepare(spec, filter);
      await prepared.run({ ...call, output });
      prepared.free();
    };
    // What may be kept for later (threads, tables, a bounded cache of filters) is there after the first cycles.
    const warm = 300;
    for (let i = 0; i < warm; i++) await cycle(i);
    const before = process.memoryUsage().rss;
    for (let i = warm; i < warm + 1000; i++) await cycle(i);
    const grown = (process.memoryUsage().rss - before) / MEBIBYTE;
    // A prepared spectrum has 1 MiB: 1,000 filters that stayed would be hundreds.
    assert.ok(grown <= 128, `resident memory grew by ${grown.toFixed(0)} MiB`);
  });

  it('1,000 refused, cancelled and masked calls keep no memory either', async () => {
    const { spec, filter: makeFilter } = longFilterCase('causal', 4096, 4096).make(8);
    const filter = makeFilter();
    const prepared = await engine.prepare(spec, filter);
    const call = signals(1, 8, 4096, false);
    const output = new Float32Array(call.input.length);
    const rows = noise(8 * 2048, 1);
    const cycle = async (): Promise<void> => {
      await assert.rejects(engine.prepare(spec, filter.subarray(1)));
      await assert.rejects(prepared.run({ ...call, output: output.subarray(1) }));
      await assert.rejects(prepared.run({ ...call, output }, AbortSignal.abort()));
      await engine.maskFilter({ filter: rows, channels: 8, taps: 2048, lagWeights: new Float64Array(2048).fill(1), want: 'causal' });
    };
    for (let i = 0; i < 300; i++) await cycle();
    const before = process.memoryUsage().rss;
    for (let i = 0; i < 1000; i++) await cycle();
    const grown = (process.memoryUsage().rss - before) / MEBIBYTE;
    assert.ok(grown <= 48, `resident memory grew by ${grown.toFixed(0)} MiB`);
    prepared.free();
  });
});
