// Band-Toeplitz convolution: y[t] = post[t] * sum_{j < K} k[j] x[t - j], x = pre * u, the skip term added to tap 0.
//
// One warp takes a tile of 16 segments of Q blocks of 16 samples, consecutive in time. Rows of a product are segments, so that block q of
// all segments is one A fragment X_q [16 segments, 16 times], and with T_i[k, m] = k[16 i + m - k]
//   Y_q = sum_{i = 0..I} X_{q-i} T_i,
// which takes every X_q from shared memory once and keeps the last I + 1 of them, and all T_i, in registers. The times inside a block are
// permuted alike in X, T and Y so that each lane has 4 consecutive samples (8 bytes): mma's k = 2l, 2l+1, 2l+8, 2l+9 of lane l stand for
// times 4l .. 4l+3, and columns 2l, 2l+1 of the two 8-column halves likewise. An odd Q makes those reads free of bank conflicts.
//
// Numbers: taps in fp16, scaled per channel by a power of two; samples in fp16, taken as they are (fp16 input without gate) or scaled per
// tile by a power of two, so that no finite input overflows and bfloat16 or float32 input loses nothing to a small range.
// Cost: 2 (I + 1) 16 flop per output (I = 8: 288), 2 bytes read and 2 written per 16-bit array.
#include "toeplitz.h"

#include <algorithm>
#include <iterator>

#include <gpu/device.h>
#include <gpu/runtime.h>

#include "block_scale.h"

