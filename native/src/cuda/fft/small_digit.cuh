// First digit of 1, 2 or 4 rows, on ordinary arithmetic: transforms of 256, 512 and 1024 points. Each lane takes 8 consecutive columns.
//
// Reference: out[f][m] = w_n^((f - alpha) m) sum_q x[q][m] w_Q^((f - alpha) q) / sqrt(Q); alpha = 1/4 for real signals, else 0.
#pragma once

#include "digit.cuh"
#include "twiddle.cuh"

namespace longconv::cuda {

/// w_Q^(-alpha q) for alpha = 1/4: exp(i pi q / (2 Q)).
template <int Q>
__device__ __forceinline__ float2 small_twist(int q) {
  if (q == 0) return make_float2(1, 0);
  if (Q == 2) return make_float2(0.70710678f, 0.70710678f);
  if (q == 1) return make_float2(0.92387953f, 0.38268343f);
  if (q == 2) return make_float2(0.70710678f, 0.70710678f);
  return make_float2(0.38268343f, 0.92387953f);
}

/// In place, scaled by 1 / sqrt(Q).
template <int Q>
__device__ __forceinline__ void small_transform(float2 (&x)[Q]) {
  if constexpr (Q == 2) {
    const float s = 0.70710678f;
    const float2 a = x[0], b = x[1];
    x[0] = make_float2(s * (a.x + b.x), s * (a.y + b.y));
    x[1] = make_float2(s * (a.x - b.x), s * (a.y - b.y));
  } else if constexpr (Q == 4) {
    const float2 a = make_float2(0.5f * (x[0].x + x[2].x), 0.5f * (x[0].y + x[2].y));
    const float2 b = make_float2(0.5f * (x[0].x - x[2].x), 0.5f * (x[0].y - x[2].y));
    const float2 c = make_float2(0.5f * (x[1].x + x[3].x), 0.5f * (x[1].y + x[3].y));
    const float2 d = make_float2(0.5f * (x[1].x - x[3].x), 0.5f * (x[1].y - x[3].y));
    x[0] = make_float2(a.x + c.x, a.y + c.y);
    x[1] = make_float2(b.x + d.y, b.y - d.x);
    x[2] = make_float2(a.x - c.x, a.y - c.y);
    x[3] = make_float2(b.x - d.y, b.y + d.x);
  }
}

/// raw: [row][member][4] half2 pairs of 8 columns (real signals), [row][0][8] half2 (complex). sink(row, j, words of columns j .. j + 3).
template <Signal kSignal, int Q, int kMembers, int kWords, class Sink>
__device__ __forceinline__ void small_in(const DigitTwiddles& d, const uint32_t (&raw)[Q][kMembers][kWords], int column8, Sink sink) {
  float2 w[Q], step[Q];
#pragma unroll
  for (int f = 0; f < Q; ++f) {
    w[f] = load_constant(d.base + f * d.columns8 + column8);
    step[f] = load_constant(d.steps + 4 * f);
  }
#pragma unroll
  for (int block = 0; block < 8; block += 4) {
    uint32_t out[Q][4];
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      const int column = block + j;
      float2 x[Q];
#pragma unroll
      for (int q = 0; q < Q; ++q) {
        if constexpr (kSignal == Signal::kComplex) {
          x[q] = unpack(raw[q][0][column]);
        } else if constexpr (kSignal == Signal::kPair) {
          x[q] = unpack(zip(raw[q][0][column / 2], raw[q][1][column / 2], column & 1));
        } else {
          const float2 two = unpack(raw[q][0][column / 2]), twist = small_twist<Q>(q);
          const float u = column & 1 ? two.y : two.x;
          x[q] = make_float2(u * twist.x, u * twist.y);
        }
      }
      small_transform<Q>(x);
#pragma unroll
      for (int f = 0; f < Q; ++f) {
        const float2 v = multiply(x[f], w[f]);
        out[f][j] = pack(v.x, v.y);
        if (column < 7) w[f] = multiply(w[f], step[f]);
      }
    }
#pragma unroll
    for (int f = 0; f < Q; ++f) sink(f, block, make_uint4(out[f][0], out[f][1], out[f][2], out[f][3]));
  }
}

/// z: [row][column], swapped and twiddled. store(row, values: [8] complex, re and im swapped back).
template <bool kReal, int Q, class Store>
__device__ __forceinline__ void small_out(const uint32_t (&z)[Q][8], Store store) {
  float re[Q][8], im[Q][8];
#pragma unroll
  for (int j = 0; j < 8; ++j) {
    float2 x[Q];
#pragma unroll
    for (int f = 0; f < Q; ++f) x[f] = unpack(z[f][j]);
    small_transform<Q>(x);
#pragma unroll
    for (int q = 0; q < Q; ++q) {
      const float2 v = kReal ? multiply(x[q], small_twist<Q>(q)) : x[q];
      re[q][j] = v.y;
      im[q][j] = v.x;
    }
  }
#pragma unroll
  for (int q = 0; q < Q; ++q) store(q, re[q], im[q]);
}

}  // namespace longconv::cuda
