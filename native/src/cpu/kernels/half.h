// 16-bit floating-point samples to and from float32.
//
// IEEE binary16 and bfloat16. Widening is exact; narrowing rounds to nearest, ties to even, overflows to infinity and keeps NaN a NaN.
// Written branch-free over integers so that the compiler vectorises it for every instruction set. Layout: contiguous rows.
#pragma once

#include "../kernel_table.h"
#include "longconv/convolution.h"
#include "vector.h"

namespace longconv::LC_ISA_NAMESPACE {

constexpr uint32_t kExponentShift = uint32_t{127 - 15} << 23;  ///< between the exponent biases of binary16 and float32

LC_INLINE uint32_t half_to_float_bits(uint32_t half) {
  const uint32_t magnitude = (half & 0x7fff) << 13, exponent = magnitude & 0x0f800000;
  // Subnormals: placed behind the leading one of 2^-14, which is then subtracted.
  const float subnormal = __builtin_bit_cast(float, magnitude + kExponentShift + (1u << 23)) - __builtin_bit_cast(float, kExponentShift + (1u << 23));
  const uint32_t normal = magnitude + kExponentShift + (exponent == 0x0f800000 ? kExponentShift : 0);
  return (exponent == 0 ? __builtin_bit_cast(uint32_t, subnormal) : normal) | (half & 0x8000) << 16;
}

LC_INLINE uint32_t float_to_half_bits(uint32_t bits) {
  const uint32_t magnitude = bits & 0x7fffffff;
  const uint32_t normal = (magnitude - kExponentShift + 0xfff + ((magnitude >> 13) & 1)) >> 13;
  // Below 2^-14: the sum with 1/2 has a last place of 2^-24, that of binary16's subnormals, and is rounded there.
  const float small = __builtin_bit_cast(float, magnitude < 0x38800000 ? magnitude : 0) + 0.5f;
  const uint32_t subnormal = __builtin_bit_cast(uint32_t, small) - 0x3f000000;
  const uint32_t nan = 0x7e00 | ((magnitude >> 13) & 0x1ff);
  // 65520, halfway between the largest binary16 and the next power of two, rounds to infinity.
  const uint32_t finite = magnitude < 0x38800000 ? subnormal : magnitude >= 0x477ff000 ? 0x7c00 : normal;
  return (magnitude > 0x7f800000 ? nan : finite) | ((bits >> 16) & 0x8000);
}

LC_INLINE uint32_t float_to_brain_bits(uint32_t bits) {
  const uint32_t rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16, nan = (bits >> 16) | 0x40;
  return (bits & 0x7fffffff) > 0x7f800000 ? nan : rounded;
}

static void widen(float* __restrict dst, const uint16_t* __restrict src, int32_t sample_type, int64_t count) {
  if (sample_type == LC_FLOAT16)
    for (int64_t i = 0; i < count; ++i) dst[i] = __builtin_bit_cast(float, half_to_float_bits(src[i]));
  else
    for (int64_t i = 0; i < count; ++i) dst[i] = __builtin_bit_cast(float, static_cast<uint32_t>(src[i]) << 16);
}

static void narrow(uint16_t* __restrict dst, const float* __restrict src, int32_t sample_type, int64_t count) {
  if (sample_type == LC_FLOAT16)
    for (int64_t i = 0; i < count; ++i) dst[i] = static_cast<uint16_t>(float_to_half_bits(__builtin_bit_cast(uint32_t, src[i])));
  else
    for (int64_t i = 0; i < count; ++i) dst[i] = static_cast<uint16_t>(float_to_brain_bits(__builtin_bit_cast(uint32_t, src[i])));
}

}  // namespace longconv::LC_ISA_NAMESPACE