namespace longconv::cuda {
namespace {

using namespace gpu;

constexpr int kSegments = 16;
constexpr int kBlock = 16;
/// Q where rows are long: odd, and one more than a multiple of I + 1 for I = 8 and I = 2. Short rows take a smaller one.
constexpr int kBlocksPerSegment = 19;
/// The same with gates, which take as much shared memory again: more warps side by side hide more of the memory's latency. Also for few rows.
constexpr int kFewerBlocksPerSegment = 10;
/// Most tiles that one warp takes one after the other: the band is loaded once for them.
constexpr int kMostTilesPerWarp = 4;
constexpr int kMostWarps = 4;
constexpr int kBlocksPerMultiprocessor = 3;

struct Parameters {
  const void* input;
  const void* pre_gate;
  const void* post_gate;
  void* output;
  const float* filter;
  const float* skip;
  int64_t length, total_channels, first_channel, channels;
  int64_t taps, filter_stride;
  int64_t tiles, tiles_per_warp, warps_per_row, warps;  // each warp works on one row
  int blocks_per_segment;               // one more than a multiple of I + 1
  int aligned;                          // rows start at multiples of 16 bytes
};

/// Brings samples [first, first + count) of a row to shared memory; what lies outside [0, length) becomes 0. count is a multiple of 16.
template <class T>
__device__ void load_samples(T* shared, const T* row, int64_t first, int count, int64_t length, bool aligned, int lane) {
  constexpr int kPer16 = 16 / sizeof(T);
  if (aligned && first + count <= length) {
    for (int i = lane * kPer16; i < count; i += 32 * kPer16) {
      const bool inside = first + i >= 0;
      copy_async_16(shared + i, inside ? row + first + i : row, inside);
    }
    return;
  }
  for (int i = lane; i < count; i += 32) {
    const int64_t t = first + i;
    shared[i] = t >= 0 && t < length ? row[t] : from_float<T>(0.0f);
  }
}

template <class T>
__device__ __forceinline__ void read_four(float (&x)[4], const T* from) {
  if constexpr (sizeof(T) == 4) {
    const float4 four = *reinterpret_cast<const float4*>(from);
    x[0] = four.x, x[1] = four.y, x[2] = four.z, x[3] = four.w;
  } else {
    const uint2 words = *reinterpret_cast<const uint2*>(from);
    const T* four = reinterpret_cast<const T*>(&words);
    for (int i = 0; i < 4; ++i) x[i] = to_float(four[i]);
  }
}

/// Four samples as they are.
template <class T>
__device__ __forceinline__ void load_words(uint2 (&words)[sizeof(T) / 2], const T* from) {
  if constexpr (sizeof(T) == 4) {
    const uint4 four = *reinterpret_cast<const uint4*>(from);
    words[0] = uint2{four.x, four.y}, words[1] = uint2{four.z, four.w};
  } else {
    words[0] = *reinterpret_cast<const uint2*>(from);
  }
}

template <class T>
__device__ __forceinline__ void unpack_words(float (&x)[4], const uint2 (&words)[sizeof(T) / 2]) {
  const T* four = reinterpret_cast<const T*>(words);
#pragma unroll
  for (int i = 0; i < 4; ++i) x[i] = to_float(four[i]);
}

template <class T>
__device__ __forceinline__ void write_four(T* to, const float (&y)[4]) {
  if constexpr (sizeof(T) == 4) *reinterpret_cast<float4*>(to) = float4{y[0], y[1], y[2], y[3]};
  else *reinterpret_cast<uint2*>(to) = uint2{pack<T>(y[0], y[1]), pack<T>(y[2], y[3])};
}

/// Times 4l .. 4l+3 of one segment's block as two words of fp16.
template <class T, bool kConvert>
__device__ __forceinline__ void read_operand(uint32_t& low, uint32_t& high, const T* x, const T* gate, float scale) {
  if constexpr (!kConvert) {
    const uint2 words = *reinterpret_cast<const uint2*>(x);
    low = words.x, high = words.y;
  } else {
    float value[4];
    read_four(value, x);
    if (gate) {
      float factor[4];
      read_four(factor, gate);
      for (int i = 0; i < 4; ++i) value[i] *= factor[i];
    }
    low = pack<half_t>(value[0] * scale, value[1] * scale);
    high = pack<half_t>(value[2] * scale, value[3] * scale);
  }
}

/// B fragments of T_0 .. T_I: band[i][half] are the two words of columns 4l' + 2 half + {0, 1}, rows 4l .. 4l+3.
template <int I>
__device__ void load_band(uint32_t (&band)[I + 1][2][2], const float* taps, int64_t count, float skip, float scale, int lane) {
  const auto tap = [&](int j) { return j < 0 || j >= count ? 0.0f : (taps[j] + (j == 0 ? skip : 0.0f)) * scale; };
  const int row = 4 * (lane % 4), column = 4 * (lane / 8) + lane / 4 % 2;
#pragma unroll
  for (int i = 0; i <= I; ++i) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int lag = kBlock * i + column + 2 * half - row;
      band[i][half][0] = pack<half_t>(tap(lag), tap(lag - 1));
      band[i][half][1] = pack<half_t>(tap(lag - 2), tap(lag - 3));
    }
  }
}

