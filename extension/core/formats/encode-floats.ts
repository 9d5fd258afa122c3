import type { FloatDType } from './dtype';
import { bfloat16ToFloat32, float16ToFloat32, float32ToBfloat16, float32ToFloat16 } from './float16';

export interface EncodedFloats {
  /** Little-endian. */
  readonly bytes: Uint8Array;
  /** ||stored - values|| / ||values||; 0 where every value is stored exactly, Infinity where one is beyond the type's largest number. */
  readonly roundingError: number;
}

/** Values in another floating-point type, each rounded to the nearest number of that type. */
export function encodeFloats(values: Float32Array, dtype: FloatDType): EncodedFloats {
  if (dtype === 'F32') {
    return { bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength), roundingError: 0 };
  }
  if (dtype === 'F64') {
    return { bytes: new Uint8Array(Float64Array.from(values).buffer), roundingError: 0 };
  }
  const [narrow, widen] = dtype === 'F16' ? [float32ToFloat16, float16ToFloat32] : [float32ToBfloat16, bfloat16ToFloat32];
  const stored = Uint16Array.from(values, narrow);
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < values.length; i++) {
    difference += (widen(stored[i]) - values[i]) ** 2;
    norm += values[i] ** 2;
  }
  return { bytes: new Uint8Array(stored.buffer), roundingError: difference === 0 ? 0 : Math.sqrt(difference / norm) };
}
