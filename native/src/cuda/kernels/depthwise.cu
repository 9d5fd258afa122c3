// Depthwise convolution of very few taps (Hyena has 3 or 4): each thread makes 8 neighbouring outputs of one channel from a sliding window
// in registers. What the window needs beyond its 8 samples comes from the cache.
#include <cstdint>

#include <gpu/device.h>

#include "pointwise.h"
#include "typed.h"

namespace longconv::cuda {
namespace {

using namespace gpu;

constexpr int kThreads = 128;
constexpr int kEach = 8;  // outputs of one thread
constexpr int kMostTaps = 16;

struct Parameters {
  lc_cuda_depthwise call;
  int64_t pieces;  // of a row
  int aligned;
};

template <class T>
__device__ __forceinline__ float sample(const T* row, int64_t t, int64_t length) {
  return t >= 0 && t < length ? to_float(row[t]) : 0.0f;
}

template <class T>
__device__ __forceinline__ void read_eight(float (&value)[kEach], const T* from) {
  constexpr int kPer = 16 / sizeof(T);
#pragma unroll
  for (int part = 0; part < kEach / kPer; ++part) {
    const uint4 words = reinterpret_cast<const uint4*>(from)[part];
    const T* elements = reinterpret_cast<const T*>(&words);
#pragma unroll
    for (int e = 0; e < kPer; ++e) value[part * kPer + e] = to_float(elements[e]);
  }
}

template <class T>
__device__ __forceinline__ void write_eight(T* to, const float (&value)[kEach]) {
  if constexpr (sizeof(T) == 4) {
    reinterpret_cast<float4*>(to)[0] = float4{value[0], value[1], value[2], value[3]};
    reinterpret_cast<float4*>(to)[1] = float4{value[4], value[5], value[6], value[7]};
  } else {
    *reinterpret_cast<uint4*>(to) = uint4{pack<T>(value[0], value[1]), pack<T>(value[2], value[3]), pack<T>(value[4], value[5]), pack<T>(value[6], value[7])};
  }
}

template <class T>
__global__ void __launch_bounds__(kThreads) depthwise_kernel(Parameters p) {
  const lc_cuda_depthwise& c = p.call;
  const int64_t work = p.pieces * c.channels * c.batch;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x; i < work; i += static_cast<int64_t>(gridDim.x) * kThreads) {
    const int64_t t = i % p.pieces * kEach, row = i / p.pieces;
    const int64_t channel = row % c.channels, item = row / c.channels;
    const int64_t each_group = c.channels / c.groups;
    const T* const x = static_cast<const T*>(c.x) + row * c.length;
    T* const y = static_cast<T*>(c.y) + ((channel / each_group * c.batch + item) * each_group + channel % each_group) * c.output_length;
    const float* const weight = c.weight + channel * c.taps;
    const float bias = c.bias ? c.bias[channel] : 0.0f;
    float sum[kEach], newest[kEach];
#pragma unroll
    for (int e = 0; e < kEach; ++e) sum[e] = bias;
    const bool whole = p.aligned && t + kEach <= c.length && t + kEach <= c.output_length;
    if (whole) read_eight(newest, x + t);
    else
#pragma unroll
      for (int e = 0; e < kEach; ++e) newest[e] = sample(x, t + e, c.length);
    for (int64_t j = 0; j < c.taps; ++j) {
      const float tap = weight[j];
      const int64_t shift = j - c.pad_left;  // y[t] takes x[t + shift]
#pragma unroll
      for (int e = 0; e < kEach; ++e) {
        // Taps that look back by at most 3 find most of their samples in registers.
        float value;
        if (shift == 0) value = newest[e];
        else if (shift == -1 && e >= 1) value = newest[e >= 1 ? e - 1 : 0];
        else if (shift == -2 && e >= 2) value = newest[e >= 2 ? e - 2 : 0];
        else if (shift == -3 && e >= 3) value = newest[e >= 3 ? e - 3 : 0];
        else value = sample(x, t + e + shift, c.length);
        sum[e] += tap * value;
      }
    }
    if (whole) write_eight(y + t, sum);
    else
#pragma unroll
      for (int e = 0; e < kEach; ++e)
        if (t + e < c.output_length) y[t + e] = from_float<T>(sum[e]);
  }
}

constexpr int kTileChannels = 64;
constexpr int kTileTimes = 64;
/// Elements from one time to the next in shared memory: an odd number of words, so that channels and times fall on different banks.
constexpr int kTileLine = kTileChannels + 2;

/// The same from x [batch, length, channels]: a tile of 64 channels and 64 times (and what the taps reach beyond) goes through shared memory.
template <class T>
__global__ void __launch_bounds__(256) transposing_kernel(Parameters p) {
  const lc_cuda_depthwise& c = p.call;
  T* const tile = reinterpret_cast<T*>(shared_memory());
  const int64_t channel_tiles = (c.channels + kTileChannels - 1) / kTileChannels;
  const int64_t first_channel = static_cast<int64_t>(blockIdx.x) % channel_tiles * kTileChannels;
  const int64_t first_time = static_cast<int64_t>(blockIdx.x) / channel_tiles * kTileTimes;
  const int64_t item = blockIdx.y;
  const T* const x = static_cast<const T*>(c.x) + item * c.length * c.channels;
  const int rows = kTileTimes + static_cast<int>(c.taps) - 1;
  constexpr int kPerRead = 4 / sizeof(T);  // channels in a word
  for (int i = threadIdx.x; i < rows * (kTileChannels / kPerRead); i += 256) {
    const int row = i / (kTileChannels / kPerRead), at = i % (kTileChannels / kPerRead) * kPerRead;
    const int64_t t = first_time + row - c.pad_left, channel = first_channel + at;
    T* const to = tile + row * kTileLine + at;
    if (p.aligned && t >= 0 && t < c.length && channel < c.channels) {
      *reinterpret_cast<uint32_t*>(to) = *reinterpret_cast<const uint32_t*>(x + t * c.channels + channel);
    } else {
      for (int e = 0; e < kPerRead; ++e) to[e] = t >= 0 && t < c.length && channel + e < c.channels ? x[t * c.channels + channel + e] : from_float<T>(0.0f);
    }
  }
  __syncthreads();
  const int64_t each_group = c.channels / c.groups;
  const bool whole_rows = c.output_length * static_cast<int64_t>(sizeof(T)) % 16 == 0 && reinterpret_cast<uintptr_t>(c.y) % 16 == 0;
  for (int half = 0; half < 2; ++half) {
    const int own = threadIdx.x / 8 + 32 * half, start = threadIdx.x % 8 * kEach;
    const int64_t channel = first_channel + own, t = first_time + start;
    if (channel >= c.channels || t >= c.output_length) continue;
    float sum[kEach];
    const float bias = c.bias ? c.bias[channel] : 0.0f;
#pragma unroll
    for (int e = 0; e < kEach; ++e) sum[e] = bias;
    for (int j = 0; j < c.taps; ++j) {
      const float tap = c.weight[channel * c.taps + j];
#pragma unroll
      for (int e = 0; e < kEach; ++e) sum[e] += tap * to_float(tile[(start + e + j) * kTileLine + own]);
    }
    T* const y = static_cast<T*>(c.y) + ((channel / each_group * c.batch + item) * each_group + channel % each_group) * c.output_length;
    if (whole_rows && t + kEach <= c.output_length) {
      write_eight(y + t, sum);
    } else {
#pragma unroll
      for (int e = 0; e < kEach; ++e)
        if (t + e < c.output_length) y[t + e] = from_float<T>(sum[e]);
    }
  }
}

template <class T>
void start_transposing(Parameters p) {
  const lc_cuda_depthwise& c = p.call;
  p.aligned = c.channels * static_cast<int64_t>(sizeof(T)) % 4 == 0 && reinterpret_cast<std::uintptr_t>(c.x) % 4 == 0;
  const int64_t tiles = (c.channels + kTileChannels - 1) / kTileChannels * ((c.output_length + kTileTimes - 1) / kTileTimes);
  const int64_t bytes = (kTileTimes + c.taps - 1) * kTileLine * static_cast<int64_t>(sizeof(T));
  launch(transposing_kernel<T>, dim3(static_cast<unsigned>(tiles), static_cast<unsigned>(c.batch)), 256, bytes, p);
}

}  // namespace

