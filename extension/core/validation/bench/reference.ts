import type { ConvolutionSpec } from '../../engine/engine';
import { mulberry32 } from '../statistics';
import type { BenchShape } from './request';

/** What a measured call read and wrote, all as float32 values of the samples. */
export interface MeasuredCall {
  readonly spec: ConvolutionSpec;
  /** [H, filterLength] */
  readonly rows: Float32Array;
  readonly shape: BenchShape;
  /** [B, H, L] each */
  readonly input: Float32Array;
  readonly output: Float32Array;
  readonly preGate?: Float32Array;
  readonly postGate?: Float32Array;
}

/** Multiply-adds that a check may take: a fraction of a second. */
const BUDGET = 2 ** 26;

/**
 * Relative L2 difference of sampled outputs to sums computed directly in float64 from the definition of the mode (engine.ts), without
 * any transform. The samples are spread over all rows and positions, the last point of the last row among them; the same in every run.
 */
export function sampledError(call: MeasuredCall): number {
  const { shape: { batch, channels, length }, output } = call;
  const samples = Math.max(32, Math.min(512, Math.floor(BUDGET / length)));
  const random = mulberry32(length);
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < samples; i++) {
    const row = i === 0 ? batch * channels - 1 : Math.floor(random() * batch * channels);
    const t = i === 0 ? length - 1 : Math.floor(random() * length);
    const expected = directSum(call, row, t);
    difference += (output[row * length + t] - expected) ** 2;
    norm += expected ** 2;
  }
  return Math.sqrt(difference / norm);
}

function directSum({ spec, rows, shape: { channels, length }, input, preGate, postGate }: MeasuredCall, row: number, t: number): number {
  const k = (row % channels) * spec.filterLength;
  const at = row * length;
  const x = (s: number): number => (preGate ? input[at + s] * preGate[at + s] : input[at + s]);
  const taps = spec.filterLength;
  let sum = 0;
  if (spec.mode === 'causal') {
    for (let j = 0; j < taps && j <= t; j++) sum += rows[k + j] * x(t - j);
  } else if (spec.mode === 'circular') {
    for (let j = 0; j < taps; j++) sum += rows[k + j] * x(j <= t ? t - j : t - j + length);
  } else {
    for (let s = 0; s < length; s++) sum += rows[k + (s <= t ? t - s : t - s + taps)] * x(s);
  }
  return postGate ? sum * postGate[at + t] : sum;
}
