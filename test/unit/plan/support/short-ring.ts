import type { Direction, Site } from '../../../../extension/core/families/model';

/**
 * The ring of 2n values that the original code convolves n samples with, laid out as its lines do: a causal filter, or one that holds the
 * whole ring, is cut to 2n values; of a bidirectional one, the forward half padded by n is added to the reversed half behind n zeros.
 * Source: HazyResearch/safari, long_conv.py, h3_conv.py and standalone_long_convs.py.
 */
export function ringOfShortRun(kind: NonNullable<Site['ringOfRun']>, direction: Direction, row: ArrayLike<number>, n: number): Float64Array {
  const ring = new Float64Array(2 * n);
  const put = (from: ArrayLike<number>, at: number): void => {
    for (let i = 0; i < from.length && at + i < 2 * n; i++) ring[at + i] += from[i];
  };
  if (kind === 'cut' || direction === 'causal') {
    put(row, 0);
  } else {
    const values = Array.from(row);
    put(values.slice(0, values.length / 2), 0);
    put(values.slice(values.length / 2), n);
  }
  return ring;
}
