// Twisted complex FFT, forward to a permuted spectrum and back, in the order that needs no permutation.
//
//   X[f] = sum_{t < n} x[t] exp(-2 pi i (f + alpha) t / n)
//
// alpha = 0 is the plain DFT. alpha = -1/4 makes the product of two transforms a convolution modulo z^n = i (right-angle
// convolution): for real x the real part of the result is a linear convolution, without zero padding. alpha = r / N1 is row r of
// the first Monarch digit of an N1 * n point transform.
//
// Layout. t = h * M + l with W rows h (W = lanes) of M = n / W columns l. The first pass transforms over h for W columns at a
// time (lanes = columns), multiplies by exp(-2 pi i (r + alpha) l / n), and transposes in registers, so that work[l] holds one
// complex vector with lanes = r: floats [2 W l, 2 W l + W) real, the next W imaginary. Every later pass transforms over l, for
// all r at once, with broadcast twiddles: decimation in frequency, radix 8 or 4, block q of a pass taking the frequencies
// congruent to q. Position (r, q0, q1, ...) of the result is f = r + W (q0 + R0 (q1 + R1 (...))).
// The inverse runs the same stages backwards (decimation in time). Nothing is scaled: the caller's spectrum carries 1 / n.
//
// convolve() goes depth first: forward pass of a block, its sub-blocks one after the other (each forward, product, inverse while
// it is in the nearest cache), inverse pass. The last radix stays in registers around the product.
//
// Preconditions: n a power of two >= W * W; work 64-byte aligned, 2 n elements. Cost: about 3.5 vector operations per complex
// vector, radix-2 level and direction.
#pragma once

#include "butterfly.h"
#include "epilogue.h"
#include "transpose.h"

namespace longconv::LC_ISA_NAMESPACE {

/// Transforms of at least this many points look at the cancel flag before each block.
constexpr int64_t kPollPoints = 32768;

template <class T, int W>
struct TwistedFft {
  using V = Vec<T, W>;
  using C = Complex<T, W>;
  static constexpr int64_t kLine = 64 / static_cast<int64_t>(sizeof(T));

  // ---- first and last pass -------------------------------------------------------------------------------------------------

  /// Rows that lie a multiple of 4 KiB apart share the sets of the nearest cache: where they are more than it has ways, a line is gone before
  /// the next columns need the rest of it. That is so for both parts of a complex signal, 2 W rows: they come and go by way of a stage, some
  /// columns at a time.
  static constexpr int64_t kStagedColumns = 64;
  static constexpr int64_t kStageStride = kStagedColumns + 16;
  using Stage = T[W * kStageStride];
  static bool needs_stage(int64_t columns) { return W >= 8 && columns * static_cast<int64_t>(sizeof(T)) % 4096 == 0; }

  /// Columns [base, base + kStagedColumns) of the W rows of a signal, gated.
  static LC_INLINE void bring(const T* x, const T* gate, int64_t m, int64_t base, Stage& stage) {
    constexpr int kVectors = kStagedColumns / W;
    for (int h = 0; h < W; ++h) {
      const int64_t at = h * m + base;
      // All loads before all stores: as a loop over single vectors, compilers would make a call of memcpy of it.
      V v[kVectors];
#pragma GCC unroll 16
      for (int i = 0; i < kVectors; ++i) {
        v[i] = load<T, W>(x + at + i * W);
        if (gate) v[i] *= load<T, W>(gate + at + i * W);
      }
#pragma GCC unroll 16
      for (int i = 0; i < kVectors; ++i) store<T, W>(stage + h * kStageStride + i * W, v[i]);
    }
  }

  /// The other way: rows first_row .. W-1 of the stage to columns [base, base + kStagedColumns) of the result.
  static LC_INLINE void take_away(const Stage& stage, int first_row, int64_t m, int64_t base, T* dst, const Epilogue<T>& epilogue) {
    constexpr int kVectors = kStagedColumns / W;
    for (int h = first_row; h < W; ++h) {
      const int64_t at = (h - first_row) * m + base;
      V v[kVectors];
#pragma GCC unroll 16
      for (int i = 0; i < kVectors; ++i) v[i] = load<T, W>(stage + h * kStageStride + i * W);
#pragma GCC unroll 16
      for (int i = 0; i < kVectors; ++i) store<T, W>(dst + at + i * W, finished<T, W>(v[i], epilogue, at + i * W));
    }
  }

