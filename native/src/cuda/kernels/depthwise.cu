// Depthwise convolution of very few taps (Hyena has 3 or 4): each thread makes 8 neighbouring outputs of one channel from a sliding window
// in registers. What the window needs beyond its 8 samples comes from the cache.
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
  const dim3 grid(blocks_for(p.pieces * call.channels * call.batch, kThreads));
  if (call.element == LC_F16) launch(depthwise_kernel<half_t>, grid, kThreads, 0, p);
  else if (call.element == LC_BF16) launch(depthwise_kernel<bf16_t>, grid, kThreads, 0, p);
  else launch(depthwise_kernel<float>, grid, kThreads, 0, p);
}

}  // namespace longconv::cuda
