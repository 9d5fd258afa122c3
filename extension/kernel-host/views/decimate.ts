import type { MinMax } from '../../core/protocol/kernel-host';

export interface Decimated extends MinMax { readonly x: Float64Array }

/**
 * A row of values as positions see it. A ring: position p < 0 is index length + p, and only -length/2 <= p < length/2 hold values; everything
 * outside counts as 0. `first`: the position of a plain row's first value.
 */
export interface Positions { readonly values: ArrayLike<number>; readonly ring?: boolean; readonly first?: number }

/**
 * Reduces values[first..end) to at most `columns` (min, max) pairs so that no peak disappears from a plot (the M4 idea of
 * Jugel et al. 2014 without first and last). x[c] is the position of column c's first value.
 */
export function decimate(row: Positions, first: number, end: number, columns: number): Decimated {
  const count = Math.max(0, Math.min(columns, end - first));
  const x = new Float64Array(count);
  const min = new Float32Array(count);
  const max = new Float32Array(count);
  for (let c = 0; c < count; c++) {
    const begin = first + Math.floor((c * (end - first)) / count);
    const stop = first + Math.floor(((c + 1) * (end - first)) / count);
    const bounds: Bounds = { low: Infinity, high: -Infinity };
    for (const [from, to, index] of stretches(row)) scan(row.values, index, from, to, begin, stop, bounds);
    x[c] = begin;
    min[c] = bounds.low;
    max[c] = bounds.high;
  }
  return { x, min, max };
}

interface Bounds { low: number; high: number }

/** [from, to, index of the value at `from`, or -1 where there is none] for all positions, in ascending order. */
function stretches({ values, ring = false, first = 0 }: Positions): (readonly [number, number, number])[] {
  const { length } = values;
  if (!ring) return [[-Infinity, first, -1], [first, first + length, 0], [first + length, Infinity, -1]];
  const half = length / 2;
  return [[-Infinity, -half, -1], [-half, 0, length - half], [0, half, 0], [half, Infinity, -1]];
}

/** Widens the bounds by the values at positions [begin, stop) that lie in the stretch [from, to). */
function scan(values: ArrayLike<number>, index: number, from: number, to: number, begin: number, stop: number, bounds: Bounds): void {
  const [start, last] = [Math.max(begin, from), Math.min(stop, to)];
  if (start >= last) return;
  let { low, high } = bounds;
  if (index < 0) {
    low = Math.min(low, 0);
    high = Math.max(high, 0);
  } else {
    for (let i = index + start - from, lastIndex = index + last - from; i < lastIndex; i++) {
      const value = values[i];
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  bounds.low = low;
  bounds.high = high;
}
