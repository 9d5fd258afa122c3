import fc from 'fast-check';
import type { ConvolutionSpec } from '../../extension/core/engine/engine';
import { noise } from '../unit/graph/support/measure';
import { assertAccurate, assertSameBits } from './support/accuracy';
import { expectedOutput } from './support/convolution-reference';
import { engine, runOnce, withPrepared } from './support/engine';
import { gridFilter, gridOf, gridSize } from './support/grids';
import { signals } from './support/signals';

interface Shape { readonly spec: ConvolutionSpec; readonly filter: Float32Array; readonly batch: number; readonly length: number; readonly gates: number; readonly threads: number }

/** Lengths of every magnitude up to 2^14, powers of two and their neighbours often. */
const anyLength = (): fc.Arbitrary<number> => fc.oneof(
  fc.integer({ min: 1, max: 70 }), fc.integer({ min: 1, max: 3000 }),
  fc.tuple(fc.integer({ min: 1, max: 14 }), fc.integer({ min: -1, max: 2 })).map(([power, off]) => Math.max(1, 2 ** power + off)),
);

const anySpec = (): fc.Arbitrary<{ readonly spec: ConvolutionSpec; readonly filter: Float32Array }> =>
  fc.record({ channels: fc.integer({ min: 1, max: 9 }), maxLength: anyLength(), taps: anyLength(), seed: fc.integer({ min: 1, max: 2 ** 30 }) }).chain(({ channels, maxLength, taps, seed }) =>
    fc.oneof(
      fc.constant({ spec: { channels, mode: 'causal', filterLength: taps, maxLength } as const, filter: noise(channels * taps, seed) }),
      fc.constant(Math.min(taps, maxLength)).map((filterLength) => (
        { spec: { channels, mode: 'circular', filterLength, maxLength } as const, filter: noise(channels * filterLength, seed) }
      )),
      fc.record({ larger: fc.integer({ min: 0, max: 2 }), modulus: fc.constantFrom(1, 2, 4, 8, 16, 32), density: fc.double({ min: 0, max: 1, noNaN: true }) })
        .map(({ larger, modulus, density }) => {
          const fftSize = gridSize(maxLength) * 2 ** larger;
          // Whole comb rows when the modulus is small, single bins when it is 1; one row or bin is always kept.
          const random = noise(fftSize / 2 + 1, seed);
          const grid = gridOf(fftSize, (bin) => {
            const residue = bin % modulus;
            const row = modulus === 1 ? bin : Math.min(residue, modulus - residue);
            return row === 0 || (random[row % random.length] + 1) / 2 < density;
          });
          return { spec: { channels, mode: 'grid', filterLength: fftSize, maxLength, grid } as const, filter: gridFilter(grid, channels, seed) };
        }),
    ));

const anyShape = (): fc.Arbitrary<Shape> => anySpec().chain(({ spec, filter }) => fc.record({
  spec: fc.constant(spec), filter: fc.constant(filter), batch: fc.integer({ min: 1, max: 5 }), gates: fc.integer({ min: 0, max: 7 }), threads: fc.integer({ min: 1, max: 4 }),
  length: spec.mode === 'circular' ? fc.constant(spec.maxLength) : fc.oneof(fc.constant(spec.maxLength), fc.integer({ min: 1, max: spec.maxLength })),
}));

describe('random shapes', () => {
  const sets = engine.devices().cpu.instructionSets;
  it('of every mode, mask, gating and instruction set agree with float64, for one thread as for many', async () => {
    let round = 0;
    await fc.assert(fc.asyncProperty(anyShape(), async ({ spec: chosen, filter, batch, length, gates, threads }) => {
      const spec = { ...chosen, instructionSet: sets[round++ % sets.length] };
      const { preGate, postGate, skip, ...plain } = signals(batch, spec.channels, length, true);
      const call = { ...plain, ...(gates & 1 && { preGate }), ...(gates & 2 && { postGate }), ...(gates & 4 && { skip }) };
      await withPrepared(spec, filter, async (prepared) => {
        const output = await runOnce(prepared, { ...call, threads });
        const what = `${spec.mode}, ${prepared.prediction.algorithm}, ${spec.instructionSet}`;
        assertAccurate(output, expectedOutput(spec, filter, call), what);
        assertSameBits(await runOnce(prepared, { ...call, threads: 1 }), output, what);
      });
    }), { numRuns: 150, endOnFailure: true });
  });
});
