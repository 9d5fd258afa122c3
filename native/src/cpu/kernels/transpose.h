// In-register transposition of a W x W matrix held as W vectors of W lanes.
//
// Reference: out[i][j] = in[j][i]. Cost: W log2(W) shuffles. Inside each 128-bit lane the G x G blocks (G = 16 / sizeof(T)) are
// transposed with unpack instructions, then blocks of G, 2G, 4G ... lanes are exchanged between rows.
#pragma once

#include "vector.h"

namespace longconv::LC_ISA_NAMESPACE {

template <int... I>
struct Indices {};
template <int N, int... I>
struct MakeIndices : MakeIndices<N - 1, N - 1, I...> {};
template <int... I>
struct MakeIndices<0, I...> {
  using type = Indices<I...>;
};

/// Shuffle of (a, b) with the index function F (indices >= W name lanes of b).
template <class F, class V, int... I>
LC_INLINE V shuffle(V a, V b, Indices<I...>) {
  return __builtin_shufflevector(a, b, F::index(I)...);
}

/// Lanes of two vectors from lane A of the first one on.
template <int A>
struct From {
  static constexpr int index(int i) { return i + A; }
};

/// Groups of D lanes, alternately from a and b, low or high group of each run of 2 D.
template <int W, int D, bool High>
struct ExchangeBlocks {
  static constexpr int index(int i) {
    const int group = i / (2 * D), inside = i % (2 * D);
    return group * 2 * D + (High ? D : 0) + (inside < D ? inside : W + inside - D);
  }
};
/// Interleaves runs of D lanes of the low or high half of each 128-bit lane of G lanes (unpacklo / unpackhi).
template <int W, int G, int D, bool High>
struct Unpack {
  static constexpr int index(int i) {
    const int lane = i / G, inside = i % G;
    const int run = inside / D, offset = inside % D;
    return lane * G + (High ? G / 2 : 0) + (run / 2) * D + offset + (run % 2 ? W : 0);
  }
};

template <class T, int W, int D>
LC_INLINE void exchange_rows(Vec<T, W> (&r)[W]) {
  using All = typename MakeIndices<W>::type;
#pragma GCC unroll 16
  for (int i = 0; i < W; ++i) {
    if (i & D) continue;
    const auto low = shuffle<ExchangeBlocks<W, D, false>>(r[i], r[i + D], All{});
    r[i + D] = shuffle<ExchangeBlocks<W, D, true>>(r[i], r[i + D], All{});
    r[i] = low;
  }
}

template <class T, int W>
LC_INLINE void transpose(Vec<T, W> (&r)[W]) {
  constexpr int G = 16 / static_cast<int>(sizeof(T)) < W ? 16 / static_cast<int>(sizeof(T)) : W;
  using All = typename MakeIndices<W>::type;
  if constexpr (G == 4) {
#pragma GCC unroll 16
    for (int i = 0; i < W; i += 4) {
      const auto t0 = shuffle<Unpack<W, 4, 1, false>>(r[i], r[i + 1], All{}), t1 = shuffle<Unpack<W, 4, 1, true>>(r[i], r[i + 1], All{});
      const auto t2 = shuffle<Unpack<W, 4, 1, false>>(r[i + 2], r[i + 3], All{}), t3 = shuffle<Unpack<W, 4, 1, true>>(r[i + 2], r[i + 3], All{});
      r[i] = shuffle<Unpack<W, 4, 2, false>>(t0, t2, All{});
      r[i + 1] = shuffle<Unpack<W, 4, 2, true>>(t0, t2, All{});
      r[i + 2] = shuffle<Unpack<W, 4, 2, false>>(t1, t3, All{});
      r[i + 3] = shuffle<Unpack<W, 4, 2, true>>(t1, t3, All{});
    }
  } else if constexpr (G == 2) {
#pragma GCC unroll 16
    for (int i = 0; i < W; i += 2) {
      const auto t = shuffle<Unpack<W, 2, 1, false>>(r[i], r[i + 1], All{});
      r[i + 1] = shuffle<Unpack<W, 2, 1, true>>(r[i], r[i + 1], All{});
      r[i] = t;
    }
  }
  if constexpr (W >= 2 * G) exchange_rows<T, W, G>(r);
  if constexpr (W >= 4 * G) exchange_rows<T, W, 2 * G>(r);
}

}  // namespace longconv::LC_ISA_NAMESPACE