  /// Twiddle of row r at columns [l, l + W): fine * coarse, which is 1 in the only tile of a short transform.
  template <bool OneTile>
  static LC_INLINE C column_twiddle(const T* fine, const T* coarse, int64_t fine_columns, int r) {
    const C f{load<T, W>(fine + 2 * r * fine_columns), load<T, W>(fine + (2 * r + 1) * fine_columns)};
    if constexpr (OneTile) return f;
    else return multiply<T, W>(f, broadcast<T, W>(coarse[2 * r]), broadcast<T, W>(coarse[2 * r + 1]));
  }

  /// Columns [base, base + width), which `src` has at 0 of rows `stride` apart.
  template <bool Real, bool Twisted, bool Gated, bool Ahead = false>
  static void first_pass_of(const FftTables<T>& t, const FirstPassSource<T>& src, int64_t stride, int64_t base, int64_t width, T* work) {
    if (t.columns == t.fine_columns) first_pass_tiles<Real, Twisted, Gated, Ahead, true>(t, src, stride, base, width, work);
    else first_pass_tiles<Real, Twisted, Gated, Ahead, false>(t, src, stride, base, width, work);
  }

  template <bool Real, bool Twisted, bool Gated, bool Ahead, bool OneTile>
  static void first_pass_tiles(const FftTables<T>& t, const FirstPassSource<T>& src, int64_t stride, int64_t base, int64_t width, T* work) {
    const int64_t fine = t.fine_columns;
    for (int64_t c = 0; c < width; c += W) {
      const int64_t column = base + c, l = column % fine;
      const T* coarse = t.coarse + column / fine * 2 * W;
      C x[W];
#pragma GCC unroll 16
      for (int h = 0; h < W; ++h) {
        const int64_t at = h * stride + c;
        if constexpr (Ahead) {
          __builtin_prefetch(src.re + at + src.ahead, 0, 2);
          __builtin_prefetch(src.im + at + src.ahead, 0, 2);
        }
        V re = load<T, W>(src.re + at);
        if constexpr (Gated) re *= load<T, W>(src.re_gate + at);
        if constexpr (Real) {
          if constexpr (Twisted) x[h] = {re * t.twist[2 * h], re * t.twist[2 * h + 1]};
          else x[h] = {re, V{}};
        } else {
          V im = load<T, W>(src.im + at);
          if constexpr (Gated) im *= load<T, W>(src.im_gate + at);
          x[h] = {re, im};
          if constexpr (Twisted) x[h] = multiply<T, W>(x[h], broadcast<T, W>(t.twist[2 * h]), broadcast<T, W>(t.twist[2 * h + 1]));
        }
      }
      Dft<W, false, T, W>::run(x);
      V re[W], im[W];
#pragma GCC unroll 16
      for (int r = 0; r < W; ++r) {
        const C w = column_twiddle<OneTile>(t.fine + l, coarse, fine, r);
        const C y = multiply<T, W>(x[r], w.re, w.im);
        re[r] = y.re;
        im[r] = y.im;
      }
      transpose<T, W>(re);
      transpose<T, W>(im);
      T* out = work + column * 2 * W;
#pragma GCC unroll 16
      for (int i = 0; i < W; ++i) {
        store<T, W>(out + 2 * W * i, re[i]);
        store<T, W>(out + 2 * W * i + W, im[i]);
      }
    }
  }

  template <bool Twisted>
  static void staged_first_pass(const FftTables<T>& t, const FirstPassSource<T>& src, T* work) {
    alignas(64) Stage re, im;
    for (int64_t base = 0; base < t.columns; base += kStagedColumns) {
      bring(src.re, src.re_gate, t.columns, base, re);
      bring(src.im, src.im_gate, t.columns, base, im);
      first_pass_of<false, Twisted, false>(t, {re, im, nullptr, nullptr}, kStageStride, base, kStagedColumns, work);
    }
  }

