import type { MinMax } from '../../core/protocol/kernel-host';

export interface Decimated extends MinMax { readonly x: Float64Array }

/**
 * Reduces values[first..end) to at most `columns` (min, max) pairs so that no peak disappears from a plot (the M4 idea of
 * Jugel et al. 2014 without first and last). x[c] is the position of column c's first value. `at` gives the value at a position.
 */
export function decimate(at: (position: number) => number, first: number, end: number, columns: number): Decimated {
  const count = Math.max(0, Math.min(columns, end - first));
  const x = new Float64Array(count);
  const min = new Float32Array(count);
  const max = new Float32Array(count);
  for (let c = 0; c < count; c++) {
    const begin = first + Math.floor((c * (end - first)) / count);
    const stop = first + Math.floor(((c + 1) * (end - first)) / count);
    let low = Infinity;
    let high = -Infinity;
    for (let p = begin; p < stop; p++) {
      const value = at(p);
      if (value < low) low = value;
      if (value > high) high = value;
    }
    x[c] = begin;
    min[c] = low;
    max[c] = high;
  }
  return { x, min, max };
}
