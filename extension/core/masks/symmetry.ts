import type { CellSet, FrequencyMask, MonarchGrid, Symmetry } from '../plan/plan';
import { cellCount, cellOfFrequency, cellSet } from './cells';
import { patternMask } from './patterns';

/**
 * The output of a convolution is real, so what acts on bin f is g(f) = (m(f) + m(N-f)) / 2, f = 0..N/2.
 * gain: the mask as drawn, g in {0, 1/2, 1}. conjugate: a frequency and its mirror are kept together, g in {0, 1}.
 */
export function effectiveGain(mask: FrequencyMask): Readonly<Float64Array> {
  if (last?.mask === mask) return last.gain;
  const key = JSON.stringify([mask.keep, mask.grid, mask.symmetry]);
  last = { mask, key, gain: last?.key === key ? last.gain : foldMask(patternMask(mask.keep, mask.grid), mask.symmetry) };
  return last.gain;
}

/** The answers of one step of a drag ask several times for the same gain, of up to millions of bins. */
let last: { readonly mask: FrequencyMask; readonly key: string; readonly gain: Readonly<Float64Array> } | undefined;

/** [N/2 + 1] effective gain of m(f), f = 0..N-1. */
export function foldMask(mask: Uint8Array, symmetry: Symmetry): Float64Array {
  const n = mask.length;
  const gain = new Float64Array(n / 2 + 1);
  gain[0] = mask[0];
  const one = symmetry === 'gain' ? 0.5 : 1;
  for (let f = 1; f <= n / 2; f++) {
    const kept = mask[f] + mask[n - f];
    gain[f] = kept === 2 ? 1 : kept * one;
  }
  return gain;
}

/** [N/2 + 1] 1 where the gain is above 0: the bins that the kernels compute. */
export function keptBins(gain: Float64Array): Uint8Array {
  const kept = new Uint8Array(gain.length);
  for (let f = 0; f < gain.length; f++) {
    kept[f] = gain[f] > 0 ? 1 : 0;
  }
  return kept;
}

/** Share of the N bins whose gain is above 0; bins 0 and N/2 count once, the others for their mirrors too. */
export function keptFraction(gain: Float64Array): number {
  const half = gain.length - 1;
  let kept = (gain[0] > 0 ? 1 : 0) + (gain[half] > 0 ? 1 : 0);
  for (let f = 1; f < half; f++) {
    kept += gain[f] > 0 ? 2 : 0;
  }
  return kept / (2 * half);
}

/** [cells] mean effective gain of each cell: what the editor paints. */
export function cellGains(gain: Float64Array, grid: MonarchGrid, digits: readonly number[]): Float64Array {
  const cells = cellOfFrequency(grid, digits);
  const sums = new Float64Array(cellCount(grid, digits));
  for (let f = 0; f < grid.fftSize; f++) {
    sums[cells[f]] += gain[Math.min(f, grid.fftSize - f)];
  }
  return sums.map((sum) => (sum * sums.length) / grid.fftSize);
}

/** The cells in which at least one frequency has a gain above 0; where drawing starts when a pattern is turned into cells. */
export function keptCells(gain: Float64Array, grid: MonarchGrid, digits: readonly number[]): CellSet {
  const flags = Uint8Array.from(cellGains(gain, grid, digits), (mean) => (mean > 0 ? 1 : 0));
  return cellSet(flags, digits);
}
