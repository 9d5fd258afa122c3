// Where point `index` of the state lies in shared memory (words of 4 bytes): exclusive-or of address bits, so that every access of the
// kernels touches 32 different banks. All masks are linear: swizzle(a ^ b) == swizzle(a) ^ swizzle(b).
// So the kernels put places together from the lane's part, the task's and one that the compiler knows.
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

/// Column tile: index = (16 rows, 16 rows, 64 columns); lanes write rows of the first and read rows of either.
__host__ __device__ constexpr int swizzle_columns(int index) {
  return index ^ (((index >> 5) & 1) << 3) ^ (((index >> 7) & 3) << 3) ^ (((index >> 10) & 1) << 2) ^ (((index >> 11) & 3) << 3);
}

/// Where a lane's staged piece lies among those of its warp: neighbours in device memory (g, for one row t) side by side, as asynchronous
/// copies want it, and shifted so that the lanes' reads still touch all banks. piece_bytes: 8 or 16.
__host__ __device__ constexpr int staged_slot(int lane, int piece_bytes) {
  const int g = lane >> 2, t = lane & 3;
  return 8 * t + (g ^ (piece_bytes == 16 ? 2 * t : 4 * (t >> 1)));
}

}  // namespace longconv::cuda
