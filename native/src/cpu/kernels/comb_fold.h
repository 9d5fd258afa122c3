// First Monarch digit of an N-point transform of a zero-padded real signal, for kept rows only, and its adjoint.
//
// Reference, N = N1 * M, theta = 2 pi r h / N1, h in [0, N1/2) (the signal is at most N/2 long):
//   fold:    z_r[l] = sum_h x[h M + l] exp(-i theta)            for each kept row r, l in [0, M)
//   unfold:  y[h M + l] = sum_r Re(z_r[l] exp(+i theta))
// Dropped rows cost nothing. Rows h and N1/2 - h share their cosines and sines up to the sign (-1)^r, so they are added and
// subtracted once and each row needs only N1/4 + 1 products per column.
//
// Layout: z row r at 2 * r * row_stride, M real parts, then (after row_stride) M imaginary parts. Rows with even r come first.
// Preconditions: N1 % 4 == 0, N1 <= 256, M a multiple of 2 W. Cost per column: 2 (N1/4 + 1) multiply-adds per kept row.
#pragma once

#include "../kernel_table.h"
#include "vector.h"

namespace longconv::LC_ISA_NAMESPACE {

constexpr int kMaxCombRows = 256 / 4 + 1;

template <int W>
struct CombFold {
  using V = Vec<float, W>;

  static void fold(const CombTables& t, const float* x, const float* gate, float* z) {
    const int64_t m = t.columns;
    const int quarter = t.n1 / 4, half = t.n1 / 2, width = quarter + 1;
    V sum[kMaxCombRows][2], difference[kMaxCombRows][2];
    for (int64_t l = 0; l < m; l += 2 * W) {
      for (int h = 0; h <= quarter; ++h) {
        const bool single = h == 0 || h == quarter;
#pragma GCC unroll 2
        for (int v = 0; v < 2; ++v) {
          const int64_t at = h * m + l + v * W, mirror = (half - h) * m + l + v * W;
          V a = load<float, W>(x + at);
          if (gate) a *= load<float, W>(gate + at);
          V b{};
          if (!single) {
            b = load<float, W>(x + mirror);
            if (gate) b *= load<float, W>(gate + mirror);
          }
          sum[h][v] = a + b;
          difference[h][v] = a - b;
        }
      }
      for (int r = 0; r < t.rows; ++r) {
        const float* c = t.cosine + r * width;
        const float* s = t.sine + r * width;
        const V(*p)[2] = r < t.even_rows ? sum : difference;
        const V(*q)[2] = r < t.even_rows ? difference : sum;
        V re[2]{}, im[2]{};
        for (int h = 0; h <= quarter; ++h) {
          re[0] += p[h][0] * c[h];
          re[1] += p[h][1] * c[h];
          im[0] -= q[h][0] * s[h];
          im[1] -= q[h][1] * s[h];
        }
        float* out = z + 2 * r * t.row_stride + l;
        store<float, W>(out, re[0]);
        store<float, W>(out + W, re[1]);
        store<float, W>(out + t.row_stride, im[0]);
        store<float, W>(out + t.row_stride + W, im[1]);
      }
    }
  }

  static LC_INLINE void put(float* dst, int64_t at, V value, const Epilogue<float>& e) {
    if (e.input) {
      V u = load<float, W>(e.input + at);
      if (e.pre) u *= load<float, W>(e.pre + at);
      value += u * e.skip;
    }
    if (e.post) value *= load<float, W>(e.post + at);
    store<float, W>(dst + at, value);
  }

  static void unfold(const CombTables& t, const float* z, float* y, const Epilogue<float>& e) {
    const int64_t m = t.columns;
    const int quarter = t.n1 / 4, half = t.n1 / 2, width = quarter + 1;
    for (int64_t l = 0; l < m; l += 2 * W) {
      for (int h = 0; h <= quarter; ++h) {
        V cosine[2][2]{}, sine[2][2]{};  // [parity of r][vector]
        for (int parity = 0; parity < 2; ++parity) {
          const int last = parity ? t.rows : t.even_rows;
          V c0{}, c1{}, s0{}, s1{};
          for (int r = parity ? t.even_rows : 0; r < last; ++r) {
            const float* row = z + 2 * r * t.row_stride + l;
            const float c = t.cosine[r * width + h], s = t.sine[r * width + h];
            c0 += load<float, W>(row) * c;
            c1 += load<float, W>(row + W) * c;
            s0 += load<float, W>(row + t.row_stride) * s;
            s1 += load<float, W>(row + t.row_stride + W) * s;
          }
          cosine[parity][0] = c0;
          cosine[parity][1] = c1;
          sine[parity][0] = s0;
          sine[parity][1] = s1;
        }
#pragma GCC unroll 2
        for (int v = 0; v < 2; ++v) {
          const V even = cosine[0][v] - sine[1][v], odd = cosine[1][v] - sine[0][v];
          put(y, h * m + l + v * W, even + odd, e);
          if (h != 0 && h != quarter) put(y, (half - h) * m + l + v * W, even - odd, e);
        }
      }
    }
  }
};

}  // namespace longconv::LC_ISA_NAMESPACE
