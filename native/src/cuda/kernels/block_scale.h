// Powers of two that bring a block of numbers to where float16 holds them best.
#pragma once

#include <gpu/device.h>

namespace longconv::cuda {

/// The largest of the warp's values, in every lane.
__device__ __forceinline__ float warp_max(float value) {
  for (int mask = 16; mask > 0; mask /= 2) value = fmaxf(value, gpu::shuffle_xor(value, mask));
  return value;
}

/// The power of two that brings `largest` into [1, 2); 1 for zeros, infinities and NaN, which pass through.
__device__ __forceinline__ float scale_to_one(float largest) {
  if (!(largest > 0) || largest > 3.0e38f) return 1;
  int exponent;
  frexpf(largest, &exponent);
  const int power = 1 - exponent;
  return ldexpf(1.0f, power < -126 ? -126 : power > 126 ? 126 : power);
}

}  // namespace longconv::cuda
