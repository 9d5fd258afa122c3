// The last two digits, the product with the filter, and the first two digits of the inverse, of 256 points, all in registers of one warp.
//
// Layout: 256 complex points (n1, n2), n = 16 n1 + n2, in shared memory; the results replace them. g and t as in mma.cuh.
//   forward: [n1, n2] -B-> [f1, n2] -twiddle-> -A-> [f1, f2] -filter-> -B-> [n2, f1] -twiddle-> -B-> [n1, n2]
//   The data is operand B or A in turn: results have the contracted digit of the next step in their columns, so nothing moves between lanes.
// The inverse runs on numbers with re and im swapped: swap(x) = i conj(x), so that conj(F) x = swap(F swap(x)); it shares all tables.
// Reference: y = IDFT256(filter * DFT256(x)) / 256 up to the swap, times the row's twiddles w^((row - alpha) n).
// Cost per warp and 256 points: 16 products, 8 LDS.32, 4 STS.64.
#pragma once

#include "digit.cuh"
#include "layout.cuh"

namespace longconv::cuda {

/// Constants of a lane, loaded once.
struct CoreConstants {
  DigitFragments<16> f;
  float2 twiddle[2][2][2];  // [a][b][c] = w_256^((g + 8 a) (2 t + 8 b + c))
  __device__ __forceinline__ void load(const uint4* fragments, const float2* table256, int lane) {
    f.load(fragments, 0, lane);
    const int g = lane >> 2, t = lane & 3;
#pragma unroll
    for (int i = 0; i < 8; ++i) twiddle[i >> 2][(i >> 1) & 1][i & 1] = load_constant(table256 + (g + 8 * (i >> 2)) * (2 * t + 8 * ((i >> 1) & 1) + (i & 1)));
  }
};

/// Twiddles of one row, for the results: w^(row' (16 g + 2 t)) of the lane, and w^row', w^(8 row'), w^(128 row').
struct RowTwiddles {
  float2 base, one, eight, half;

  /// bases: [rows][32 lanes]; steps: [rows][4], of which the first, third and fourth are used.
  __device__ __forceinline__ void load(const float2* bases, const float2* steps, int row, int lane) {
    base = load_constant(bases + row * 32 + lane);
    one = load_constant(steps + 4 * row);
    const float4 more = load_constant(reinterpret_cast<const float4*>(steps + 4 * row + 2));
    eight = make_float2(more.x, more.y);
    half = make_float2(more.z, more.w);
  }
};

/// A lane's part of the filter for one row.
struct RowFilter {
  uint4 words[2];
};

/// Data as operand A, F as operand B (the fragments of F as A, transposed): columns of the results are re or im of rows f of F.
__device__ __forceinline__ void core_columns(const DigitFragments<16>& f, const uint32_t (&even)[4], const uint32_t (&odd)[4],
                                             float (&re)[2][4], float (&im)[2][4]) {
  const uint4 a0 = make_uint4(even[0], even[1], even[2], even[3]), a1 = make_uint4(odd[0], odd[1], odd[2], odd[3]);
  const float zero[4] = {0, 0, 0, 0};
  float re_even[4], im_even[4];
  mma(re_even, a0, f.f[0].x, f.f[0].z, zero);
  mma(im_even, a0, f.f[0].y, f.f[0].w, zero);
  mma(re[0], a1, f.f[1].x, f.f[1].z, re_even);
  mma(im[0], a1, f.f[1].y, f.f[1].w, im_even);
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    re[1][i] = fmaf(2, re_even[i], -re[0][i]);
    im[1][i] = fmaf(2, im_even[i], -im[0][i]);
  }
}

/// Twiddles and packs the two columns of a result tile.
__device__ __forceinline__ void core_twiddle(const float (&value)[4], const float2 (&twiddle)[2], uint32_t (&out)[2]) {
#pragma unroll
  for (int c = 0; c < 2; ++c) {
    const float2 v = multiply(make_float2(value[c], value[2 + c]), twiddle[c]);
    out[c] = pack(v.x, v.y);
  }
}

/// state: shared memory; row: which 256 points of it; filter: 8 half2 of the lane, order [f2 / 8][f1 / 8][f2 & 1].
template <int kMiddle>
__device__ __forceinline__ void core_row(const CoreConstants& c, const RowTwiddles& tw, const RowFilter& filter, uint32_t* state, int row, int lane) {
  const int g = lane >> 2, t = lane & 3;
  float lo[4], hi[4];
  uint32_t v[2][2][2];  // [f1 half][n2 half][n2 & 1]
  const int read = swizzle<kMiddle>(row * 256 + 32 * t + g);
#pragma unroll
  for (int j = 0; j < 2; ++j) {
    uint32_t x[4];
#pragma unroll
    for (int i = 0; i < 4; ++i) x[i] = state[(read ^ (8 * j + 16 * (i & 1))) + 128 * (i >> 1)];
    digit_complex<16>(c.f, x, lo, hi);
    core_twiddle(lo, c.twiddle[0][j], v[0][j]);
    core_twiddle(hi, c.twiddle[1][j], v[1][j]);
  }
  uint32_t even[4], odd[4];
#pragma unroll
  for (int i = 0; i < 4; ++i) even[i] = v[i & 1][i >> 1][0], odd[i] = v[i & 1][i >> 1][1];
  float re[2][4], im[2][4];
  core_columns(c.f, even, odd, re, im);
  uint32_t p[2][2][2];  // [f2 half][f1 half][f2 & 1], swapped
#pragma unroll
  for (int h = 0; h < 2; ++h) {
    const uint32_t k[4] = {filter.words[h].x, filter.words[h].y, filter.words[h].z, filter.words[h].w};
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const float2 z = multiply(make_float2(re[h][i], im[h][i]), unpack(k[i]));
      p[h][i >> 1][i & 1] = pack(z.y, z.x);
    }
  }
#pragma unroll
  for (int r = 0; r < 2; ++r) {
    const uint32_t x[4] = {p[0][r][0], p[0][r][1], p[1][r][0], p[1][r][1]};
    digit_complex<16>(c.f, x, lo, hi);
    core_twiddle(lo, c.twiddle[0][r], v[0][r]);  // [n2 half][f1 half][f1 & 1]
    core_twiddle(hi, c.twiddle[1][r], v[1][r]);
  }
  const int write = swizzle<kMiddle>(row * 256 + 16 * g + 2 * t);
  warp_sync();  // all lanes have read what is overwritten now
  float2 w = tw.base;
#pragma unroll
  for (int j = 0; j < 2; ++j) {
    const uint32_t x[4] = {v[j][0][0], v[j][0][1], v[j][1][0], v[j][1][1]};
    digit_complex<16>(c.f, x, lo, hi);
    if (j == 1) w = multiply(w, tw.eight);
    const float2 low[2] = {w, multiply(w, tw.one)};
    const float2 high[2] = {multiply(low[0], tw.half), multiply(low[1], tw.half)};
    uint32_t out[2];
    core_twiddle(lo, low, out);
    *reinterpret_cast<uint2*>(state + (write ^ (8 * j))) = make_uint2(out[0], out[1]);
    core_twiddle(hi, high, out);
    *reinterpret_cast<uint2*>(state + (write ^ (8 * j)) + 128) = make_uint2(out[0], out[1]);
  }
}

}  // namespace longconv::cuda
