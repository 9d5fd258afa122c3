// One digit of the transform on tensor cores: out[f] = sum_k x[k] w_R^((f - alpha) k) / sqrt(R), for 8 columns at a time, R = 8, 16, 32.
//
// Layout: the data is operand B. Lane (g, t) holds of column g the rows digit_row(t, i), i < R / 4: {2t, 2t+1, 2t+8, 2t+9, ...}.
//   Results: lo[] is row g + 8 m, hi[] is row g + 8 m + R / 2 (m < R / 16; R = 8 has no hi), columns 2t and 2t+1;
//   for complex results [0], [1] are re and [2], [3] im of the two columns.
// Twisted results (alpha on the side of the rows k, the inverse's last digit) are digit_to_rows'. Else R >= 16 uses rows f and f + R/2 together:
// even k give E, odd k give O; lo = E + O, hi = E - O = 2 E - lo. Half the products.
// Preconditions: fragments from tables.h. Cost per 8 columns: complex R/8 * R/16 products (1 for R = 8).
#pragma once

#include "mma.cuh"

namespace longconv::cuda {

/// What a digit reads or writes: two real sequences as one complex, one real sequence, or complex numbers.
enum class Signal { kPair, kReal, kComplex };

template <int R>
constexpr int kDigitTiles = R >= 16 ? R / 16 : 1;  // tiles m of 8 rows; fragments of one tile: kDigitFragments
template <int R>
constexpr int kDigitFragments = R >= 16 ? R / 8 : 1;
template <int R>
constexpr int kDigitHalves = R >= 16 ? 2 : 1;  // lo, hi

__host__ __device__ constexpr int digit_row(int t, int i) { return 2 * t + (i & 1) + 8 * (i >> 1); }

template <int R>
struct DigitFragments {
  uint4 f[kDigitFragments<R>];
  /// table: [tile][fragment][lane]
  __device__ __forceinline__ void load(const uint4* table, int tile, int lane) {
#pragma unroll
    for (int i = 0; i < kDigitFragments<R>; ++i) f[i] = load_constant(table + (tile * kDigitFragments<R> + i) * 32 + lane);
  }
};

/// x: R/4 complex registers.
template <int R>
__device__ __forceinline__ void digit_complex(const DigitFragments<R>& a, const uint32_t (&x)[R / 4], float (&lo)[4], float (&hi)[4]) {
  const float zero[4] = {0, 0, 0, 0};
  if constexpr (R == 8) {
    mma(lo, a.f[0], x[0], x[1], zero);
  } else if constexpr (R == 16) {
    float even[4];
    mma(even, a.f[0], x[0], x[2], zero);
    mma(lo, a.f[1], x[1], x[3], even);
#pragma unroll
    for (int i = 0; i < 4; ++i) hi[i] = fmaf(2, even[i], -lo[i]);
  } else {
    float even[4], part[4];
    mma(part, a.f[0], x[0], x[2], zero);
    mma(even, a.f[1], x[4], x[6], part);
    mma(part, a.f[2], x[1], x[3], even);
    mma(lo, a.f[3], x[5], x[7], part);
#pragma unroll
    for (int i = 0; i < 4; ++i) hi[i] = fmaf(2, even[i], -lo[i]);
  }
}

/// x: R/8 registers of two real rows (2t, 2t+1 of each group of 8).
template <int R>
__device__ __forceinline__ void digit_from_real(const DigitFragments<R>& a, const uint32_t (&x)[R / 8], float (&lo)[4], float (&hi)[4]) {
  const float zero[4] = {0, 0, 0, 0};
  if constexpr (R == 8) {
    mma(lo, a.f[0], x[0], 0, zero);
  } else if constexpr (R == 16) {
    mma(lo, a.f[0], x[0], x[1], zero);
    mma(hi, a.f[1], x[0], x[1], zero);
  } else {
    float part[4];
    mma(part, a.f[0], x[0], x[1], zero);
    mma(lo, a.f[1], x[2], x[3], part);
    mma(part, a.f[2], x[0], x[1], zero);
    mma(hi, a.f[3], x[2], x[3], part);
  }
}

/// 16 real rows of results, each with fragments of its own (tables.h, kToReal and kToPair), from swapped inputs (see core.cuh): y[0], y[1] are
/// row g of the 16, y[2], y[3] row g + 8.
template <int R>
__device__ __forceinline__ void digit_to_rows(const DigitFragments<R>& a, const uint32_t (&x)[R / 4], float (&y)[4]) {
  const float zero[4] = {0, 0, 0, 0};
  float part[4];
  if constexpr (R == 8) {
    mma(y, a.f[0], x[0], x[1], zero);
  } else if constexpr (R == 16) {
    mma(part, a.f[0], x[0], x[2], zero);
    mma(y, a.f[1], x[1], x[3], part);
  } else {
    float more[4];
    mma(part, a.f[0], x[0], x[2], zero);
    mma(more, a.f[1], x[4], x[6], part);
    mma(part, a.f[2], x[1], x[3], more);
    mma(y, a.f[3], x[5], x[7], part);
  }
}

}  // namespace longconv::cuda