template <class T, bool kConvert, int I>
__global__ void __launch_bounds__(32 * kMostWarps, kBlocksPerMultiprocessor) toeplitz_kernel(Parameters p) {
  constexpr int kHistory = kBlock * I;
  const int segment_samples = kBlock * p.blocks_per_segment;
  const int tile_samples = kSegments * segment_samples;
  const int loaded = tile_samples + kHistory;
  const int lane = threadIdx.x % 32;
  const int64_t warp = static_cast<int64_t>(blockIdx.x) * (blockDim.x / 32) + threadIdx.x / 32;
  if (warp >= p.warps) return;
  const int64_t row = warp / p.warps_per_row;
  const int64_t channel = row % p.channels;
  const int64_t offset = (row / p.channels * p.total_channels + p.first_channel + channel) * p.length;
  const T* const input = static_cast<const T*>(p.input) + offset;
  const T* const pre = p.pre_gate ? static_cast<const T*>(p.pre_gate) + offset : nullptr;
  const T* const post = p.post_gate ? static_cast<const T*>(p.post_gate) + offset : nullptr;
  T* const output = static_cast<T*>(p.output) + offset;
  const float* const taps = p.filter + channel * p.filter_stride;
  const float skip = p.skip ? p.skip[p.first_channel + channel] : 0.0f;

  T* const x = reinterpret_cast<T*>(shared_memory()) + static_cast<int64_t>(threadIdx.x / 32) * loaded * (pre ? 2 : 1);
  T* const gate = pre ? x + loaded : nullptr;
  const int64_t first_tile = warp % p.warps_per_row * p.tiles_per_warp;
  const int64_t last_tile = first_tile + p.tiles_per_warp < p.tiles ? first_tile + p.tiles_per_warp : p.tiles;
  const auto fetch = [&](int64_t tile) {
    load_samples(x, input, tile * tile_samples - kHistory, loaded, p.length, p.aligned, lane);
    if (pre) load_samples(gate, pre, tile * tile_samples - kHistory, loaded, p.length, p.aligned, lane);
    copy_async_commit();
  };
  fetch(first_tile);

  float largest = 0;
  for (int64_t j = lane; j < p.taps; j += 32) largest = fmaxf(largest, fabsf(taps[j] + (j == 0 ? skip : 0.0f)));
  const float tap_scale = scale_to_one(warp_max(largest));
  uint32_t band[I + 1][2][2];
  load_band<I>(band, taps, p.taps, skip, tap_scale, lane);

  for (int64_t tile = first_tile; tile < last_tile; ++tile) {
    const int64_t start = tile * tile_samples;
    copy_async_wait<0>();
    __syncwarp();

    float scale = 1;
    if constexpr (kConvert) {
      float most = 0;
      for (int i = 4 * lane; i < loaded; i += 128) {
        float value[4];
        read_four(value, x + i);
        if (gate) {
          float factor[4];
          read_four(factor, gate + i);
          for (int e = 0; e < 4; ++e) value[e] *= factor[e];
        }
        for (int e = 0; e < 4; ++e) most = fmaxf(most, fabsf(value[e]));
      }
      scale = scale_to_one(warp_max(most));
    }
    // Powers of two: their product's inverse is exact, in two steps because it may leave the range.
    const float unscale_taps = 1.0f / tap_scale, unscale = 1.0f / scale;

    const int segment = lane / 4, inner = 4 * (lane % 4);
    uint32_t window[I + 1][4];
    // Step s brings block s - I of each segment; from s = I on it completes block s - I of the output.
#pragma unroll 1
    for (int base = 0; base < p.blocks_per_segment + I; base += I + 1) {
#pragma unroll
      for (int turn = 0; turn <= I; ++turn) {
        const int step = base + turn;
        const int at = segment * segment_samples + step * kBlock + inner;
        const int lower_half = 8 * segment_samples;
        read_operand<T, kConvert>(window[turn][0], window[turn][2], x + at, gate ? gate + at : nullptr, scale);
        read_operand<T, kConvert>(window[turn][1], window[turn][3], x + at + lower_half, gate ? gate + at + lower_half : nullptr, scale);
        if (step < I) continue;
        const int64_t first_t = start + segment * segment_samples + (step - I) * kBlock + inner;
        // Asked for before the products, used after them.
        uint2 after[2][sizeof(T) / 2] = {};
        if (post && p.aligned) {
#pragma unroll
          for (int lower = 0; lower < 2; ++lower) {
            const int64_t t = first_t + lower * lower_half;
            if (t + 4 <= p.length) load_words(after[lower], post + t);
          }
        }
        float sum[2][4] = {};
#pragma unroll
        for (int i = 0; i <= I; ++i) {
          const uint32_t(&block)[4] = window[(turn + I + 1 - i) % (I + 1)];
          mma_16x8x16<half_t>(sum[0], block, band[i][0][0], band[i][0][1]);
          mma_16x8x16<half_t>(sum[1], block, band[i][1][0], band[i][1][1]);
        }
#pragma unroll
        for (int lower = 0; lower < 2; ++lower) {
          const int64_t t = first_t + lower * lower_half;
          float y[4] = {sum[0][2 * lower], sum[0][2 * lower + 1], sum[1][2 * lower], sum[1][2 * lower + 1]};
          for (int e = 0; e < 4; ++e) y[e] = y[e] * unscale * unscale_taps;
          if (p.aligned && t + 4 <= p.length) {
            if (post) {
              float factor[4];
              unpack_words<T>(factor, after[lower]);
              for (int e = 0; e < 4; ++e) y[e] *= factor[e];
            }
            write_four(output + t, y);
          } else {
            for (int e = 0; e < 4; ++e) {
              if (t + e < p.length) output[t + e] = from_float<T>(y[e] * (post ? to_float(post[t + e]) : 1.0f));
            }
          }
        }
      }
    }
    __syncwarp();
    if (tile + 1 < last_tile) fetch(tile + 1);
  }
}

