// Digits of the on-chip transform of n points, and where each frequency lies in the stored filter spectrum.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

namespace longconv::cuda {

constexpr int kSmallestOnChip = 256;
constexpr int kLargestOnChip = 32768;      // of one multiprocessor
constexpr int kLargestInCluster = 131072;  // of up to 8 that reach each other's shared memory; right-angle convolution
constexpr int kLargestPairInCluster = 65536;
constexpr int kColumnRadix = 256;  // rows of a long transform

struct Geometry {
  int first, middle;  // Q, M of one_pass.cuh: n = Q * M * 256
};

__host__ __device__ constexpr Geometry geometry_of(int points) {
  if (points == 16384) return {8, 8};
  if (points >= 32768) return {points / 4096, 16};
  return {points / 256, 1};
}

/// Frequency of half `half` of word `position` of a stored spectrum, f = q + Q (m + M (f1 + 16 f2)). With r = -f2 modulo 16 the order is
/// [q][m][f1 / 8][lane = 4 (f1 & 7) + (r >> 1 & 3)][r & 1][re, im][half = r / 8]: see core.cuh.
__host__ __device__ constexpr int filter_frequency(Geometry geometry, int position, int half) {
  const int digit = position >> 8, lane = (position >> 2) & 31;
  const int f2 = -(2 * (lane & 3) + ((position >> 1) & 1) + 8 * half) & 15;
  const int f1 = (lane >> 2) + 8 * ((position >> 7) & 1);
  return digit / geometry.middle + geometry.first * (digit % geometry.middle + geometry.middle * (f1 + 16 * f2));
}

/// Row of a long transform: its frequency in quarters of a bin, and its twiddles of 1, 4 and `far` columns.
struct alignas(16) RowBin {
  uint32_t bin4;
  float2 one, four, far;
};

}  // namespace longconv::cuda
