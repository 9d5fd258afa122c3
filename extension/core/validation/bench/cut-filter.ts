import type { ConvolutionSpec, Engine } from '../../engine/engine';
import { UserError } from '../../errors';
import { cellSet } from '../../masks/cells';
import { defaultFactors, powerOfTwoAtLeast } from '../../masks/grid';
import { patternProblem } from '../../masks/patterns';
import { effectiveGain, keptBins, keptFraction } from '../../masks/symmetry';
import type { FrequencyPattern, MonarchGrid } from '../../plan/plan';
import { operationName } from './request';
import type { BenchOperation, BenchShape } from './request';

/** A filter as the benchmark runs it. */
export interface CutFilter {
  readonly spec: ConvolutionSpec;
  /** [channels, spec.filterLength] */
  readonly rows: Float32Array;
  readonly fftSize: number;
  /** Share of the taps or of the independent bins that are kept. */
  readonly kept: number;
}

/**
 * Cuts noise filters [H, L] by the operation. Frequency masks are on the default grid of N points with conjugate symmetry: causal ones
 * run on it with dropped blocks skipped; circular ones become circular filters of L = N taps, of which the kernels skip nothing.
 * Throws a UserError where the operation does not fit the shape.
 */
export async function cutFilter(engine: Engine, operation: BenchOperation, shape: BenchShape, circular: boolean, filter: Float32Array): Promise<CutFilter> {
  const { channels, length } = shape;
  const fftSize = circular ? length : powerOfTwoAtLeast(2 * length);
  const mode = circular ? 'circular' : 'causal';
  const spec = { channels, mode, filterLength: length, maxLength: length } as const;
  if (operation.kind === 'dense') return { spec, rows: filter, fftSize, kept: 1 };
  if (operation.kind === 'partial') {
    const { taps } = operation;
    if (taps > length) throw new UserError(`partial:${taps} keeps more taps than a filter of ${length} has.`, `Choose at most ${length}.`);
    const rows = new Float32Array(channels * taps);
    for (let c = 0; c < channels; c++) rows.set(filter.subarray(c * length, c * length + taps), c * taps);
    return { spec: { ...spec, filterLength: taps }, rows, fftSize, kept: taps / length };
  }
  const grid: MonarchGrid = { fftSize, factors: defaultFactors(fftSize), taps: length };
  const keep = pattern(operation, grid);
  const problem = patternProblem(keep, grid);
  if (problem !== undefined) throw new UserError(`${operationName(operation)} does not fit inputs of ${length} points: ${problem.message}.`, problem.hint);
  const gain = effectiveGain({ grid, symmetry: 'conjugate', keep });
  const { masked } = await engine.maskFilter({ filter, channels, taps: length, frequency: { fftSize, gain }, want: 'grid' });
  const cut = { rows: masked!, fftSize, kept: keptFraction(gain) };
  if (circular) return { ...cut, spec };
  return { ...cut, spec: { channels, mode: 'grid', filterLength: fftSize, maxLength: length, grid: { fftSize, factors: grid.factors, kept: keptBins(gain) } } };
}

function pattern(operation: Exclude<BenchOperation, { kind: 'dense' | 'partial' }>, grid: MonarchGrid): FrequencyPattern {
  switch (operation.kind) {
    case 'lowpass': return { kind: 'lowpass', fraction: operation.fraction };
    case 'block': return { kind: 'block', counts: [...operation.counts] };
    case 'comb': return { kind: 'cells', cells: cellSet(combRows(operation.amount, grid.factors[0]), [0]) };
  }
}

/**
 * [n1] 1 for the kept rows f mod n1 of a comb: those nearest to frequency 0 with their mirrors, 0, 1, n1-1, 2, n1-2 ..., as many whole
 * pairs as fit, then row n1/2, its own mirror, if one more fits. `amount` <= 1 is a share of the rows, above 1 their number; at least
 * row 0 is kept. Throws a UserError where there are fewer rows.
 */
export function combRows(amount: number, n1: number): Uint8Array {
  const most = amount <= 1 ? Math.max(1, Math.floor(amount * n1 + 1e-9)) : amount;
  if (most > n1) throw new UserError(`comb:${amount} keeps more rows than the ${n1} of digit n1.`, `Choose at most ${n1}.`);
  const rows = new Uint8Array(n1);
  rows[0] = 1;
  let kept = 1;
  for (let r = 1; 2 * r < n1 && kept + 2 <= most; r++, kept += 2) rows[r] = rows[n1 - r] = 1;
  if (n1 > 1 && kept < most) rows[n1 / 2] = 1;
  return rows;
}
