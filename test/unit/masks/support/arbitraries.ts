import fc from 'fast-check';
import type { CellSet, MonarchGrid } from '../../../../extension/core/plan/plan';

/** Grids of 1 to 4 factors 2..16 whose product is at most 4096. */
export const anyGrid = (): fc.Arbitrary<MonarchGrid> =>
  fc.array(fc.constantFrom(2, 4, 8, 16), { minLength: 1, maxLength: 4 })
    .filter((factors) => product(factors) <= 4096)
    .map((factors) => ({ fftSize: product(factors), factors, taps: product(factors) / 2 }));

export interface DigitsOfGrid { readonly grid: MonarchGrid; readonly digits: number[] }

/** A grid and some of its digits, in any order. */
export const anyDigits = (): fc.Arbitrary<DigitsOfGrid> =>
  anyGrid().chain((grid) => fc.shuffledSubarray([...grid.factors.keys()], { minLength: 1 }).map((digits) => ({ grid, digits })));

/** A grid, digits, and a flag for each cell. */
export const anyCells = (): fc.Arbitrary<DigitsOfGrid & { readonly flags: Uint8Array }> =>
  anyDigits().chain(({ grid, digits }) => {
    const count = product(digits.map((digit) => grid.factors[digit]));
    return fc.uint8Array({ minLength: count, maxLength: count, max: 1 }).map((flags) => ({ grid, digits, flags }));
  });

/** A grid and a block on it. */
export const anyBlock = (): fc.Arbitrary<{ readonly grid: MonarchGrid; readonly counts: number[] }> =>
  anyGrid().chain((grid) => fc.tuple(...grid.factors.map((factor) => fc.integer({ min: 1, max: factor }))).map((counts) => ({ grid, counts })));

export const emptyCells = (digits: readonly number[]): CellSet => ({ digits, runs: [] });

const product = (numbers: readonly number[]): number => numbers.reduce((a, b) => a * b, 1);
