import * as assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as path from 'node:path';
import type { ConvolutionSpec } from '../../extension/core/engine/engine';
import { gridCase, longFilterCase } from './support/cases';
import { combGrid, gridOf } from './support/grids';
import type { MemoryAnswer, MemoryQuestion } from './support/peak-memory';

const MEBIBYTE = 2 ** 20;

/** The process's own needs: a heap that grows a little, code that is read in when it is first run. */
const PROCESS = 6 * MEBIBYTE;

function ask(spec: ConvolutionSpec, batch: number, length: number, threads: number): MemoryAnswer {
  const question: MemoryQuestion = { spec, kept: spec.grid && [...spec.grid.kept], batch, length, threads };
  const program = path.join(__dirname, 'support/peak-memory.ts');
  return JSON.parse(execFileSync(process.execPath, ['--import', 'tsx', program], { input: JSON.stringify(question), encoding: 'utf8' })) as MemoryAnswer;
}

// Only Linux counts the peak anew when it is asked to.
if (process.platform === 'linux') describe('memory above filter, input and output', () => {
  const threads = 2;
  const cases: readonly [string, ConvolutionSpec, number, number][] = [
    ['right-angle', longFilterCase('causal', 8192, 8192).make(256).spec, 1, 8192],
    ['right-angle, one long row', longFilterCase('causal', 2 ** 20, 2 ** 20).make(2).spec, 1, 2 ** 20],
    ['right-angle, padded', longFilterCase('causal', 100_000, 100_000).make(16).spec, 2, 100_000],
    ['overlap-save', longFilterCase('causal', 2 ** 20, 4096).make(4).spec, 2, 2 ** 20],
    ['Toeplitz', longFilterCase('causal', 2 ** 20, 8).make(8).spec, 1, 2 ** 20],
    ['circular', longFilterCase('circular', 16384, 16384).make(64).spec, 3, 16384],
    ['low-pass', gridCase('low-pass', 2 ** 18, gridOf(2 ** 19, (bin) => bin < 2 ** 16)).make(8).spec, 1, 2 ** 18],
    ['low-pass, a sixteenth', gridCase('low-pass', 2 ** 18, gridOf(2 ** 19, (bin) => bin < 2 ** 14)).make(64).spec, 1, 2 ** 18],
    ['comb rows', gridCase('comb', 2 ** 18, combGrid(2 ** 19, [1, 2])).make(8).spec, 1, 2 ** 18],
  ];
  for (const [name, spec, batch, length] of cases) {
    it(`${name}: at most twice what is prepared, and 4 MiB for each thread`, () => {
      const { grown: first, prepared, algorithm } = ask(spec, batch, length, threads);
      const limit = 2 * prepared + 4 * MEBIBYTE * threads + PROCESS;
      // What a process needs besides, such as room for garbage, only ever adds to it.
      let grown = first;
      for (let again = 0; again < 2 && grown > limit; again++) grown = Math.min(grown, ask(spec, batch, length, threads).grown);
      assert.ok(prepared > 0, algorithm);
      assert.ok(grown <= limit, `${algorithm}: ${(grown / MEBIBYTE).toFixed(1)} MiB for ${(prepared / MEBIBYTE).toFixed(1)} MiB prepared, at most ${(limit / MEBIBYTE).toFixed(1)}`);
    });
  }
});
