import fc from 'fast-check';
import type { ConvolutionSpec, InstructionSet } from '../../extension/core/engine/engine';
import { noise } from '../unit/graph/support/measure';
import { assertAccurate, assertSameBits } from './support/accuracy';
import { expectedOutput } from './support/convolution-reference';
import { engine, runOnce, withPrepared } from './support/engine';
import { gridFilter, gridOf, gridSize } from './support/grids';
import { signals } from './support/signals';

/** All that a failure needs to be repeated; filter and signals follow from it. */
interface Shape {
  readonly mode: ConvolutionSpec['mode'];
  readonly channels: number;
  readonly maxLength: number;
  readonly taps: number;
  /** Of maxLength, for a run that is shorter. */
  readonly lengthShare: number;
  readonly batch: number;
  /** Bits: first gate, second gate, skip term. */
  readonly gates: number;
  readonly threads: number;
  readonly set: InstructionSet;
  readonly seed: number;
  /** Mode grid: how much larger than needed, and which part of the comb rows of this modulus (single bins for 1) is kept. */
  readonly largerBy: number;
  readonly modulus: number;
  readonly density: number;
}

/**
 * Few samples of a filter of which a mask left few bins may all lie near a zero of it, and then have no relative error to speak of:
 * convolution.test.ts has the masks of shorter inputs.
 */
const SHORTEST_MASKED = 64;

/** A few samples are sums of few terms: a skip as large as the taps may cancel them, and leave no relative error to speak of. Here it is larger. */
const FEW_SAMPLES = 8;
const largerThanTaps = (skip?: Float32Array): Float32Array | undefined => skip?.map((value) => value + 3);

/** Lengths of every magnitude up to 2^14, powers of two and their neighbours often. */
const anyLength = (): fc.Arbitrary<number> => fc.oneof(
  fc.integer({ min: 1, max: 70 }), fc.integer({ min: 1, max: 3000 }),
  fc.tuple(fc.integer({ min: 1, max: 14 }), fc.integer({ min: -1, max: 2 })).map(([power, off]) => Math.max(1, 2 ** power + off)),
);

const anyShape = (): fc.Arbitrary<Shape> => fc.record({
  mode: fc.constantFrom('causal', 'circular', 'grid'), channels: fc.integer({ min: 1, max: 9 }), maxLength: anyLength(), taps: anyLength(),
  lengthShare: fc.oneof(fc.constant(1), fc.double({ min: 0, max: 1, noNaN: true })), batch: fc.integer({ min: 1, max: 5 }), gates: fc.integer({ min: 0, max: 7 }),
  threads: fc.integer({ min: 1, max: 4 }), set: fc.constantFrom(...engine.devices().cpu.instructionSets), seed: fc.integer({ min: 1, max: 2 ** 30 }),
  largerBy: fc.constantFrom(1, 2, 4), modulus: fc.constantFrom(1, 2, 4, 8, 16, 32), density: fc.double({ min: 0.05, max: 1, noNaN: true }),
});

function convolutionOf({ mode, channels, maxLength: longest, taps, set: instructionSet, seed, largerBy, modulus, density }: Shape): { spec: ConvolutionSpec; filter: Float32Array } {
  const maxLength = mode === 'grid' ? Math.max(SHORTEST_MASKED, longest) : longest;
  if (mode !== 'grid') {
    const filterLength = mode === 'causal' ? taps : Math.min(taps, maxLength);
    return { spec: { channels, mode, filterLength, maxLength, instructionSet }, filter: noise(channels * filterLength, seed) };
  }
  const fftSize = gridSize(maxLength) * largerBy;
  const random = noise(fftSize / 2 + 1, seed);
  const grid = gridOf(fftSize, (bin) => {
    const residue = bin % modulus;
    const row = modulus === 1 ? bin : Math.min(residue, modulus - residue);
    // Of comb rows one is always kept; of single bins the lowest eighth.
    return (modulus === 1 ? row <= fftSize / 16 : row === modulus / 2) || (random[row % random.length] + 1) / 2 < density;
  });
  return { spec: { channels, mode, filterLength: fftSize, maxLength, grid, instructionSet }, filter: gridFilter(grid, channels, seed) };
}

describe('random shapes', () => {
  it('of every mode, mask, gating and instruction set agree with float64, for one thread as for many', () =>
    fc.assert(fc.asyncProperty(anyShape(), async (shape) => {
      const { spec, filter } = convolutionOf(shape);
      const shortest = { causal: 1, grid: SHORTEST_MASKED, circular: spec.maxLength }[spec.mode];
      const length = Math.max(shortest, Math.round(shape.lengthShare * spec.maxLength));
      const { preGate, postGate, skip, ...plain } = signals(shape.batch, spec.channels, length, true);
      const call = { ...plain, ...(shape.gates & 1 && { preGate }), ...(shape.gates & 2 && { postGate }), ...(shape.gates & 4 && { skip: length <= FEW_SAMPLES ? largerThanTaps(skip) : skip }) };
      await withPrepared(spec, filter, async (prepared) => {
        const output = await runOnce(prepared, { ...call, threads: shape.threads });
        assertAccurate(output, expectedOutput(spec, filter, call), prepared.prediction.algorithm);
        assertSameBits(await runOnce(prepared, { ...call, threads: 1 }), output, prepared.prediction.algorithm);
      });
    }), { numRuns: 150, endOnFailure: true }));
});