template <class T, bool kConvert, int I>
void start(Parameters p, int64_t batch) {
  const int64_t wanted = (p.length + kBlock * kSegments - 1) / (kBlock * kSegments);
  const int64_t rows = batch * p.channels, resident = int64_t{open_device().multiprocessors} * kBlocksPerMultiprocessor * kMostWarps;
  // Where long segments would leave the GPU half empty, shorter ones give more warps.
  const bool few = rows * wanted < resident * kBlocksPerSegment;
  p.blocks_per_segment = static_cast<int>(std::min<int64_t>(p.pre_gate || few ? kFewerBlocksPerSegment : kBlocksPerSegment, (wanted + I - 1) / (I + 1) * (I + 1) + 1));
  const int64_t tile_samples = int64_t{kBlock} * kSegments * p.blocks_per_segment;
  p.tiles = (p.length + tile_samples - 1) / tile_samples;
  p.tiles_per_warp = std::min<int64_t>(kMostTilesPerWarp, (rows * p.tiles + resident - 1) / resident);
  p.warps_per_row = (p.tiles + p.tiles_per_warp - 1) / p.tiles_per_warp;
  p.warps = p.warps_per_row * batch * p.channels;
  const int64_t bytes = static_cast<int64_t>(sizeof(T)) * (tile_samples + kBlock * I) * (p.pre_gate ? 2 : 1);
  const int64_t fitting = std::min<int64_t>(kMostWarps, open_device().shared_bytes / bytes);
  const int64_t blocks = (p.warps + fitting - 1) / fitting;
  launch(toeplitz_kernel<T, kConvert, I>, dim3(static_cast<unsigned>(blocks)), static_cast<int>(32 * fitting), bytes * fitting, p);
}

template <class T, bool kConvert>
void start_with_taps(const Parameters& p, int64_t batch) {
  // T_i has taps 16 i - 15 .. 16 i + 15.
  if (p.taps <= 33) start<T, kConvert, 2>(p, batch);
  else start<T, kConvert, 8>(p, batch);
}

}  // namespace

void run_toeplitz(const float* filter, int64_t channels, int64_t taps, const lc_cuda_convolution_call& call) {
  Parameters p{};
  p.input = call.input, p.pre_gate = call.pre_gate, p.post_gate = call.post_gate, p.output = call.output;
  p.filter = filter, p.skip = call.skip;
  p.length = call.length, p.total_channels = call.total_channels, p.first_channel = call.first_channel;
  p.channels = channels;
  p.taps = std::min(taps, call.length), p.filter_stride = taps;
  const int64_t element_bytes = call.element == LC_F32 ? 4 : 2;
  const void* const arrays[] = {call.input, call.pre_gate, call.post_gate, call.output};
  p.aligned = call.length * element_bytes % 16 == 0 &&
              std::all_of(std::begin(arrays), std::end(arrays), [](const void* array) { return reinterpret_cast<std::uintptr_t>(array) % 16 == 0; });
  switch (call.element) {
    case LC_F16: return call.pre_gate ? start_with_taps<half_t, true>(p, call.batch) : start_with_taps<half_t, false>(p, call.batch);
    case LC_BF16: return start_with_taps<bf16_t, true>(p, call.batch);
    case LC_F32: return start_with_taps<float, true>(p, call.batch);
    default: fail(LC_INVALID_ARGUMENT, "Convolutions on the GPU take float32, float16 or bfloat16 signals, not element type %d.", call.element);
  }
}

}  // namespace longconv::cuda
