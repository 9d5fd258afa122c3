import { assertAccurate } from './support/accuracy';
import { allCases, gridCase, longFilterCase } from './support/cases';
import type { Case } from './support/cases';
import { convolve, gatedInput, withSkipAndGate } from './support/convolution-reference';
import { runOnce, withPrepared } from './support/engine';
import { combGrid, gridSize } from './support/grids';
import { BASE_CHANNELS, repeated, repeatedSignals, scaleOfChannel } from './support/repeated';
import { part, partOfSignals } from './support/signals';

const BATCHES = [1, 2, 3];
const CHANNELS = [1, 7, 64];

/**
 * Runs every batch and channel count up to the largest against one float64 reference, of which the smaller ones are parts. The
 * reference is computed for a few channels; the others repeat them with other scales.
 */
async function checkProduct(make: (channels: number) => Case, largest: { batch: number; channels: number }, gatings: readonly boolean[]): Promise<void> {
  const { batch, channels } = largest;
  const base = make(Math.min(channels, BASE_CHANNELS));
  const { maxLength: length, filterLength } = base.spec;
  const baseFilter = base.filter();
  const calls = gatings.map((gated) => {
    const { baseSignals, all } = repeatedSignals(batch, channels, length, gated);
    const convolved = repeated(convolve(base.spec, baseFilter, gatedInput(baseSignals), batch, length), batch, channels, length, scaleOfChannel);
    return { gated, all, expected: withSkipAndGate(convolved, all, channels) };
  });
  const filter = repeated(baseFilter, 1, channels, filterLength, scaleOfChannel);
  for (const h of CHANNELS.filter((count) => count <= channels)) {
    await withPrepared({ ...base.spec, channels: h }, filter.subarray(0, h * filterLength), async (prepared) => {
      for (const { gated, all, expected } of calls) {
        for (const b of BATCHES.filter((count) => count <= batch)) {
          const output = await runOnce(prepared, partOfSignals(all, channels, b, h));
          assertAccurate(output, part(expected, channels, length, b, h), `B ${b}, H ${h}${gated ? ', gated' : ''}, ${prepared.prediction.algorithm}`);
        }
      }
    });
  }
}

describe('convolution against float64', () => {
  for (const length of [1, 2, 63, 64, 1000, 1026, 4096, 5000]) {
    describe(`L ${length}`, () => {
      for (const { name, make } of allCases(length)) {
        it(name, () => checkProduct(make, { batch: 3, channels: 64 }, [false, true]));
      }
    });
  }

  describe('L 32770', () => {
    for (const { name, make } of allCases(32770)) {
      it(name, () => checkProduct(make, { batch: 3, channels: 7 }, [true]));
    }
    it('64 channels, causal', () => checkProduct(longFilterCase('causal', 32770, 32770).make, { batch: 2, channels: 64 }, [false]));
    it('64 channels, 600 taps: more results than the caches keep', () => checkProduct(longFilterCase('causal', 32770, 600).make, { batch: 2, channels: 64 }, [false, true]));
    it('64 channels, comb', () => checkProduct(gridCase('comb', 32770, combGrid(gridSize(32770), [1, 2])).make, { batch: 2, channels: 64 }, [true]));
  });
});
