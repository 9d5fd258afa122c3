// The last two digits, the product with the filter, and the first two digits of the inverse, of 256 points, all in registers of one warp.
//
// Layout: 256 complex points (n1, n2), n = 16 n1 + n2, in shared memory; the results replace them. g and t as in mma.cuh.
//   forward: [n1, n2] -B-> [f1, n2] -twiddle-> -A-> [f1, f2] -filter-> -B-> [n2, f1] -twiddle-> -B-> [n1, n2]
//   The data is operand B or A in turn: results have the contracted digit of the next step in their columns, so nothing moves between lanes.
//   Between the products one register holds the real parts of two points, another their imaginary parts: of points that are 8 apart in the
//   digit contracted next, so that even and odd ones stay apart (digit.cuh). The filter and the row's twiddles lie in memory like that, and a
//   complex product of two points is four instructions; the core's own twiddles are in float32 (core_twiddle).
// From its second digit on, the inverse runs on numbers with re and im swapped: swap(x) = i conj(x), so that conj(F) x = swap(F swap(x)); it
// shares all tables.
// Reference: y = IDFT256(filter * DFT256(x)) / 256 up to the swap, times the row's twiddles w^((row - alpha) n).
// Cost per warp and 256 points: 16 products, 8 LDS.32, 4 STS.64, 4 LDG.128 from caches.
#pragma once

#include "digit.cuh"
#include "layout.cuh"

namespace longconv::cuda {

/// Two complex numbers: half2 of the real parts, half2 of the imaginary ones.
struct PointPair {
  uint32_t re, im;
};

__device__ __forceinline__ PointPair multiply(PointPair a, PointPair b) {
  const __half2 ar = as_half2(a.re), ai = as_half2(a.im), br = as_half2(b.re), bi = as_half2(b.im);
  return {bits(multiply_add(ar, br, __hneg2(__hmul2(ai, bi)))), bits(multiply_add(ar, bi, __hmul2(ai, br)))};
}

/// Constants of a lane, loaded once.
struct CoreConstants {
  DigitFragments<16> f;  // for points of one register each
  uint4 pairs[2];        // for pairs: [parity of the contracted digit], re and im of the rows as f has them
  float4 twiddle[2][2];  // [row / 8][column & 1] of w_256: of columns 2 t + parity and 8 more
  __device__ __forceinline__ void load(const uint4* fragments, const uint4* pair_fragments, const float4* twiddles, int lane) {
    f.load(fragments, 0, lane);
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      pairs[i] = load_constant(pair_fragments + 32 * i + lane);
      twiddle[i][0] = load_constant(twiddles + 64 * i + lane);
      twiddle[i][1] = load_constant(twiddles + 64 * i + 32 + lane);
    }
  }
};

/// What a lane needs of one row of 256 words: the filter, or the twiddles of the results.
struct RowWords {
  uint4 words[2];
  __device__ __forceinline__ void load(const uint32_t* table, int row, int lane) {
    const uint4* const from = reinterpret_cast<const uint4*>(table) + row * 64 + lane;
    words[0] = load_constant(from);
    words[1] = load_constant(from + 32);
  }
};

__device__ __forceinline__ PointPair pair_of(const uint4& words, int which) {
  return which ? PointPair{words.z, words.w} : PointPair{words.x, words.y};
}

/// The digit of 16 for data as operand B: x[parity] are pairs of rows 2 t + parity and 8 more.
__device__ __forceinline__ void core_rows(const CoreConstants& c, const PointPair (&x)[2], float (&lo)[4], float (&hi)[4]) {
  const float zero[4] = {0, 0, 0, 0};
  float even[4];
  mma(even, c.pairs[0], x[0].re, x[0].im, zero);
  mma(lo, c.pairs[1], x[1].re, x[1].im, even);
#pragma unroll
  for (int i = 0; i < 4; ++i) hi[i] = fmaf(2, even[i], -lo[i]);
}

/// The same for data as operand A, with the matrix as operand B: x[parity] are re of rows g and g + 8, then im; columns of the results, [f / 8],
/// are re or im. The fragments of the transposed operand, taken as they lie in registers, are those of conj(F): column f holds frequency -f.
__device__ __forceinline__ void core_columns(const CoreConstants& c, const uint4 (&x)[2], float (&re)[2][4], float (&im)[2][4]) {
  const float zero[4] = {0, 0, 0, 0};
  float re_even[4], im_even[4];
  mma(re_even, x[0], c.pairs[0].x, c.pairs[0].y, zero);
  mma(im_even, x[0], c.pairs[0].z, c.pairs[0].w, zero);
  mma(re[0], x[1], c.pairs[1].x, c.pairs[1].y, re_even);
  mma(im[0], x[1], c.pairs[1].z, c.pairs[1].w, im_even);
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    re[1][i] = fmaf(2, re_even[i], -re[0][i]);
    im[1][i] = fmaf(2, im_even[i], -im[0][i]);
  }
}

