import { UserError } from '../../errors';

/** B rows of H channels of L points. */
export interface BenchShape { readonly batch: number; readonly channels: number; readonly length: number }

/** How the filter is cut before it is run; see parseOperations. */
export type BenchOperation =
  | { readonly kind: 'dense' }
  | { readonly kind: 'partial'; readonly taps: number }
  | { readonly kind: 'comb'; readonly amount: number }
  | { readonly kind: 'lowpass'; readonly fraction: number }
  | { readonly kind: 'block'; readonly counts: readonly number[] };

/** Samples of inputs, outputs, gates and unmasked filters; arithmetic is float32 whatever the type. */
export type BenchSampleType = 'f32' | 'f16' | 'bf16';

export interface BenchRequest {
  readonly backend: 'cpu' | 'cuda';
  readonly shapes: readonly BenchShape[];
  readonly operations: readonly BenchOperation[];
  /** Of the kernels and of the baselines; default: all of the machine's. */
  readonly threads?: number;
  /** Multiply the input and the result by gates. */
  readonly gated: boolean;
  /** Circular convolution of the row's own length in place of a causal one. */
  readonly circular: boolean;
  readonly dtype: BenchSampleType;
}

/** One measured convolution: one element of `bench --json`. */
export interface BenchResult {
  readonly backend: string;
  readonly op: string;
  readonly causal: boolean;
  readonly gated: boolean;
  readonly dtype: BenchSampleType;
  readonly B: number;
  readonly H: number;
  readonly L: number;
  /** FFT size that the convolution is defined on: a power of two of at least 2 L; L where it is circular. */
  readonly N: number;
  /** Share of the taps (partial) or of the independent bins that are kept. */
  readonly kept: number;
  readonly threads: number;
  readonly median_ms: number;
  readonly mad_ms: number;
  /** The least time that the bytes and the multiply-adds take at the rates measured in the same run; see floor.ts. */
  readonly floor_ms: number;
  /** Relative L2 difference to direct float64 sums over sampled outputs. */
  readonly error: number;
  /** Kernel that was chosen. */
  readonly algorithm: string;
  /** Median milliseconds of what else was measured on the same data: dense, fftw, onnxruntime-dft, onnxruntime-conv. */
  readonly baselines: Readonly<Record<string, number>>;
}

/** Samples of a signal that one array can be expected to hold. */
const MOST_SAMPLES = 2 ** 31;

/** `B1H256L8192,B2H64L1024`. Throws a UserError for anything else. */
export function parseShapes(text: string): BenchShape[] {
  return text.split(',').map((part) => {
    const match = /^B(\d+)H(\d+)L(\d+)$/i.exec(part.trim());
    const [batch, channels, length] = (match ?? []).slice(1).map(Number);
    if (!match || [batch, channels, length].some((size) => size < 1) || !Number.isSafeInteger(batch * channels * length)) {
      throw new UserError(`"${part.trim()}" is no shape: B, H and L with a size of at least 1 each are needed.`, 'Write for example B1H256L8192.');
    }
    if (batch * channels * length > MOST_SAMPLES) {
      throw new UserError(`"${part.trim()}" has ${batch * channels * length} samples, more than the ${MOST_SAMPLES} that a measurement can have.`, 'Take fewer channels or a shorter signal.');
    }
    return { batch, channels, length };
  });
}

/**
 * `dense`, `partial:K` (taps), `comb:F` (F <= 1: share of the n1 rows, above 1: number of rows), `lowpass:F` (share of the bins),
 * `block:a.b.c` (values kept of each digit), separated by commas. Throws a UserError for anything else.
 */
export function parseOperations(text: string): BenchOperation[] {
  return text.split(',').map((part) => parseOperation(part.trim()));
}

function parseOperation(text: string): BenchOperation {
  const [kind, value, ...rest] = text.split(':');
  const number = value === undefined || value.trim() === '' ? NaN : Number(value);
  const counts = (value ?? '').split('.').map(Number);
  if (rest.length === 0) {
    if (kind === 'dense' && value === undefined) return { kind };
    if (kind === 'partial' && isCount(number)) return { kind, taps: number };
    if (kind === 'comb' && (isCount(number) || (number > 0 && number < 1))) return { kind, amount: number };
    if (kind === 'lowpass' && number > 0 && number <= 1) return { kind, fraction: number };
    if (kind === 'block' && counts.every(isCount)) return { kind, counts };
  }
  throw new UserError(
    `"${text}" is no operation of the benchmark.`,
    'There are dense, partial:K, comb:F, lowpass:F and block:a.b.c, for example partial:128, comb:0.25 or block:16.8.16.',
  );
}

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 1;

/** The operation as it is written on the command line. */
export function operationName(operation: BenchOperation): string {
  switch (operation.kind) {
    case 'dense': return 'dense';
    case 'partial': return `partial:${operation.taps}`;
    case 'comb': return `comb:${operation.amount}`;
    case 'lowpass': return `lowpass:${operation.fraction}`;
    case 'block': return `block:${operation.counts.join('.')}`;
  }
}
