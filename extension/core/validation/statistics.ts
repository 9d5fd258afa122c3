import type { Timing } from './report';

/** Median of the values; the mean of the middle two for an even count. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Median and median absolute deviation of times in milliseconds. */
export function timing(samples: readonly number[]): Timing {
  const middle = median(samples);
  return { median_ms: middle, mad_ms: median(samples.map((value) => Math.abs(value - middle))), samples: samples.length };
}

export interface Interval { readonly mean: number; readonly low: number; readonly high: number }

const RESAMPLES = 2000;

/**
 * Mean of paired differences with a 95% percentile-bootstrap interval over the pairs (Efron & Tibshirani 1993, chapter 13).
 * The resampling is seeded, so a report can be reproduced.
 */
export function pairedBootstrap(differences: readonly number[]): Interval {
  const n = differences.length;
  const mean = differences.reduce((a, b) => a + b, 0) / n;
  const random = mulberry32(0x5eed);
  const means = Array.from({ length: RESAMPLES }, () => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += differences[Math.floor(random() * n)];
    return sum / n;
  }).sort((a, b) => a - b);
  return { mean, low: means[Math.floor(0.025 * RESAMPLES)], high: means[Math.ceil(0.975 * RESAMPLES) - 1] };
}

/** Small seeded generator of uniform numbers in [0, 1) (Tommy Ettinger's mulberry32). */
export function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
