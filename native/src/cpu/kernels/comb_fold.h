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

constexpr int kMaxCombQuarter = 256 / 4 + 1;

template <int W>
struct CombFold {
  using V = Vec<float, W>;

  /// Floats ahead of those read or written in each row of the signal whose memory is asked for: these are more rows than a processor follows.
  static constexpr int64_t kAhead = 128;

  /// Vectors of a row of the signal that are read at once: whole cache lines, since rows lie a power of two apart and push each other out.
  static constexpr int kRun = 4;

  /// R rows of one parity from the sums and differences of their columns; p goes with the cosines, q with the sines.
  template <int R>
  static LC_INLINE void fold_rows(const CombTables& t, int row, int64_t l, const V (*p)[kRun], const V (*q)[kRun], float* z) {
    for (int v = 0; v < kRun; v += 2) fold_two<R>(t, row, l + v * W, p, q, v, z);
  }

  template <int R>
  static LC_INLINE void fold_two(const CombTables& t, int row, int64_t l, const V (*p)[kRun], const V (*q)[kRun], int v, float* z) {
    const int width = t.n1 / 4 + 1;
    const float* c = t.cosine + row * width;
    const float* s = t.sine + row * width;
    V re[R][2]{}, im[R][2]{};
    for (int h = 0; h < width; ++h) {
#pragma GCC unroll 4
      for (int i = 0; i < R; ++i) {
        const V cosine = broadcast<float, W>(c[i * width + h]), sine = broadcast<float, W>(s[i * width + h]);
        re[i][0] += p[h][v] * cosine;
        re[i][1] += p[h][v + 1] * cosine;
        im[i][0] -= q[h][v] * sine;
        im[i][1] -= q[h][v + 1] * sine;
      }
    }
#pragma GCC unroll 4
    for (int i = 0; i < R; ++i) {
      float* out = z + 2 * (row + i) * t.row_stride + l;
      store<float, W>(out, re[i][0]);
      store<float, W>(out + W, re[i][1]);
      store<float, W>(out + t.row_stride, im[i][0]);
      store<float, W>(out + t.row_stride + W, im[i][1]);
    }
  }

  static LC_INLINE void fold_parity(const CombTables& t, int first, int last, int64_t l, const V (*p)[kRun], const V (*q)[kRun], float* z) {
    for (; first + 4 <= last; first += 4) fold_rows<4>(t, first, l, p, q, z);
    if (last - first == 3) fold_rows<3>(t, first, l, p, q, z);
    else if (last - first == 2) fold_rows<2>(t, first, l, p, q, z);
    else if (last - first == 1) fold_rows<1>(t, first, l, p, q, z);
  }

  static void fold(const CombTables& t, const float* x, const float* gate, float* z) {
    const int64_t m = t.columns;
    const int quarter = t.n1 / 4, half = t.n1 / 2;
    V sum[kMaxCombQuarter][kRun], difference[kMaxCombQuarter][kRun];
    for (int64_t l = 0; l < m; l += kRun * W) {
      for (int h = 0; h <= quarter; ++h) {
        V a[kRun], b[kRun]{};
        read_run(x, gate, h * m + l, a);
        if (h != 0 && h != quarter) read_run(x, gate, (half - h) * m + l, b);
#pragma GCC unroll 4
        for (int v = 0; v < kRun; ++v) {
          sum[h][v] = a[v] + b[v];
          difference[h][v] = a[v] - b[v];
        }
      }
      fold_parity(t, 0, t.even_rows, l, sum, difference, z);
      fold_parity(t, t.even_rows, t.rows, l, difference, sum, z);
    }
  }

  static LC_INLINE void read_run(const float* x, const float* gate, int64_t at, V (&v)[kRun]) {
#pragma GCC unroll 4
    for (int i = 0; i < kRun; ++i) {
      __builtin_prefetch(x + at + i * W + kAhead, 0, 3);
      v[i] = load<float, W>(x + at + i * W);
      if (gate) v[i] *= load<float, W>(gate + at + i * W);
    }
  }

  static LC_INLINE void put(float* dst, int64_t at, V value, const Epilogue<float>& e) {
    if (e.input) {
      V u = load<float, W>(e.input + at);
      if (e.pre) u *= load<float, W>(e.pre + at);
      value += u * e.skip;
    }
    if (e.post) value *= load<float, W>(e.post + at);
    __builtin_prefetch(dst + at + kAhead, 1, 3);
    store<float, W>(dst + at, value);
  }

  /// Rows h .. h + B - 1 of the output and their mirrors: even(h) + odd(h) and even(h) - odd(h).
  template <int B>
  static LC_INLINE void unfold_rows(const CombTables& t, int h, int64_t l, const float* z, float* y, const Epilogue<float>& e) {
    const int quarter = t.n1 / 4, half = t.n1 / 2, width = quarter + 1;
    const int64_t m = t.columns;
    V even[B][2]{}, odd[B][2]{};
    for (int r = 0; r < t.rows; ++r) {
      const float* row = z + 2 * r * t.row_stride + l;
      const V re[2] = {load<float, W>(row), load<float, W>(row + W)};
      const V im[2] = {load<float, W>(row + t.row_stride), load<float, W>(row + t.row_stride + W)};
      const float* c = t.cosine + r * width + h;
      const float* s = t.sine + r * width + h;
      if (r < t.even_rows) accumulate<B>(even, odd, re, im, c, s);
      else accumulate<B>(odd, even, re, im, c, s);
    }
#pragma GCC unroll 4
    for (int i = 0; i < B; ++i) {
#pragma GCC unroll 2
      for (int v = 0; v < 2; ++v) {
        put(y, (h + i) * m + l + v * W, even[i][v] + odd[i][v], e);
        if (h + i != 0 && h + i != quarter) put(y, (half - h - i) * m + l + v * W, even[i][v] - odd[i][v], e);
      }
    }
  }

  template <int B>
  static LC_INLINE void accumulate(V (&cosines)[B][2], V (&sines)[B][2], const V (&re)[2], const V (&im)[2], const float* c, const float* s) {
#pragma GCC unroll 4
    for (int i = 0; i < B; ++i) {
      const V cosine = broadcast<float, W>(c[i]), sine = broadcast<float, W>(s[i]);
      cosines[i][0] += re[0] * cosine;
      cosines[i][1] += re[1] * cosine;
      sines[i][0] -= im[0] * sine;
      sines[i][1] -= im[1] * sine;
    }
  }

  /// Rows of the output go in blocks of up to 4 and their mirrors, each for a run of columns: as few as the nearest cache has ways.
  static void unfold(const CombTables& t, const float* z, float* y, const Epilogue<float>& e) {
    const int rows = t.n1 / 4 + 1, blocks = (rows + 3) / 4;
    for (int64_t first = 0; first < t.columns; first += kRun * W) {
      for (int block = 0, h = 0; block < blocks; ++block) {
        const int count = (rows - h) / (blocks - block);
        for (int64_t l = first; l < first + kRun * W; l += 2 * W) {
          if (count == 4) unfold_rows<4>(t, h, l, z, y, e);
          else if (count == 3) unfold_rows<3>(t, h, l, z, y, e);
          else if (count == 2) unfold_rows<2>(t, h, l, z, y, e);
          else unfold_rows<1>(t, h, l, z, y, e);
        }
        h += count;
      }
    }
  }
};

}  // namespace longconv::LC_ISA_NAMESPACE
