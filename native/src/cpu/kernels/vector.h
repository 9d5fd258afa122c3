// Width-templated vectors over the compiler's vector extensions (GCC, Clang).
//
// Everything in kernels/ is compiled once per instruction set, inside LC_ISA_NAMESPACE: no function of this folder may have
// external linkage outside it, and nothing of the C++ standard library is instantiated here, so that the linker can never pick
// a copy built for another instruction set.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

#define LC_INLINE inline __attribute__((always_inline))

namespace longconv::LC_ISA_NAMESPACE {

/// W lanes of T in one register (or, for T = double, in one register of the same size: W counts lanes, not bytes).
template <class T, int W>
struct VectorOf {
  typedef T type __attribute__((vector_size(W * sizeof(T))));
  typedef T unaligned __attribute__((vector_size(W * sizeof(T)), aligned(sizeof(T)), may_alias));
};
template <class T, int W>
using Vec = typename VectorOf<T, W>::type;

template <class T, int W>
LC_INLINE Vec<T, W> load(const T* p) {
  return *reinterpret_cast<const typename VectorOf<T, W>::unaligned*>(p);
}
template <class T, int W>
LC_INLINE void store(T* p, Vec<T, W> v) {
  *reinterpret_cast<typename VectorOf<T, W>::unaligned*>(p) = v;
}
/// A whole, aligned cache line that goes to memory and pushes nothing out of the caches, where the instruction set has such stores; seen by other
/// cores after finish_streams().
template <class T, int W>
LC_INLINE void stream(T* p, Vec<T, W> v) {
#if defined(__AVX512F__)
  if constexpr (sizeof(v) == 64) return _mm512_stream_si512(reinterpret_cast<__m512i*>(p), reinterpret_cast<__m512i>(v));
#endif
  store<T, W>(p, v);
}
LC_INLINE void finish_streams() {
#if defined(__AVX512F__)
  _mm_sfence();
#endif
}
template <class T, int W>
LC_INLINE Vec<T, W> broadcast(T x) {
  return x - Vec<T, W>{};
}

/// Split complex number of W lanes.
template <class T, int W>
struct Complex {
  Vec<T, W> re, im;
};

template <class T, int W>
LC_INLINE Complex<T, W> operator+(Complex<T, W> a, Complex<T, W> b) {
  return {a.re + b.re, a.im + b.im};
}
template <class T, int W>
LC_INLINE Complex<T, W> operator-(Complex<T, W> a, Complex<T, W> b) {
  return {a.re - b.re, a.im - b.im};
}
template <class T, int W>
LC_INLINE Complex<T, W> multiply(Complex<T, W> a, Vec<T, W> re, Vec<T, W> im) {
  return {a.re * re - a.im * im, a.re * im + a.im * re};
}
/// a * conj(re + i im)
template <class T, int W>
LC_INLINE Complex<T, W> multiply_conjugate(Complex<T, W> a, Vec<T, W> re, Vec<T, W> im) {
  return {a.re * re + a.im * im, a.im * re - a.re * im};
}
template <bool Inverse, class T, int W>
LC_INLINE Complex<T, W> rotate(Complex<T, W> a, Vec<T, W> re, Vec<T, W> im) {
  if constexpr (Inverse) return multiply_conjugate<T, W>(a, re, im);
  else return multiply<T, W>(a, re, im);
}
template <class T, int W>
LC_INLINE Complex<T, W> load_complex(const T* p) {
  return {load<T, W>(p), load<T, W>(p + W)};
}
template <class T, int W>
LC_INLINE void store_complex(T* p, Complex<T, W> a) {
  store<T, W>(p, a.re);
  store<T, W>(p + W, a.im);
}

}  // namespace longconv::LC_ISA_NAMESPACE
