// Twiddles of a transform longer than a table: w^(f' m) with the frequency in quarters of a bin, as a product of two table entries.
// Also: where the rows of a long transform lie (columns.cuh).
#pragma once

#include "geometry.h"
#include "twiddle.cuh"

namespace longconv::cuda {

/// coarse[i] = exp(-2 pi i 4096 i / period), fine[i] = exp(-2 pi i i / period); period = 4 n, a power of two.
struct LongTwiddles {
  const float2 *coarse, *fine;
  uint32_t mask;  // period - 1
  __device__ __forceinline__ float2 at(uint32_t angle) const {
    angle &= mask;
    return multiply(load_constant(coarse + (angle >> 12)), load_constant(fine + (angle & 4095)));
  }
  /// Columns m and m + 4 of a row, moving on by one.
  __device__ __forceinline__ RunningTwiddle running(const RowBin& bin, uint32_t m) const {
    RunningTwiddle out;
    out.w[0] = at(bin.bin4 * m);
    out.w[1] = multiply(out.w[0], bin.four);
    out.step = bin.one;
    return out;
  }
  __device__ __forceinline__ RowBin row_bin(uint32_t bin4, uint32_t far) const { return {bin4, at(bin4), at(4 * bin4), at(far * bin4)}; }
};

/// Rows of a long transform, after the columns: [sequence][kept row][points] complex fp16. A chunk holds `sequences` sequences of each of its channels.
struct LongRows {
  uint32_t* data;
  const uint32_t* filter;    // [channels][kept rows][points]
  const RowBin* bins;        // [kept rows]
  LongTwiddles twiddles;
  uint32_t sequences, kept_rows;
  int32_t first_channel;
  int32_t shift4;  // 4 alpha

  /// Units run over channels, then rows, then sequences, so that neighbours share filter rows.
  __device__ __forceinline__ void locate(uint32_t unit, int32_t& channel, uint32_t*& row, RowBin& bin, const uint32_t*& row_filter, int points) const {
    const uint32_t line = unit / sequences, sequence = unit - line * sequences;
    const uint32_t local = line / kept_rows, slot = line - local * kept_rows;
    bin = bins[slot];
    channel = first_channel + static_cast<int32_t>(local);
    row = data + (static_cast<int64_t>(local * sequences + sequence) * kept_rows + slot) * points;
    row_filter = filter + (static_cast<int64_t>(channel) * kept_rows + slot) * points;
  }

  /// 8 points of a row, (re, im) as they are, twiddled.
  __device__ __forceinline__ void store(uint32_t* row, const RowBin& bin, int m, const float (&re)[8], const float (&im)[8]) const {
    RunningTwiddle tw = twiddles.running(bin, m);
    uint32_t out[8];
#pragma unroll
    for (int j = 0; j < 4; ++j) {
#pragma unroll
      for (int c = 0; c < 2; ++c) {
        const float2 v = multiply(make_float2(re[4 * c + j], im[4 * c + j]), tw.w[c]);
        out[4 * c + j] = pack(v.x, v.y);
      }
      tw.advance();
    }
    uint4* to = reinterpret_cast<uint4*>(row + m);
    store_shared_level(to, make_uint4(out[0], out[1], out[2], out[3]));
    store_shared_level(to + 1, make_uint4(out[4], out[5], out[6], out[7]));
  }
};

}  // namespace longconv::cuda
