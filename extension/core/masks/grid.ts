import { UserError } from '../errors';
import type { Direction } from '../families/model';
import type { MonarchGrid } from '../plan/plan';

/**
 * The Monarch grid: an N-point spectrum seen as a p-dimensional array, N = N1*N2*...*Np. Frequency f has digits n1..np with
 * f = n1 + N1*(n2 + N2*(n3 + ...)): n1 = f mod N1 selects a comb, np a contiguous band. Default factors as in FlashFFTConv
 * (arXiv 2311.05908) for N = 256 to 4194304; below that they are the two powers of two nearest to sqrt(N), larger first, and
 * above it the first factor goes on growing.
 */
const FLASH_FACTORS: ReadonlyMap<number, readonly number[]> = new Map([
  [256, [16, 16]],
  [512, [32, 16]],
  [1024, [32, 32]],
  [2048, [16, 16, 8]],
  [4096, [16, 16, 16]],
  [8192, [32, 16, 16]],
  [16384, [16, 32, 32]],
  [32768, [32, 32, 32]],
  [65536, [16, 16, 16, 16]],
  [131072, [32, 16, 16, 16]],
  [262144, [32, 32, 16, 16]],
  [524288, [32, 16, 32, 32]],
  [1048576, [32, 32, 32, 32]],
  [2097152, [64, 32, 32, 32]],
  [4194304, [128, 32, 32, 32]],
]);

/** Largest FFT size of a grid, and so the largest with default factors: beyond it a mask takes gigabytes before any filter is masked. */
export const LARGEST_DEFAULT_FFT_SIZE = 2 ** 26;

/** Smallest power of two that is at least `n`. */
export function powerOfTwoAtLeast(n: number): number {
  let power = 1;
  while (power < n) {
    power *= 2;
  }
  return power;
}

function isPowerOfTwo(n: number): boolean {
  return Number.isInteger(n) && n >= 1 && powerOfTwoAtLeast(n) === n;
}

/** Tokens per window when the user names no length: the largest power of two that is at most `maxLength` (1026 gives 1024). */
export function defaultLength(maxLength: number): number {
  const power = powerOfTwoAtLeast(maxLength);
  return power === maxLength ? power : power / 2;
}

/** Default factors of an FFT size. Throws a UserError for a size that no grid can have. */
export function defaultFactors(fftSize: number): readonly number[] {
  const factors = FLASH_FACTORS.get(fftSize);
  if (factors !== undefined) {
    return factors;
  }
  if (!isPowerOfTwo(fftSize) || fftSize < 2 || fftSize > LARGEST_DEFAULT_FFT_SIZE) {
    throw new UserError(
      `There is no default grid for FFT size ${fftSize}: defaults exist for the powers of two from 2 to ${LARGEST_DEFAULT_FFT_SIZE}.`,
      'Choose one of these sizes.',
    );
  }
  if (fftSize > 256) {
    return [fftSize / 32768, 32, 32, 32];
  }
  const large = 2 ** Math.ceil(Math.log2(fftSize) / 2);
  return fftSize === 2 ? [2] : [large, fftSize / large];
}

export interface GridRequest {
  /** L, taps of the site. */
  readonly siteTaps: number;
  /** Longest input of the site, in samples. */
  readonly maxLength: number;
  /** Default: causal. */
  readonly direction?: Direction;
  /** Chosen by the user; the default covers a linear convolution of the model's default length. */
  readonly fftSize?: number;
  readonly factors?: readonly number[];
}

/**
 * Grid of a new frequency mask. On a circular site it is the ring itself, N = L. On a causal or bidirectional site, without a chosen size N is the smallest power of two >= 2T, T the model's
 * default length, and the first min(L, T) taps enter the FFT: taps beyond T never act on windows of T tokens. With a chosen
 * N the first min(L, N/2) taps enter. Throws a UserError when size and factors do not fit.
 */
export function defaultGrid(request: GridRequest): MonarchGrid {
  const product = request.factors?.reduce((a, b) => a * b, 1);
  const circular = request.direction === 'circular';
  const smallest = circular ? powerOfTwoAtLeast(Math.max(2, request.siteTaps)) : 2 * powerOfTwoAtLeast(defaultLength(request.maxLength));
  const fftSize = request.fftSize ?? product ?? smallest;
  const factors = request.factors ?? defaultFactors(fftSize);
  const grid: MonarchGrid = { fftSize, factors: [...factors], taps: circular ? fftSize : Math.min(request.siteTaps, Math.floor(fftSize / 2)) };
  const problem = gridProblem(grid);
  if (problem !== undefined) {
    throw new UserError(`${problem.field}: ${problem.message}.`, problem.hint);
  }
  return grid;
}

/** What is wrong with a value that the user gave; `field` is relative to the object that was checked. */
export interface FieldProblem {
  readonly field: string;
  /** Without a full stop, so that it can be followed by a place. */
  readonly message: string;
  readonly hint?: string;
}

/** What is wrong with a grid, or undefined. Does not look at the site. */
export function gridProblem(grid: MonarchGrid): FieldProblem | undefined {
  const { fftSize, factors, taps } = grid;
  if (!isPowerOfTwo(fftSize) || fftSize < 2) {
    return {
      field: 'fftSize',
      message: `${fftSize} is not a power of two, which the FFT kernels need`,
      hint: 'Use a power of two that is at least twice the length of the inputs.',
    };
  }
  if (fftSize > LARGEST_DEFAULT_FFT_SIZE) {
    return { field: 'fftSize', message: `${fftSize} is more than the largest supported size, ${LARGEST_DEFAULT_FFT_SIZE}` };
  }
  const bad = factors.find((factor) => !Number.isInteger(factor) || factor < 2);
  if (factors.length === 0 || bad !== undefined) {
    const what = bad === undefined ? 'the list is empty' : `${bad} is not a whole number of at least 2`;
    return { field: 'factors', message: what, hint: `The factors are whole numbers from 2 whose product is ${fftSize}.` };
  }
  const product = factors.reduce((a, b) => a * b, 1);
  if (product !== fftSize) {
    return {
      field: 'factors',
      message: `${factors.join(' x ')} = ${product}, but fftSize is ${fftSize}`,
      hint: FLASH_FACTORS.has(fftSize) ? `The default factors of ${fftSize} are ${defaultFactors(fftSize).join(', ')}.` : undefined,
    };
  }
  if (!Number.isInteger(taps) || taps < 1 || (taps > fftSize / 2 && taps !== fftSize)) {
    return {
      field: 'taps',
      message: `${taps} is not between 1 and fftSize/2 = ${fftSize / 2}, the causal half of the grid (or the whole grid, for a circular convolution)`,
      hint: 'Use a larger fftSize or fewer taps.',
    };
  }
  return undefined;
}

/** Digits n1..np of frequency f. */
export function digitsOfFrequency(frequency: number, factors: readonly number[]): number[] {
  let rest = frequency;
  return factors.map((factor) => {
    const digit = rest % factor;
    rest = (rest - digit) / factor;
    return digit;
  });
}

/** The frequency with digits n1..np. */
export function frequencyOfDigits(digits: readonly number[], factors: readonly number[]): number {
  return digits.reduceRight((frequency, digit, i) => frequency * factors[i] + digit, 0);
}

/** "2048 = 16x16x8", for titles and descriptions. */
export function gridName(grid: Pick<MonarchGrid, 'fftSize' | 'factors'>): string {
  return `${grid.fftSize} = ${grid.factors.join('x')}`;
}
