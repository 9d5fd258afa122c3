// First Monarch digit of an N-point transform of a zero-padded real signal, for kept rows only, and its adjoint.
//
// Reference, N = N1 * M, theta = 2 pi r h / N1, h in [0, N1/2) (the signal is at most N/2 long):
//   fold:    z_r[l] = sum_h x[h M + l] exp(-i theta)            for each kept row r, l in [0, M)
//   unfold:  y[h M + l] = sum_r Re(z_r[l] exp(+i theta))
// Dropped rows cost nothing. Rows h and N1/2 - h share their cosines and sines up to the sign (-1)^r, so they are added and
// subtracted once and each row needs only N1/4 + 1 products per column.
//
// Layout: z row r at 2 * r * row_stride, M real parts, then (after row_stride) M imaginary parts, but for the rows 0 and N1/2, which are real and
// come first; then those with even r.
// Preconditions: N1 % 4 == 0, N1 <= 256, M a multiple of 2 W. Cost per column: 2 (N1/4 + 1) multiply-adds per kept row, half of that where it is real.
#pragma once

#include "epilogue.h"

namespace longconv::LC_ISA_NAMESPACE {

template <int W>
struct CombFold {
  using V = Vec<float, W>;

  /// Values of h that are taken at once, with their mirrors: their sums and differences, or their outputs, stay in registers.
  static constexpr int kMostAtOnce = 9;
  /// Vectors of columns beside each other that share every cosine and sine.
  static constexpr int vectors_for(int width) { return W == 16 && width <= 5 ? 2 : 1; }
  template <int H>
  static constexpr int kVectors = vectors_for(H);

  static void fold(const CombTables& t, const float* x, const float* gate, float* z) {
    for_columns(t, x, [&](int64_t l) { for_blocks(t.n1 / 4 + 1, [&]<int H>(int h) { fold_block<H>(t, x, gate, h, l, z); }); });
  }

  static void unfold(const CombTables& t, const float* z, float* y, const Epilogue<float>& e) {
    for_columns(t, y, [&](int64_t l) { for_blocks(t.n1 / 4 + 1, [&]<int H>(int h) { unfold_block<H>(t, z, h, l, y, e); }); });
  }

  static void sums_and_differences(float* x, int64_t half) {
    for (int64_t i = 0; i < half; i += W) {
      const V a = load<float, W>(x + i), b = load<float, W>(x + half + i);
      store<float, W>(x + i, a + b);
      store<float, W>(x + half + i, a - b);
    }
  }

 private:
  /// Calls run(l) for all columns, as many as are taken at once from l on, so that no vector of the signal lies in two cache lines: its rows
  /// lie a power of two apart and push each other out before the rest of a line could be used. Some columns at the ends are taken twice.
  template <class Run>
  static LC_INLINE void for_columns(const CombTables& t, const float* signal, Run&& run) {
    constexpr uintptr_t kBytes = sizeof(V);
    const int64_t step = W * vectors_for(t.n1 / 4 + 1), last = t.columns - step;
    int64_t l = static_cast<int64_t>((kBytes - reinterpret_cast<uintptr_t>(signal) % kBytes) % kBytes / sizeof(float));
    if (l > 0) run(0);
    for (; l < last; l += step) run(l);
    run(last);
  }

  /// Calls run<H>(h) for blocks [h, h + H) of [0, width); widths are 2, 3, 5 or one more than a multiple of 8.
  template <class Run>
  static LC_INLINE void for_blocks(int width, Run&& run) {
    const int blocks = (width + kMostAtOnce - 1) / kMostAtOnce;
    for (int block = 0, h = 0; block < blocks; ++block) {
      const int count = (width - h) / (blocks - block);
      if (count == 9) run.template operator()<9>(h);
      else if (count == 8) run.template operator()<8>(h);
      else if (count == 5) run.template operator()<5>(h);
      else if (count == 3) run.template operator()<3>(h);
      else run.template operator()<2>(h);
      h += count;
    }
  }

  static bool has_mirror(const CombTables& t, int h) { return h != 0 && h != t.n1 / 4; }