  template <bool Finish>
  static LC_INLINE void write_row(T* dst, int64_t row, int64_t stride, int64_t column, V value, const Epilogue<T>& e) {
    if (row < 0) return;
    const int64_t at = row * stride + column;
    if constexpr (Finish) value = finished<T, W>(value, e, at);
    store<T, W>(dst + at, value);
  }

  /// Columns [base, base + width), to 0 of rows `stride` apart.
  template <bool Real, bool Twisted, bool Finish>
  static void last_pass_of(const FftTables<T>& t, const T* work, const LastPassSink<T>& sink, int64_t stride, int64_t base, int64_t width) {
    if (t.columns == t.fine_columns) last_pass_tiles<Real, Twisted, Finish, true>(t, work, sink, stride, base, width);
    else last_pass_tiles<Real, Twisted, Finish, false>(t, work, sink, stride, base, width);
  }

  template <bool Real, bool Twisted, bool Finish, bool OneTile>
  static void last_pass_tiles(const FftTables<T>& t, const T* work, const LastPassSink<T>& sink, int64_t stride, int64_t base, int64_t width) {
    const int64_t fine = t.fine_columns;
    for (int64_t c = 0; c < width; c += W) {
      const int64_t column = base + c, l = column % fine;
      const T* coarse = t.coarse + column / fine * 2 * W;
      V re[W], im[W];
      const T* in = work + column * 2 * W;
#pragma GCC unroll 16
      for (int i = 0; i < W; ++i) {
        re[i] = load<T, W>(in + 2 * W * i);
        im[i] = load<T, W>(in + 2 * W * i + W);
      }
      transpose<T, W>(re);
      transpose<T, W>(im);
      C x[W];
#pragma GCC unroll 16
      for (int r = 0; r < W; ++r) {
        const C w = column_twiddle<OneTile>(t.fine + l, coarse, fine, r);
        x[r] = multiply_conjugate<T, W>(C{re[r], im[r]}, w.re, w.im);
      }
      Dft<W, true, T, W>::run(x);
#pragma GCC unroll 16
      for (int h = 0; h < W; ++h) {
        C y = x[h];
        if constexpr (Twisted && Real) y.re = y.re * t.twist[2 * h] + y.im * t.twist[2 * h + 1];
        if constexpr (Twisted && !Real) y = multiply_conjugate<T, W>(y, broadcast<T, W>(t.twist[2 * h]), broadcast<T, W>(t.twist[2 * h + 1]));
        write_row<Finish>(sink.re, h - sink.re_first_row, stride, c, y.re, sink.re_epilogue);
        if constexpr (!Real) write_row<Finish>(sink.im, h - sink.im_first_row, stride, c, y.im, sink.im_epilogue);
      }
    }
  }

  template <bool Twisted>
  static void staged_last_pass(const FftTables<T>& t, const T* work, const LastPassSink<T>& sink) {
    alignas(64) Stage re, im;
    LastPassSink<T> near;
    near.re = re;
    near.im = im;
    for (int64_t base = 0; base < t.columns; base += kStagedColumns) {
      last_pass_of<false, Twisted, false>(t, work, near, kStageStride, base, kStagedColumns);
      take_away(re, sink.re_first_row, t.columns, base, sink.re, sink.re_epilogue);
      take_away(im, sink.im_first_row, t.columns, base, sink.im, sink.im_epilogue);
    }
  }

  // ---- later passes --------------------------------------------------------------------------------------------------------

  template <int R>
  static void pass_forward(T* x, int64_t span, const T* w) {
    const int64_t quarter = span / R;
    for (int64_t j = 0; j < quarter; ++j, x += 2 * W, w += 2 * (R - 1)) {
      C a[R];
#pragma GCC unroll 16
      for (int i = 0; i < R; ++i) a[i] = load_complex<T, W>(x + i * quarter * 2 * W);
      Dft<R, false, T, W>::run(a);
      store_complex<T, W>(x, a[0]);
#pragma GCC unroll 16
      for (int q = 1; q < R; ++q)
        store_complex<T, W>(x + q * quarter * 2 * W, multiply<T, W>(a[q], broadcast<T, W>(w[2 * q - 2]), broadcast<T, W>(w[2 * q - 1])));
    }
  }

