import type { ConvolutionSpec } from '../../../extension/core/engine/engine';
import { defaultFactors, digitsOfFrequency, powerOfTwoAtLeast } from '../../../extension/core/masks/grid';
import { noise } from '../../unit/graph/support/measure';
import { fft } from './fft';

export type Grid = NonNullable<ConvolutionSpec['grid']>;

/** Smallest grid that takes inputs of this length. */
export const gridSize = (length: number): number => powerOfTwoAtLeast(2 * length);

/** A grid that keeps the bins 0..fftSize/2 for which `keeps` says so, and their mirrors. */
export function gridOf(fftSize: number, keeps: (bin: number) => boolean, factors = defaultFactors(fftSize)): Grid {
  return { fftSize, factors, kept: Uint8Array.from({ length: fftSize / 2 + 1 }, (_, bin) => (keeps(bin) ? 1 : 0)) };
}

/** Rows of digit n1 = f mod N1, each with its mirror N1 - n1. */
export function combGrid(fftSize: number, rows: readonly number[], factors = defaultFactors(fftSize)): Grid {
  const modulus = factors[0];
  const wanted = new Set(rows.flatMap((row) => [row % modulus, (modulus - (row % modulus)) % modulus]));
  return gridOf(fftSize, (bin) => wanted.has(bin % modulus), factors);
}

/** The paper's pattern, half of every digit: n_i < N_i / 2, or the mirror's. */
export function blockGrid(fftSize: number): Grid {
  const factors = defaultFactors(fftSize);
  const inside = (f: number): boolean => digitsOfFrequency(f, factors).every((digit, i) => digit < factors[i] / 2);
  return gridOf(fftSize, (bin) => inside(bin) || inside((fftSize - bin) % fftSize));
}

/** Random filter rows [channels, fftSize] of circular lags whose dropped bins are 0 up to the rounding of the rows to float32. */
export function gridFilter(grid: Grid, channels: number, seed: number): Float32Array {
  const { fftSize, kept } = grid;
  const rows = noise(channels * fftSize, seed);
  for (let channel = 0; channel < channels; channel++) {
    const row = rows.subarray(channel * fftSize, (channel + 1) * fftSize);
    const re = Float64Array.from(row);
    const im = new Float64Array(fftSize);
    fft(re, im);
    for (let f = 0; f < fftSize; f++) {
      if (!kept[Math.min(f, fftSize - f)]) re[f] = im[f] = 0;
    }
    fft(im, re);
    for (let lag = 0; lag < fftSize; lag++) row[lag] = re[lag] / fftSize;
  }
  return rows;
}
