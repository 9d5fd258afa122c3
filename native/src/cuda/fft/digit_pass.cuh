// One digit of the transform for a strip of columns of one warp: R rows of 8 * kColumns consecutive columns, read as 16-byte pieces
// (kColumns = 8 for real signals of 2 bytes, 4 for complex ones), contracted over the rows, twiddled, and handed on 4 columns at a time.
//
// Layout: lane (g, t) reads rows digit_row(t, i), columns kColumns * g + j; product j has of it column j. Its results are rows
// g (+ 8 m, + R/2), columns kColumns * (2 t + c) + j: 2 * kColumns consecutive columns for each lane.
#pragma once

#include "digit.cuh"
#include "twiddle.cuh"

namespace longconv::cuda {

/// Words that a lane holds of a strip: [rows of the lane][members][words].
template <Signal kSignal, int R, int kColumns>
struct Strip {
  static constexpr int kMembers = kSignal == Signal::kPair ? 2 : 1;
  static constexpr int kWords = kSignal == Signal::kComplex ? kColumns : kColumns / 2;
  uint32_t raw[R / 4][kMembers][kWords];

  /// Contracts column j for tile rows of `a`.
  __device__ __forceinline__ void contract(const DigitFragments<R>& a, int j, float (&lo)[4], float (&hi)[4]) const {
    if constexpr (kSignal == Signal::kReal) {
      uint32_t x[R / 8];
#pragma unroll
      for (int q = 0; q < R / 8; ++q) x[q] = zip(raw[2 * q][0][j / 2], raw[2 * q + 1][0][j / 2], j & 1);
      digit_from_real<R>(a, x, lo, hi);
    } else {
      uint32_t x[R / 4];
#pragma unroll
      for (int i = 0; i < R / 4; ++i) {
        if constexpr (kSignal == Signal::kPair)
          x[i] = zip(raw[i][0][j / 2], raw[i][1][j / 2], j & 1);
        else
          x[i] = raw[i][0][j];
      }
      digit_complex<R>(a, x, lo, hi);
    }
  }
};

/// Fragments of a digit's tiles, read when they are needed, or kept in registers by warps that meet them again.
template <int R>
struct TableFragments {
  static constexpr int kTogether = 1;  // tiles whose fragments are in registers at a time
  const uint4* table;  // [tile][fragment][lane]
  int lane;
  __device__ __forceinline__ DigitFragments<R> tile(int index) const {
    DigitFragments<R> out;
    out.load(table, index, lane);
    return out;
  }
};
template <int R, int kTiles>
struct KeptFragments {
  static constexpr int kTogether = kTiles;
  DigitFragments<R> tiles[kTiles];
  __device__ __forceinline__ KeptFragments(const uint4* table, int lane) {
#pragma unroll
    for (int i = 0; i < kTiles; ++i) tiles[i].load(table, i, lane);
  }
  __device__ __forceinline__ const DigitFragments<R>& tile(int index) const { return tiles[index]; }
};
/// twiddle(row) gives the RunningTwiddle or KnownTwiddle of a row of results; sink(row, c, j, words) takes the
/// results of columns kColumns * (2 t + c) + j .. + 3. kRunning: twiddles change along the columns.
template <int R, int kColumns, bool kRunning, Signal kSignal, class Fragments, class Twiddle, class Sink>
__device__ __forceinline__ void transform_strip(const Fragments& fragments, const Strip<kSignal, R, kColumns>& strip, int lane, Twiddle twiddle, Sink sink) {
  const int g = lane >> 2;
#pragma unroll Fragments::kTogether
  for (int tile = 0; tile < kDigitTiles<R>; ++tile) {
    const DigitFragments<R> a = fragments.tile(tile);
    const int near = g + 8 * tile;
    decltype(twiddle(near)) tw[2] = {twiddle(near), twiddle(kDigitHalves<R> > 1 ? near + R / 2 : near)};
#pragma unroll
    for (int block = 0; block < kColumns; block += 4) {
      uint32_t out[kDigitHalves<R>][2][4];
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        float value[2][4];
        strip.contract(a, block + j, value[0], value[1]);
#pragma unroll
        for (int o = 0; o < kDigitHalves<R>; ++o) {
#pragma unroll
          for (int c = 0; c < 2; ++c) {
            const float2 v = multiply(make_float2(value[o][c], value[o][2 + c]), tw[o].at(c));
            out[o][c][j] = pack(v.x, v.y);
          }
          if (kRunning && block + j + 1 < kColumns) tw[o].advance();
        }
      }
#pragma unroll
      for (int o = 0; o < kDigitHalves<R>; ++o)
#pragma unroll
        for (int c = 0; c < 2; ++c)
          sink(g + 8 * tile + o * (R / 2), c, block, make_uint4(out[o][c][0], out[o][c][1], out[o][c][2], out[o][c][3]));
    }
  }
}

template <int R, bool kReal>
constexpr int kFinishTiles = kReal ? kDigitTiles<R> : R / 8;

/// Last digit of the inverse: real results, one member (kReal) or two. store(row, member, values of columns 8 t .. 8 t + 7, what read(row, member)
/// gave before) for kColumns = 4 strips. fragments: kToReal or kToPair.
template <int R, bool kReal, class Fragments, class Read, class Store>
__device__ __forceinline__ void finish_strip(const Fragments& fragments, const Strip<Signal::kComplex, R, 4>& strip, int lane, Read read, Store store) {
  const int g = lane >> 2;
#pragma unroll Fragments::kTogether
  for (int tile = 0; tile < kFinishTiles<R, kReal>; ++tile) {
    const DigitFragments<R> a = fragments.tile(tile);
    constexpr int kResults = kReal ? kDigitHalves<R> : 2;  // rows R/2 apart, or members
    const auto row_of = [&](int o) { return g + 8 * tile + (kReal ? o * (R / 2) : 0); };
    const auto member_of = [](int o) { return kReal ? 0 : o; };
    decltype(read(0, 0)) ready[kResults];
#pragma unroll
    for (int o = 0; o < kResults; ++o) ready[o] = read(row_of(o), member_of(o));
    float y[2][8];
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      uint32_t x[R / 4];
#pragma unroll
      for (int i = 0; i < R / 4; ++i) x[i] = strip.raw[i][0][j];
      float value[4];
      digit_to_rows<R>(a, x, value);
#pragma unroll
      for (int o = 0; o < 2; ++o) y[o][j] = value[2 * o], y[o][4 + j] = value[2 * o + 1];
    }
#pragma unroll
    for (int o = 0; o < kResults; ++o) store(row_of(o), member_of(o), y[o], ready[o]);
  }
}

}  // namespace longconv::cuda
