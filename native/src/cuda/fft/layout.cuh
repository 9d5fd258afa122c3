// Where point `index` of the state lies in shared memory (words of 4 bytes): exclusive-or of address bits, so that every access of the
// kernels touches 32 different banks. All masks are linear: swizzle(a ^ b) == swizzle(a) ^ swizzle(b).
#pragma once

#include <cuda_runtime_api.h>

namespace longconv::cuda {

/// On-chip state: index = (first digit, middle digit, 256 points of the core). kMiddle: radix of the middle digit, 1 without.
template <int kMiddle>
__host__ __device__ constexpr int swizzle(int index) {
  int out = index ^ (((index >> 5) & 3) << 3) ^ (((index >> 8) & 7) << 2);
  if (kMiddle == 8) out ^= ((index >> 11) & 7) << 2;
  if (kMiddle == 16) out ^= ((index >> 12) & 7) << 2;
  return out;
}

/// Column tile: index = (16 rows written by lanes, 16 rows read by lanes, 64 columns).
__host__ __device__ constexpr int swizzle_columns(int index) {
  return index ^ (((index >> 5) & 1) << 3) ^ (((index >> 7) & 3) << 3) ^ (((index >> 10) & 1) << 2);
}

}  // namespace longconv::cuda