void run_depthwise(const lc_cuda_depthwise& call) {
  check_signal_element(call.element, "A short convolution");
  if (call.groups < 1 || call.channels % call.groups != 0) {
    fail(LC_INVALID_ARGUMENT, "%lld channels cannot be split into %lld groups.", static_cast<long long>(call.channels), static_cast<long long>(call.groups));
  }
  if (call.taps < 1 || call.taps > kMostTaps) {
    fail(LC_NOT_SUPPORTED, "A depthwise convolution of the model has %lld taps; on the GPU, it can have 1 to %d.", static_cast<long long>(call.taps), kMostTaps);
  }
  Parameters p{call, (call.output_length + kEach - 1) / kEach, 0};
  const int64_t bytes = call.element == LC_F32 ? 4 : 2;
  p.aligned = call.length * bytes % 16 == 0 && call.output_length * bytes % 16 == 0 && reinterpret_cast<std::uintptr_t>(call.x) % 16 == 0 &&
              reinterpret_cast<std::uintptr_t>(call.y) % 16 == 0;
  if (call.transposed_x) {
    if (call.element == LC_F16) return start_transposing<half_t>(p);
    if (call.element == LC_BF16) return start_transposing<bf16_t>(p);
    return start_transposing<float>(p);
  }
  const dim3 grid(blocks_for(p.pieces * call.channels * call.batch, kThreads));
  if (call.element == LC_F16) launch(depthwise_kernel<half_t>, grid, kThreads, 0, p);
  else if (call.element == LC_BF16) launch(depthwise_kernel<bf16_t>, grid, kThreads, 0, p);
  else launch(depthwise_kernel<float>, grid, kThreads, 0, p);
}

}  // namespace longconv::cuda