/// Columns 2 t + column of two tiles of results, twiddled in float32 and rounded once: both directions take these twiddles, and in fp16, rounded
/// like the inputs and one of two products, they made the largest errors 9.5e-4 where they are 8.7e-4.
template <bool kSwap>
__device__ __forceinline__ PointPair core_twiddle(const float (&near)[4], const float (&far)[4], const float4& twiddle, int column) {
  const int re = kSwap ? 2 + column : column, im = 2 - re + 2 * column;
  const float2 a = multiply(make_float2(near[re], near[im]), make_float2(twiddle.x, twiddle.y));
  const float2 b = multiply(make_float2(far[re], far[im]), make_float2(twiddle.z, twiddle.w));
  return {pack(a.x, b.x), pack(a.y, b.y)};
}

/// Columns 2 t and 2 t + 1 of a tile of results, twiddled, as two points.
__device__ __forceinline__ uint2 core_points(const float (&value)[4], PointPair twiddle) {
  const PointPair v = multiply(PointPair{pack(value[0], value[1]), pack(value[2], value[3])}, twiddle);
  return make_uint2(zip(v.re, v.im, 0), zip(v.re, v.im, 1));
}

/// state: shared memory; row: which 256 points of it; filter: [f1 / 8], re, im of -f2 = 2 t and 2 t + 8 (modulo 16), then of 2 t + 1 and 2 t + 9;
/// twiddles: [n2 / 8], re, im of n2 = 2 t and 2 t + 1 in row n1 = g, then in g + 8.
template <int kMiddle>
__device__ __forceinline__ void core_row(const CoreConstants& c, const RowWords& twiddles, const RowWords& filter, uint32_t* state, int row, int lane) {
  const int g = lane >> 2, t = lane & 3;
  float lo[2][4], hi[2][4];
  const int place = swizzle<kMiddle>(row * 256), read = place ^ swizzle<kMiddle>(32 * t + g);
#pragma unroll
  for (int j = 0; j < 2; ++j) {
    uint32_t x[4];
#pragma unroll
    for (int i = 0; i < 4; ++i) x[i] = state[(read ^ (8 * j + 16 * (i & 1))) + 128 * (i >> 1)];
    digit_complex<16>(c.f, x, lo[j], hi[j]);
  }
  uint4 even_odd[2];
#pragma unroll
  for (int parity = 0; parity < 2; ++parity) {
    const PointPair near = core_twiddle<false>(lo[0], lo[1], c.twiddle[0][parity], parity), far = core_twiddle<false>(hi[0], hi[1], c.twiddle[1][parity], parity);
    even_odd[parity] = make_uint4(near.re, far.re, near.im, far.im);
  }
  float re[2][4], im[2][4];
  core_columns(c, even_odd, re, im);
#pragma unroll
  for (int r = 0; r < 2; ++r) {
    PointPair x[2];
#pragma unroll
    for (int parity = 0; parity < 2; ++parity) {
      const int i = 2 * r + parity;
      x[parity] = multiply(PointPair{pack(re[0][i], re[1][i]), pack(im[0][i], im[1][i])}, pair_of(filter.words[r], parity));
    }
    core_rows(c, x, lo[r], hi[r]);  // the inverse as it is: its columns are frequencies -f2
  }
  const int write = place ^ swizzle<kMiddle>(16 * g + 2 * t);
  warp_sync();  // all lanes have read what is overwritten now
#pragma unroll
  for (int h = 0; h < 2; ++h) {
    PointPair x[2];
#pragma unroll
    for (int parity = 0; parity < 2; ++parity)
      x[parity] = h ? core_twiddle<true>(hi[0], hi[1], c.twiddle[1][parity], parity) : core_twiddle<true>(lo[0], lo[1], c.twiddle[0][parity], parity);
    float near[4], far[4];
    core_rows(c, x, near, far);
    *reinterpret_cast<uint2*>(state + (write ^ (8 * h))) = core_points(near, pair_of(twiddles.words[h], 0));
    *reinterpret_cast<uint2*>(state + (write ^ (8 * h)) + 128) = core_points(far, pair_of(twiddles.words[h], 1));
  }
}

}  // namespace longconv::cuda
