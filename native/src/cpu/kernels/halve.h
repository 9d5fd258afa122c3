// A low-pass filter and a halving of the sampling rate in one step, and its adjoint: back to the higher rate through the same filter.
//
// Reference, g symmetric of 2 P taps:
//   halve:   out[m] = sum_{i < 2P} g[i] x[2m + i] gate[2m + i]
//   twice:   y[2m] = sum_{a < P} g[2a] w[m + a],   y[2m + 1] = sum_{a < P} g[2a + 1] w[m + 1 + a]
//
// Even and odd samples are taken apart (put together) once, so that every product is of whole vectors. Those of the samples A further on are
// loaded; vectors as long as a cache line are shuffled out of two neighbours instead, since nearly every load would touch two lines.
// Cost: 2 P multiply-adds and as many loads or shuffles for each vector at the lower rate, half as many loads on the way back.
#pragma once

#include "epilogue.h"
#include "transpose.h"

namespace longconv::LC_ISA_NAMESPACE {

/// Every second lane of two vectors, from lane `First` on.
template <int First>
struct EverySecond {
  static constexpr int index(int i) { return 2 * i + First; }
};
/// Lanes of two vectors by turns, from the low or the high half of each.
template <int W, bool High>
struct ByTurns {
  static constexpr int index(int i) { return i / 2 + (High ? W / 2 : 0) + (i % 2 ? W : 0); }
};

template <int W>
struct Halve {
  using V = Vec<float, W>;
  using All = typename MakeIndices<W>::type;

  /// Outputs of a pass whose samples, taken apart, stay in the nearest cache.
  static constexpr int kTile = 512;
  static constexpr int kPart = kTile + kLeastHalvingPairs + kHalvingKernels + 2 * W;
  static_assert(kTile % (2 * W) == 0);

  static LC_INLINE V gated(const float* x, const float* gate, int64_t at) {
    V v = load<float, W>(x + at);
    if (gate) v *= load<float, W>(gate + at);
    return v;
  }

  /// The first `count` pairs of samples as even and odd ones, then zeros to two whole vectors beyond.
  static LC_INLINE void take_apart(const float* x, const float* gate, int count, float* even, float* odd) {
    int j = 0;
    for (; j + W <= count; j += W) {
      const V a = gated(x, gate, 2 * j), b = gated(x, gate, 2 * j + W);
      store<float, W>(even + j, shuffle<EverySecond<0>>(a, b, All{}));
      store<float, W>(odd + j, shuffle<EverySecond<1>>(a, b, All{}));
    }
    for (; j < count; ++j) {
      even[j] = x[2 * j] * (gate ? gate[2 * j] : 1.0f);
      odd[j] = x[2 * j + 1] * (gate ? gate[2 * j + 1] : 1.0f);
    }
    for (int end = j + 2 * W; j < end; ++j) even[j] = odd[j] = 0.0f;
  }

  /// The P taps of which the others are mirrors.
  template <int P>
  static LC_INLINE void load_taps(const float* taps, V (&g)[P]) {
#pragma GCC unroll 8
    for (int i = 0; i < P; ++i) g[i] = broadcast<float, W>(taps[i]);
  }
  template <int P>
  static constexpr int mirrored(int i) {
    return i < P ? i : 2 * P - 1 - i;
  }

  /// The vector at p + A; `now` is the one at p, `next` the one at p + W.
  template <int A>
  static LC_INLINE V further(const float* p, V now, V next) {
    if constexpr (A == 0) return now;
    else if constexpr (A == W) return next;
    else if constexpr (W * sizeof(float) == 64) return shuffle<From<A>>(now, next, All{});
    else return load<float, W>(p + A);
  }

