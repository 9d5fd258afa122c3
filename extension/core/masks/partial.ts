import type { PartialMask } from '../plan/plan';

/**
 * [K] weight of each kept lag: 1, then a raised cosine over the last T = taper lags that neither repeats the 1 nor reaches 0:
 * w(K - T + i) = (1 + cos(pi (i + 1) / (T + 1))) / 2, i = 0..T-1.
 */
export function lagWeights(partial: PartialMask): Float64Array {
  const weights = new Float64Array(partial.taps).fill(1);
  const taper = partial.taper ?? 0;
  for (let i = 0; i < taper; i++) {
    weights[partial.taps - taper + i] = (1 + Math.cos((Math.PI * (i + 1)) / (taper + 1))) / 2;
  }
  return weights;
}

/**
 * [columns] the same weights for lags on both sides of 0, on a ring of `columns` lags: lag j in column j, lag -j in column columns - j.
 * Lags of K and beyond weigh 0.
 */
export function ringLagWeights(partial: PartialMask, columns: number): Float64Array {
  const oneSided = lagWeights(partial);
  return new Float64Array(columns).map((_, n) => oneSided[Math.min(n, columns - n)] ?? 0);
}
