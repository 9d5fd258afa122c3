// Small DFTs in registers, forward (w = exp(-2 pi i / R)) or inverse (conjugate, not scaled), natural order in and out.
//
// Reference: y[q] = sum_a x[a] w_R^(a q). Cost in vector operations: R = 2: 4, R = 4: 16, R = 8: 52, R = 16: ~168.
#pragma once

#include "vector.h"

namespace longconv::LC_ISA_NAMESPACE {

/// a * -i (forward) or a * i (inverse): the root w_4.
template <bool Inverse, class T, int W>
LC_INLINE Complex<T, W> quarter_turn(Complex<T, W> a) {
  if constexpr (Inverse) return {-a.im, a.re};
  else return {a.im, -a.re};
}

template <bool Inverse, class T, int W>
LC_INLINE void dft4(Complex<T, W>& a, Complex<T, W>& b, Complex<T, W>& c, Complex<T, W>& d) {
  const Complex<T, W> t0 = a + c, t1 = a - c, t2 = b + d, t3 = quarter_turn<Inverse, T, W>(b - d);
  a = t0 + t2;
  b = t1 + t3;
  c = t0 - t2;
  d = t1 - t3;
}

template <int R, bool Inverse, class T, int W>
struct Dft;

template <bool Inverse, class T, int W>
struct Dft<2, Inverse, T, W> {
  static LC_INLINE void run(Complex<T, W> (&x)[2]) {
    const Complex<T, W> t = x[0] - x[1];
    x[0] = x[0] + x[1];
    x[1] = t;
  }
};

template <bool Inverse, class T, int W>
struct Dft<4, Inverse, T, W> {
  static LC_INLINE void run(Complex<T, W> (&x)[4]) { dft4<Inverse, T, W>(x[0], x[1], x[2], x[3]); }
};

template <bool Inverse, class T, int W>
struct Dft<8, Inverse, T, W> {
  static LC_INLINE void run(Complex<T, W> (&x)[8]) {
    constexpr T s = static_cast<T>(0.70710678118654752440);
    dft4<Inverse, T, W>(x[0], x[2], x[4], x[6]);
    dft4<Inverse, T, W>(x[1], x[3], x[5], x[7]);
    // After dft4: x[0,2,4,6] = E[0..3], x[1,3,5,7] = O[0..3].
    const Complex<T, W> o0 = x[1], o2 = quarter_turn<Inverse, T, W>(x[5]);
    Complex<T, W> o1, o3;  // O[1] w_8 / s and O[3] w_8^3 / s
    if constexpr (Inverse) {
      o1 = {x[3].re - x[3].im, x[3].im + x[3].re};
      o3 = {-x[7].re - x[7].im, x[7].re - x[7].im};
    } else {
      o1 = {x[3].re + x[3].im, x[3].im - x[3].re};
      o3 = {x[7].im - x[7].re, -x[7].re - x[7].im};
    }
    const Complex<T, W> e0 = x[0], e1 = x[2], e2 = x[4], e3 = x[6];
    x[0] = e0 + o0;
    x[4] = e0 - o0;
    x[1] = {e1.re + s * o1.re, e1.im + s * o1.im};
    x[5] = {e1.re - s * o1.re, e1.im - s * o1.im};
    x[2] = e2 + o2;
    x[6] = e2 - o2;
    x[3] = {e3.re + s * o3.re, e3.im + s * o3.im};
    x[7] = {e3.re - s * o3.re, e3.im - s * o3.im};
  }
};

template <bool Inverse, class T, int W>
struct Dft<16, Inverse, T, W> {
  static LC_INLINE Complex<T, W> turn(Complex<T, W> a, T re, T im) {
    if constexpr (Inverse) return {a.re * re + a.im * im, a.im * re - a.re * im};
    else return {a.re * re - a.im * im, a.re * im + a.im * re};
  }
  static LC_INLINE void run(Complex<T, W> (&x)[16]) {
    constexpr T c = static_cast<T>(0.92387953251128675613), s = static_cast<T>(0.38268343236508977173), h = static_cast<T>(0.70710678118654752440);
#pragma GCC unroll 4
    for (int b = 0; b < 4; ++b) dft4<Inverse, T, W>(x[b], x[b + 4], x[b + 8], x[b + 12]);
    // x[b + 4 q] now holds the DFT over the high digit; multiply by w_16^(b q), then transform over b.
    x[5] = turn(x[5], c, -s);
    x[6] = turn(x[6], h, -h);
    x[7] = turn(x[7], s, -c);
    x[9] = turn(x[9], h, -h);
    x[10] = quarter_turn<Inverse, T, W>(x[10]);
    x[11] = turn(x[11], -h, -h);
    x[13] = turn(x[13], s, -c);
    x[14] = turn(x[14], -h, -h);
    x[15] = turn(x[15], -c, s);
#pragma GCC unroll 4
    for (int q = 0; q < 4; ++q) dft4<Inverse, T, W>(x[4 * q], x[4 * q + 1], x[4 * q + 2], x[4 * q + 3]);
    // x[4 q + p] is output q + 4 p: transpose the 4 x 4 names.
#pragma GCC unroll 4
    for (int q = 0; q < 4; ++q) {
#pragma GCC unroll 4
      for (int p = q + 1; p < 4; ++p) {
        const Complex<T, W> t = x[4 * q + p];
        x[4 * q + p] = x[4 * p + q];
        x[4 * p + q] = t;
      }
    }
  }
};

}  // namespace longconv::LC_ISA_NAMESPACE
