import * as assert from 'node:assert/strict';
import type { InstructionSet } from '../../extension/core/engine/engine';
import { assertSentence, assertRefused, wrong } from './support/refusals';
import { assertAccurate, assertSameBits } from './support/accuracy';
import { allCases } from './support/cases';
import { expectedOutput } from './support/convolution-reference';
import { convolveOnce, engine } from './support/engine';
import { signals } from './support/signals';

describe('devices', () => {
  const { cpu, cuda } = engine.devices();

  it('names the processor, its threads and its instruction sets, portable first', () => {
    assert.ok(cpu.name.trim().length > 0);
    assert.ok(Number.isInteger(cpu.threads) && cpu.threads >= 1);
    assert.equal(cpu.instructionSets[0], 'portable');
    assert.equal(new Set(cpu.instructionSets).size, cpu.instructionSets.length);
  });

  it('says why CUDA cannot be used, or what it runs on', () => {
    if (cuda.usable) assert.ok(cuda.name);
    else assertSentence(cuda.reason ?? '', 'the reason');
  });

  for (const set of ['portable', 'neon', 'avx2', 'avx512'] satisfies InstructionSet[]) {
    if (cpu.instructionSets.includes(set)) {
      for (const length of [1, 63, 1026, 5000]) {
        it(`${set} computes every kind of convolution, ${length} samples`, async () => {
          for (const { name, make } of allCases(length)) {
            const { spec, filter: makeFilter } = make(5);
            const filter = makeFilter();
            for (const gated of [false, true]) {
              const call = signals(3, 5, length, gated);
              assertAccurate(await convolveOnce({ ...spec, instructionSet: set }, filter, call), expectedOutput(spec, filter, call), `${name}, ${set}`);
            }
          }
        });
      }
    } else {
      it(`${set} is refused where it does not run`, () => {
        const { spec, filter } = allCases(64)[0].make(1);
        return assertRefused(set, () => engine.prepare({ ...spec, instructionSet: wrong(set) }, filter()));
      });
    }
  }

  it('takes the last one when none is named', async () => {
    for (const { name, make } of allCases(1000)) {
      const { spec, filter: makeFilter } = make(2);
      const filter = makeFilter();
      const call = signals(2, 2, 1000, true);
      assertSameBits(await convolveOnce(spec, filter, call), await convolveOnce({ ...spec, instructionSet: cpu.instructionSets.at(-1) }, filter, call), name);
    }
  });
});
