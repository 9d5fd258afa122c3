/**
 * IEEE 754 binary16 (F16) and bfloat16 (BF16) to and from float32. Bit patterns are unsigned 16-bit integers.
 * Narrowing rounds to nearest, ties to even; overflow gives infinity; NaN stays NaN, with its sign and its highest payload bits.
 */

const scratch = new DataView(new ArrayBuffer(4));
let halfTable: Float32Array | undefined;

/** Float32 value of every F16 bit pattern, built on first use (256 KiB). */
function halfValues(): Float32Array {
  if (!halfTable) {
    const bits = new Uint32Array(65536);
    for (let half = 0; half < 65536; half++) {
      bits[half] = halfToFloatBits(half);
    }
    halfTable = new Float32Array(bits.buffer);
  }
  return halfTable;
}

function halfToFloatBits(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >>> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0x1f) {
    return (sign | 0x7f800000 | (fraction << 13)) >>> 0;
  }
  if (exponent !== 0) {
    return (sign | ((exponent + 112) << 23) | (fraction << 13)) >>> 0;
  }
  if (fraction === 0) {
    return sign >>> 0;
  }
  // A subnormal: shift the leading one out of the fraction; float32 has room for it as a normal number.
  const shift = Math.clz32(fraction) - 21;
  return (sign | ((113 - shift) << 23) | (((fraction << shift) & 0x3ff) << 13)) >>> 0;
}

export const float16ToFloat32 = (half: number): number => halfValues()[half];

/** Widens `source` into `target` from `offset` on. */
export function widenFloat16(source: Uint16Array, target: Float32Array, offset = 0): void {
  const values = halfValues();
  for (let i = 0; i < source.length; i++) {
    target[offset + i] = values[source[i]];
  }
}

export function bfloat16ToFloat32(brain: number): number {
  scratch.setUint32(0, brain << 16);
  return scratch.getFloat32(0);
}

/** Widens `source` into `target` from `offset` on. */
export function widenBfloat16(source: Uint16Array, target: Float32Array, offset = 0): void {
  const bits = new Uint32Array(target.buffer, target.byteOffset + 4 * offset, source.length);
  for (let i = 0; i < source.length; i++) {
    bits[i] = source[i] << 16;
  }
}

/** Bit pattern of the F16 nearest to `value`, which is taken as a float32. */
export function float32ToFloat16(value: number): number {
  scratch.setFloat32(0, value);
  const bits = scratch.getUint32(0);
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) {
    return sign | 0x7e00 | ((magnitude >>> 13) & 0x1ff);
  }
  // 65520 is halfway between the largest F16, 65504, and the next power of two: from there on it rounds to infinity.
  if (magnitude >= 0x477ff000) {
    return sign | 0x7c00;
  }
  if (magnitude >= 0x38800000) {
    return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
  }
  // At most 2^-25, half of the smallest subnormal: rounds to zero (the tie to even as well).
  if (magnitude <= 0x33000000) {
    return sign;
  }
  const shift = 126 - (magnitude >>> 23);
  const fraction = (magnitude & 0x7fffff) | 0x800000;
  const half = 1 << (shift - 1);
  return sign | ((fraction + half - 1 + ((fraction >>> shift) & 1)) >>> shift);
}

/** Bit pattern of the BF16 nearest to `value`, which is taken as a float32. */
export function float32ToBfloat16(value: number): number {
  scratch.setFloat32(0, value);
  const bits = scratch.getUint32(0);
  if ((bits & 0x7fffffff) > 0x7f800000) {
    return (bits >>> 16) | 0x40;
  }
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) / 65536) & 0xffff;
}
