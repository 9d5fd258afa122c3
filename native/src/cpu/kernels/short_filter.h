// Direct (band-Toeplitz) convolution with a very short filter, and the element-wise copies around staged signals.
//
// Reference: y[t] = sum_{j < K} k[j] x[t - j]. Layout: contiguous rows; x has K - 1 readable elements before t = 0.
// Cost: K multiply-adds per output, 8 vectors of outputs at a time; the loads are shared between the taps of one residue mod W. Vectors as long
// as a cache line are shuffled out of two neighbours where few taps share them, since nearly every load would touch two lines.
#pragma once

#include <algorithm>

#include "epilogue.h"
#include "transpose.h"

namespace longconv::LC_ISA_NAMESPACE {

template <int W>
struct ShortFilter {
  using V = Vec<float, W>;
  using All = typename MakeIndices<W>::type;

  /// Adds taps first, first + W, ... (M of them) to eight vectors of outputs. Their inputs lie W points apart, so the M + 7 vectors
  /// that are read serve 8 M products.
  template <int M>
  static LC_INLINE void add_taps(V (&sum)[8], const float* k, const float* x) {
    V tap[M];
#pragma GCC unroll 8
    for (int m = 0; m < M; ++m) tap[m] = broadcast<float, W>(k[m * W]);
#pragma GCC unroll 16
    for (int i = 1 - M; i < 8; ++i) {
      const V u = load<float, W>(x + i * W);
#pragma GCC unroll 8
      for (int m = 0; m < M; ++m)
        if (i + m >= 0 && i + m < 8) sum[i + m] += tap[m] * u;
    }
  }

  /// Adds the taps A, A + 1, ... < count; near: the inputs of tap 0, from one vector before on.
  template <int A = 0>
  static LC_INLINE void add_near_taps(V (&sum)[8], const float* k, int64_t count, const V (&near)[9]) {
    if constexpr (A < W) {
      if (A >= count) return;
      const V tap = broadcast<float, W>(k[A]);
#pragma GCC unroll 8
      for (int v = 0; v < 8; ++v) {
        if constexpr (A == 0) sum[v] += tap * near[v + 1];
        else sum[v] += tap * shuffle<From<W - A>>(near[v], near[v + 1], All{});
      }
      add_near_taps<A + 1>(sum, k, count, near);
    }
  }
  /// Adds at most W taps. x is read from a vector before the inputs of tap 0 on, as far as `before` elements are there.
  static LC_INLINE void add_few_taps(V (&sum)[8], const float* k, int64_t taps, const float* x, int64_t before) {
    if constexpr (W * sizeof(float) == 64) {
      if (before >= W) {
        V near[9];
#pragma GCC unroll 9
        for (int v = 0; v < 9; ++v) near[v] = load<float, W>(x + (v - 1) * W);
        return add_near_taps(sum, k, taps, near);
      }
    }
    for (int64_t j = 0; j < taps; ++j) add_taps<1>(sum, k + j, x - j);
  }

  static void toeplitz(const float* k, int64_t taps, const float* x, float* y, int64_t count) {
    int64_t t = 0;
    for (; t + 8 * W <= count; t += 8 * W) {
      V sum[8]{};
      int64_t first = 0;
      for (; first + 8 * W <= taps; first += 8 * W)
        for (int r = 0; r < W; ++r) add_taps<8>(sum, k + first + r, x + t - first - r);
      for (; first + 4 * W <= taps; first += 4 * W)
        for (int r = 0; r < W; ++r) add_taps<4>(sum, k + first + r, x + t - first - r);
      for (; first + 2 * W <= taps; first += 2 * W)
        for (int r = 0; r < W; ++r) add_taps<2>(sum, k + first + r, x + t - first - r);
      // Readable before x are t + taps - 1 elements.
      for (; first < taps; first += W) add_few_taps(sum, k + first, std::min<int64_t>(W, taps - first), x + t - first, t + taps - 1 - first);
#pragma GCC unroll 8
      for (int v = 0; v < 8; ++v) store<float, W>(y + t + v * W, sum[v]);
    }
    for (; t < count; ++t) {
      float sum = 0;
      for (int64_t j = 0; j < taps; ++j) sum += k[j] * x[t - j];
      y[t] = sum;
    }
  }

  static float dot(const float* a, const float* b, const float* gate, int64_t count) {
    V sum[8]{};
    int64_t i = 0;
    for (; i + 8 * W <= count; i += 8 * W)
#pragma GCC unroll 8
      for (int v = 0; v < 8; ++v) {
        V x = load<float, W>(b + i + v * W);
        if (gate) x *= load<float, W>(gate + i + v * W);
        sum[v] += load<float, W>(a + i + v * W) * x;
      }
    const V lanes = ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
    float total = 0;
    for (int l = 0; l < W; ++l) total += lanes[l];
    for (; i < count; ++i) total += a[i] * (gate ? b[i] * gate[i] : b[i]);
    return total;
  }

  /// In place of memcpy, which for some kilobytes is one string instruction on many systems: where two arrays lie nearly a multiple of 4 KiB apart,
  /// that takes several times as long (AMD Zen 3 and 4).
  static LC_INLINE void copy(float* dst, const float* src, int64_t count) {
    constexpr int kAtOnce = 8;
    int64_t i = 0;
    // All loads before all stores: compilers would make a call of memcpy of it otherwise.
    for (; i + kAtOnce * W <= count; i += kAtOnce * W) {
      V v[kAtOnce];
#pragma GCC unroll 8
      for (int k = 0; k < kAtOnce; ++k) v[k] = load<float, W>(src + i + k * W);
#pragma GCC unroll 8
      for (int k = 0; k < kAtOnce; ++k) store<float, W>(dst + i + k * W, v[k]);
    }
    __builtin_memcpy(dst + i, src + i, static_cast<std::size_t>(count - i) * sizeof(float));
  }

  static void gate_copy(float* dst, const float* src, const float* gate, int64_t count) {
    if (!gate) return copy(dst, src, count);
    int64_t i = 0;
    for (; i + W <= count; i += W) store<float, W>(dst + i, load<float, W>(src + i) * load<float, W>(gate + i));
    for (; i < count; ++i) dst[i] = src[i] * gate[i];
  }

  static void finish(float* dst, const float* src, const Epilogue<float>& e, int64_t count, bool far) {
    int64_t i = 0;
    if (far) {
      constexpr uintptr_t kLine = 64;
      const int64_t before = static_cast<int64_t>((kLine - reinterpret_cast<uintptr_t>(dst) % kLine) % kLine / sizeof(float));
      for (; i < before && i < count; ++i) dst[i] = finished_one(src[i], e, i);
      for (; i + W <= count; i += W) stream<float, W>(dst + i, finished<float, W>(load<float, W>(src + i), e, i));
      finish_streams();
    } else if (!e.any()) {
      return copy(dst, src, count);
    }
    for (; i < count; ++i) dst[i] = finished_one(src[i], e, i);
  }
};

}  // namespace longconv::LC_ISA_NAMESPACE
