import type { FrequencyPattern, MonarchGrid } from '../plan/plan';
import { cellFlags, cellOfFrequency, cellsProblem } from './cells';
import type { FieldProblem } from './grid';

/**
 * floor(fraction * (N/2 + 1)): bins of the half spectrum 0..N/2 that a fraction stands for. A product that is a whole number
 * in exact arithmetic (0.28 * 1025 = 287) must not lose one to the rounding of the decimal fraction and of the product,
 * together at most one part in 2^52.
 */
export function binsOfFraction(fraction: number, fftSize: number): number {
  const bins = fraction * (fftSize / 2 + 1);
  const nearest = Math.round(bins);
  return Math.abs(bins - nearest) <= nearest * 2 ** -51 ? nearest : Math.floor(bins);
}

/** [N] m(f) of a pattern as drawn, before symmetry: 1 kept, 0 dropped. The pattern must have no patternProblem. */
export function patternMask(keep: FrequencyPattern, grid: MonarchGrid): Uint8Array {
  switch (keep.kind) {
    case 'block':
      return blockMask(keep.counts, grid);
    case 'comb':
      return blockMask(combCounts(keep.rows, grid), grid);
    case 'lowpass':
      return bandMask(0, binsOfFraction(keep.fraction, grid.fftSize), grid.fftSize);
    case 'bandpass':
      return bandMask(binsOfFraction(keep.from, grid.fftSize), binsOfFraction(keep.to, grid.fftSize), grid.fftSize);
    case 'energy':
    case 'cells': {
      const flags = cellFlags(keep.cells, grid);
      const cells = cellOfFrequency(grid, keep.cells.digits);
      const mask = new Uint8Array(grid.fftSize);
      for (let f = 0; f < mask.length; f++) {
        mask[f] = flags[cells[f]];
      }
      return mask;
    }
  }
}

/** A comb of whole n1 rows as a block: every other digit is full. */
function combCounts(rows: number, grid: MonarchGrid): number[] {
  return grid.factors.map((factor, i) => (i === 0 ? rows : factor));
}

/** n_i < counts[i] in every digit, grown digit by digit: digit i repeats the mask of the digits below it. */
function blockMask(counts: readonly number[], grid: MonarchGrid): Uint8Array {
  const mask = new Uint8Array(grid.fftSize);
  mask[0] = 1;
  let period = 1;
  grid.factors.forEach((factor, i) => {
    for (let n = 1; n < counts[i]; n++) {
      mask.copyWithin(n * period, 0, period);
    }
    period *= factor;
  });
  return mask;
}

/** begin <= |f| < end, |f| the distance to frequency 0 on the circle of N. */
function bandMask(begin: number, end: number, fftSize: number): Uint8Array {
  const mask = new Uint8Array(fftSize);
  mask.fill(1, begin, end);
  // The mirrors N - f of begin..end-1; frequency 0 is its own.
  mask.fill(1, fftSize - end + 1, fftSize - Math.max(begin, 1) + 1);
  return mask;
}

/** What is wrong with a pattern on this grid, or undefined. The grid must have no gridProblem. */
export function patternProblem(keep: FrequencyPattern, grid: MonarchGrid): FieldProblem | undefined {
  const half = grid.fftSize / 2 + 1;
  switch (keep.kind) {
    case 'block':
      return countsProblem(keep.counts, grid);
    case 'comb':
      return keep.rows < 1 || keep.rows > grid.factors[0]
        ? { field: 'rows', message: `${keep.rows} is not between 1 and ${grid.factors[0]}, the rows of digit n1` }
        : undefined;
    case 'lowpass':
      return binsOfFraction(keep.fraction, grid.fftSize) < 1
        ? { field: 'fraction', message: `${keep.fraction} of ${half} bins is not one whole bin`, hint: `Keep at least ${1 / half}.` }
        : undefined;
    case 'bandpass':
      return binsOfFraction(keep.from, grid.fftSize) >= binsOfFraction(keep.to, grid.fftSize)
        ? { field: 'to', message: `the band from ${keep.from} to ${keep.to} holds none of the ${half} bins` }
        : undefined;
    case 'energy':
    case 'cells': {
      const problem = cellsProblem(keep.cells, grid);
      return problem === undefined ? undefined : { ...problem, field: `cells.${problem.field}` };
    }
  }
}

function countsProblem(counts: readonly number[], grid: MonarchGrid): FieldProblem | undefined {
  const name = grid.factors.join('x');
  if (counts.length !== grid.factors.length) {
    return { field: 'counts', message: `${counts.length} counts for the ${grid.factors.length} digits of the grid ${name}` };
  }
  const digit = counts.findIndex((count, i) => !Number.isInteger(count) || count < 1 || count > grid.factors[i]);
  return digit < 0
    ? undefined
    : { field: `counts[${digit}]`, message: `${counts[digit]} is not between 1 and ${grid.factors[digit]}, digit n${digit + 1} of the grid ${name}` };
}
