// Twiddles w^(f' m) of a digit's rows f' = f - alpha along its columns m: a table of every 8th column, and repeated products in float32
// in between (8 columns at most: no loss of accuracy that fp16 data would show).
#pragma once

#include "mma.cuh"

namespace longconv::cuda {

struct DigitTwiddles {
  const float2* base;   // [rows][columns / 8]: w^(f' 8 c)
  const float2* steps;  // [rows][4]: w^f', w^(4 f'), w^(8 f'), w^(128 f')
  int32_t columns8;     // columns / 8
};

/// Twiddles of one row at two columns that move on together.
struct RunningTwiddle {
  float2 w[2], step;
  __device__ __forceinline__ float2 at(int c) const { return w[c]; }
  __device__ __forceinline__ void advance() {
    w[0] = multiply(w[0], step);
    w[1] = multiply(w[1], step);
  }
};

/// The same of four columns each, kept in registers by warps that meet them again.
struct KnownTwiddle {
  float2 w[4][2];
  int column = 0;  // known to the compiler in unrolled loops
  __device__ __forceinline__ explicit KnownTwiddle(RunningTwiddle from) {
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      w[j][0] = from.w[0];
      w[j][1] = from.w[1];
      from.advance();
    }
  }
  __device__ __forceinline__ float2 at(int c) const { return w[column][c]; }
  __device__ __forceinline__ void advance() { ++column; }
};

/// kColumns = 8: columns 8 c and 8 (c + 1); kColumns = 4: columns 8 c and 8 c + 4.
template <int kColumns>
__device__ __forceinline__ RunningTwiddle twiddle_at(const DigitTwiddles& d, int row, int column8) {
  RunningTwiddle out;
  const float2* base = d.base + static_cast<int64_t>(row) * d.columns8 + column8;
  out.w[0] = load_constant(base);
  out.w[1] = kColumns == 8 ? load_constant(base + 1) : multiply(out.w[0], load_constant(d.steps + 4 * row + 1));
  out.step = load_constant(d.steps + 4 * row);
  return out;
}

}  // namespace longconv::cuda