  template <int R>
  static void pass_inverse(T* x, int64_t span, const T* w) {
    const int64_t quarter = span / R;
    for (int64_t j = 0; j < quarter; ++j, x += 2 * W, w += 2 * (R - 1)) {
      C a[R];
      a[0] = load_complex<T, W>(x);
#pragma GCC unroll 16
      for (int q = 1; q < R; ++q)
        a[q] = multiply_conjugate<T, W>(load_complex<T, W>(x + q * quarter * 2 * W), broadcast<T, W>(w[2 * q - 2]), broadcast<T, W>(w[2 * q - 1]));
      Dft<R, true, T, W>::run(a);
#pragma GCC unroll 16
      for (int i = 0; i < R; ++i) store_complex<T, W>(x + i * quarter * 2 * W, a[i]);
    }
  }

  /// Last radix: forward DFT in registers over `blocks` blocks of R columns, then (Product) product and inverse DFT.
  template <int R, bool Product>
  static void innermost(T* x, const T* spectrum, int64_t blocks, Touch* touch) {
    for (int64_t b = 0; b < blocks; ++b, x += 2 * W * R, spectrum += Product ? 2 * W * R : 0) {
      if constexpr (Product) {
        if (touch) touch_lines<W * R * static_cast<int64_t>(sizeof(T)) / 64>(*touch);
        if (touch && touch->spectrum_ahead) {
#pragma GCC unroll 16
          for (int64_t i = 0; i < 2 * W * R; i += kLine) __builtin_prefetch(spectrum + touch->spectrum_ahead + i, 0, 2);
        }
      }
      C a[R];
#pragma GCC unroll 16
      for (int i = 0; i < R; ++i) a[i] = load_complex<T, W>(x + 2 * W * i);
      Dft<R, false, T, W>::run(a);
      if constexpr (Product) {
#pragma GCC unroll 16
        for (int i = 0; i < R; ++i) a[i] = multiply<T, W>(a[i], load<T, W>(spectrum + 2 * W * i), load<T, W>(spectrum + 2 * W * i + W));
        Dft<R, true, T, W>::run(a);
      }
#pragma GCC unroll 16
      for (int i = 0; i < R; ++i) store_complex<T, W>(x + 2 * W * i, a[i]);
    }
  }

  /// Asks for the next lines of both streams: memory is read while the block is computed.
  template <int64_t Lines>
  static LC_INLINE void touch_lines(Touch& touch) {
    for (int32_t pass = 0; pass < touch.pace; ++pass) {
      if (touch.read < touch.read_end) {
        for (int64_t i = 0; i < Lines; ++i) __builtin_prefetch(touch.read + 64 * i, 0, 2);
        touch.read += 64 * Lines;
      }
      if (touch.write < touch.write_end) {
        for (int64_t i = 0; i < Lines; ++i) __builtin_prefetch(touch.write + 64 * i, 1, 3);
        touch.write += 64 * Lines;
      }
    }
  }

  template <bool Product>
  static void innermost_any(const FftTables<T>& t, T* x, const T* spectrum, int64_t blocks, Touch* touch) {
    if (t.radix[t.levels - 1] == 8) innermost<8, Product>(x, spectrum, blocks, touch);
    else innermost<4, Product>(x, spectrum, blocks, touch);
  }
  static void forward_level(const FftTables<T>& t, int level, T* x) {
    if (t.radix[level] == 8) pass_forward<8>(x, t.span[level], t.twiddle[level]);
    else pass_forward<4>(x, t.span[level], t.twiddle[level]);
  }
  static void inverse_level(const FftTables<T>& t, int level, T* x) {
    if (t.radix[level] == 8) pass_inverse<8>(x, t.span[level], t.twiddle[level]);
    else pass_inverse<4>(x, t.span[level], t.twiddle[level]);
  }