  /// Adds to all kept rows what the signal's rows h .. h + H - 1 and their mirrors are of them, in columns from l on; h = 0 begins the sums.
  template <int H>
  static LC_INLINE void fold_block(const CombTables& t, const float* x, const float* gate, int h, int64_t l, float* z) {
    constexpr int K = kVectors<H>;
    V sum[H][K], difference[H][K];
#pragma GCC unroll 16
    for (int i = 0; i < H; ++i) {
#pragma GCC unroll 2
      for (int v = 0; v < K; ++v) {
        const V a = read(x, gate, (h + i) * t.columns + l + v * W);
        const V b = has_mirror(t, h + i) ? read(x, gate, (t.n1 / 2 - h - i) * t.columns + l + v * W) : V{};
        sum[i][v] = a + b;
        difference[i][v] = a - b;
      }
    }
    const int64_t width = t.n1 / 4 + 1;
    const float* cosine = t.cosine + h;
    const float* sine = t.sine + h;
    float* row = z + l;
    int r = 0;
    for (; r < t.real_rows; ++r, cosine += width, sine += width, row += 2 * t.row_stride) add_products<H, false>(cosine, sum, h, row);
    for (; r < t.even_rows; ++r, cosine += width, sine += width, row += 2 * t.row_stride) {
      add_products<H, false>(cosine, sum, h, row);
      add_products<H, true>(sine, difference, h, row + t.row_stride);
    }
    for (; r < t.rows; ++r, cosine += width, sine += width, row += 2 * t.row_stride) {
      add_products<H, false>(cosine, difference, h, row);
      add_products<H, true>(sine, sum, h, row + t.row_stride);
    }
  }

  static LC_INLINE V read(const float* x, const float* gate, int64_t at) {
    V v = load<float, W>(x + at);
    if (gate) v *= load<float, W>(gate + at);
    return v;
  }

  template <int H, bool Negative>
  static LC_INLINE void add_products(const float* factors, const V (&values)[H][kVectors<H>], int h, float* out) {
    constexpr int K = kVectors<H>;
    V total[K]{};
#pragma GCC unroll 2
    for (int v = 0; v < K; ++v)
      if (h != 0) total[v] = load<float, W>(out + v * W);
#pragma GCC unroll 16
    for (int i = 0; i < H; ++i) {
      const V factor = broadcast<float, W>(factors[i]);
#pragma GCC unroll 2
      for (int v = 0; v < K; ++v) {
        if constexpr (Negative) total[v] -= values[i][v] * factor;
        else total[v] += values[i][v] * factor;
      }
    }
#pragma GCC unroll 2
    for (int v = 0; v < K; ++v) store<float, W>(out + v * W, total[v]);
  }

  /// Rows h .. h + H - 1 of the output and their mirrors, even(h) + odd(h) and even(h) - odd(h), in columns from l on.
  template <int H>
  static LC_INLINE void unfold_block(const CombTables& t, const float* z, int h, int64_t l, float* y, const Epilogue<float>& e) {
    constexpr int K = kVectors<H>;
    V even[H][K]{}, odd[H][K]{};
    const int64_t width = t.n1 / 4 + 1;
    const float* cosine = t.cosine + h;
    const float* sine = t.sine + h;
    const float* row = z + l;
    int r = 0;
    for (; r < t.real_rows; ++r, cosine += width, sine += width, row += 2 * t.row_stride) add_multiples<H, false>(cosine, row, even);
    for (; r < t.even_rows; ++r, cosine += width, sine += width, row += 2 * t.row_stride) {
      add_multiples<H, false>(cosine, row, even);
      add_multiples<H, true>(sine, row + t.row_stride, odd);
    }
    for (; r < t.rows; ++r, cosine += width, sine += width, row += 2 * t.row_stride) {
      add_multiples<H, false>(cosine, row, odd);
      add_multiples<H, true>(sine, row + t.row_stride, even);
    }
#pragma GCC unroll 16
    for (int i = 0; i < H; ++i) {
#pragma GCC unroll 2
      for (int v = 0; v < K; ++v) {
        const int64_t at = (h + i) * t.columns + l + v * W, mirror = (t.n1 / 2 - h - i) * t.columns + l + v * W;
        store<float, W>(y + at, finished<float, W>(even[i][v] + odd[i][v], e, at));
        if (has_mirror(t, h + i)) store<float, W>(y + mirror, finished<float, W>(even[i][v] - odd[i][v], e, mirror));
      }
    }
  }

  template <int H, bool Negative>
  static LC_INLINE void add_multiples(const float* factors, const float* row, V (&totals)[H][kVectors<H>]) {
    constexpr int K = kVectors<H>;
    V value[K];
#pragma GCC unroll 2
    for (int v = 0; v < K; ++v) value[v] = load<float, W>(row + v * W);
#pragma GCC unroll 16
    for (int i = 0; i < H; ++i) {
      const V factor = broadcast<float, W>(factors[i]);
#pragma GCC unroll 2
      for (int v = 0; v < K; ++v) {
        if constexpr (Negative) totals[i][v] -= value[v] * factor;
        else totals[i][v] += value[v] * factor;
      }
    }
  }
};

}  // namespace longconv::LC_ISA_NAMESPACE