  /// Adds the taps from 2 A on: those of even and those of odd samples.
  template <int P, int A = 0>
  static LC_INLINE void add_taps(const V (&g)[P], const float* even, const float* odd, const V (&near)[4], V& a, V& b) {
    if constexpr (A < P) {
      a += further<A>(even, near[0], near[1]) * g[mirrored<P>(2 * A)];
      b += further<A>(odd, near[2], near[3]) * g[mirrored<P>(2 * A + 1)];
      add_taps<P, A + 1>(g, even, odd, near, a, b);
    }
  }
  template <int P>
  static LC_INLINE V filtered(const V (&g)[P], const float* even, const float* odd) {
    const V near[4] = {load<float, W>(even), load<float, W>(even + W), load<float, W>(odd), load<float, W>(odd + W)};
    V a{}, b{};
    add_taps<P>(g, even, odd, near, a, b);
    return a + b;
  }

  template <int P>
  static void halve(const float* taps, const float* x, const float* gate, float* out, int64_t count) {
    alignas(64) float even[kPart], odd[kPart];
    V g[P];
    load_taps<P>(taps, g);
    for (int64_t base = 0; base < count; base += kTile) {
      const int here = static_cast<int>(count - base < kTile ? count - base : kTile);
      take_apart(x + 2 * base, gate ? gate + 2 * base : nullptr, here + P - 1, even, odd);
      int m = 0;
      for (; m + W <= here; m += W) store<float, W>(out + base + m, filtered<P>(g, even + m, odd + m));
      if (m == here) continue;
      const V rest = filtered<P>(g, even + m, odd + m);
      for (int i = 0; m + i < here; ++i) out[base + m + i] = rest[i];
    }
  }

  static LC_INLINE void put_some(float* y, int64_t at, V value, const Epilogue<float>& e, int64_t count) {
    for (int i = 0; i < W && at + i < count; ++i) y[at + i] = finished_one(value[i], e, at + i);
  }

  /// Sample A further on goes to the even results with tap 2 A, to the odd ones with tap 2 A - 1.
  template <int P, int A = 0>
  static LC_INLINE void add_both(const V (&g)[P], const float* from, V now, V next, V& even, V& odd) {
    if constexpr (A <= P) {
      const V u = further<A>(from, now, next);
      if constexpr (A < P) even += u * g[mirrored<P>(2 * A)];
      if constexpr (A > 0) odd += u * g[mirrored<P>(2 * A - 1)];
      add_both<P, A + 1>(g, from, now, next, even, odd);
    }
  }

  template <int P, bool Finish>
  static void twice(const float* taps, const float* w, float* y, int64_t count, const Epilogue<float>& e) {
    V g[P];
    load_taps<P>(taps, g);
    for (int64_t at = 0; at < count; at += 2 * W) {
      const float* from = w + at / 2;
      const V now = load<float, W>(from), next = load<float, W>(from + W);
      V even{}, odd{};
      add_both<P>(g, from, now, next, even, odd);
      const V low = shuffle<ByTurns<W, false>>(even, odd, All{}), high = shuffle<ByTurns<W, true>>(even, odd, All{});
      if (at + 2 * W > count) {
        put_some(y, at, low, e, count);
        put_some(y, at + W, high, e, count);
      } else if constexpr (Finish) {
        store<float, W>(y + at, finished<float, W>(low, e, at));
        store<float, W>(y + at + W, finished<float, W>(high, e, at + W));
      } else {
        store<float, W>(y + at, low);
        store<float, W>(y + at + W, high);
      }
    }
  }
  template <int P>
  static void twice_any(const float* taps, const float* w, float* y, int64_t count, const Epilogue<float>& e) {
    e.any() ? twice<P, true>(taps, w, y, count, e) : twice<P, false>(taps, w, y, count, e);
  }

  static constexpr HalvingKernels table() {
    return {{halve<2>, halve<3>, halve<4>, halve<5>, halve<6>, halve<7>, halve<8>},
            {twice_any<2>, twice_any<3>, twice_any<4>, twice_any<5>, twice_any<6>, twice_any<7>, twice_any<8>}};
  }
};

}  // namespace longconv::LC_ISA_NAMESPACE