  static void convolve_block(const FftTables<T>& t, int level, T* x, const T* spectrum, Touch* touch, const int32_t* cancel) {
    const int64_t span = t.span[level];
    if (cancel && span * W >= kPollPoints && __atomic_load_n(cancel, __ATOMIC_RELAXED)) return;
    if (level == t.levels - 1) {
      innermost_any<true>(t, x, spectrum, 1, touch);
      return;
    }
    forward_level(t, level, x);
    const int64_t sub = t.span[level + 1];
    const int count = t.radix[level];
    if (level == t.levels - 2) innermost_any<true>(t, x, spectrum, count, touch);
    else
      for (int q = 0; q < count; ++q) convolve_block(t, level + 1, x + q * sub * 2 * W, spectrum + q * sub * 2 * W, touch, cancel);
    inverse_level(t, level, x);
  }

  static void forward_block(const FftTables<T>& t, int level, T* x) {
    if (level == t.levels - 1) {
      innermost_any<false>(t, x, nullptr, 1, nullptr);
      return;
    }
    forward_level(t, level, x);
    const int64_t sub = t.span[level + 1];
    if (level == t.levels - 2) innermost_any<false>(t, x, nullptr, t.radix[level], nullptr);
    else
      for (int q = 0; q < t.radix[level]; ++q) forward_block(t, level + 1, x + q * sub * 2 * W);
  }

  // ---- entries of the kernel table -----------------------------------------------------------------------------------------

  template <bool Real, bool Twisted>
  static void first_pass_any(const FftTables<T>& t, const FirstPassSource<T>& s, T* work) {
    const int64_t m = t.columns;
    const bool gated = s.re_gate != nullptr;
    if constexpr (!Real) {
      if (needs_stage(m)) return staged_first_pass<Twisted>(t, s, work);
    }
    if constexpr (!Real && Twisted) {
      if (s.ahead) return gated ? first_pass_of<Real, Twisted, true, true>(t, s, m, 0, m, work) : first_pass_of<Real, Twisted, false, true>(t, s, m, 0, m, work);
    }
    gated ? first_pass_of<Real, Twisted, true>(t, s, m, 0, m, work) : first_pass_of<Real, Twisted, false>(t, s, m, 0, m, work);
  }
  template <bool Real, bool Twisted>
  static void last_pass_any(const FftTables<T>& t, const T* work, const LastPassSink<T>& s) {
    const int64_t m = t.columns;
    if constexpr (!Real) {
      if (needs_stage(m)) return staged_last_pass<Twisted>(t, work, s);
    }
    if (s.re_epilogue.any() || s.im_epilogue.any()) last_pass_of<Real, Twisted, true>(t, work, s, m, 0, m);
    else last_pass_of<Real, Twisted, false>(t, work, s, m, 0, m);
  }

  static void first_pass(const FftTables<T>& t, const FirstPassSource<T>& s, T* work) {
    if (s.im) t.twisted ? first_pass_any<false, true>(t, s, work) : first_pass_any<false, false>(t, s, work);
    else t.twisted ? first_pass_any<true, true>(t, s, work) : first_pass_any<true, false>(t, s, work);
  }
  static void forward(const FftTables<T>& t, T* work) { forward_block(t, 0, work); }
  static void convolve(const FftTables<T>& t, T* work, const T* spectrum, Touch* touch, const int32_t* cancel) {
    convolve_block(t, 0, work, spectrum, touch, cancel);
  }
  static void last_pass(const FftTables<T>& t, const T* work, const LastPassSink<T>& s) {
    if (s.im) t.twisted ? last_pass_any<false, true>(t, work, s) : last_pass_any<false, false>(t, work, s);
    else t.twisted ? last_pass_any<true, true>(t, work, s) : last_pass_any<true, false>(t, work, s);
  }

  static constexpr FftKernels<T> table() { return {W, first_pass, forward, convolve, last_pass}; }
};

}  // namespace longconv::LC_ISA_NAMESPACE
