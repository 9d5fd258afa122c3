import type { SampleArray } from '../../engine/engine';
import { float32ToBfloat16, float32ToFloat16, widenBfloat16, widenFloat16 } from '../../formats/float16';
import type { BenchSampleType } from './request';

export const SAMPLE_BYTES: Readonly<Record<BenchSampleType, number>> = { f32: 4, f16: 2, bf16: 2 };

/** `count` uniform numbers of variance 1, the same for the same seed (xorshift32). */
export function noise(count: number, seed: number): Float32Array {
  const values = new Float32Array(count);
  const scale = Math.sqrt(3) / 2 ** 31;
  let state = (seed * 2654435761) >>> 0 || 1;
  for (let i = 0; i < count; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    values[i] = (state >> 0) * scale;
  }
  return values;
}

/** The values rounded to the type, in its own array. float32 values are returned as they are. */
export function toSamples(values: Float32Array, type: BenchSampleType): SampleArray {
  if (type === 'f32') return values;
  const round = type === 'f16' ? float32ToFloat16 : float32ToBfloat16;
  // Not Uint16Array.from(values, round): it gathers all values in a JavaScript array first.
  const samples = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) samples[i] = round(values[i]);
  return samples;
}

/** The samples as float32, exactly. */
export function fromSamples(samples: SampleArray, type: BenchSampleType): Float32Array {
  if (samples instanceof Float32Array) return samples;
  const values = new Float32Array(samples.length);
  (type === 'f16' ? widenFloat16 : widenBfloat16)(samples, values);
  return values;
}

export function emptySamples(count: number, type: BenchSampleType): SampleArray {
  return type === 'f32' ? new Float32Array(count) : new Uint16Array(count);
}
