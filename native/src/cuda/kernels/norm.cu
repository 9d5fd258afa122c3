// Layer norm and root-mean-square norm over the last dimension, one warp per row. Mean and variance in two passes in float32, as the definition
// has them. Rows of 128, 256, ... 1024 elements stay in registers, four neighbours in each lane at a time; others are read again from the cache.
#include <cstdint>

#include <gpu/device.h>

#include "pointwise.h"
#include "typed.h"

namespace longconv::cuda {
namespace {

using namespace gpu;

constexpr int kWarps = 8;
constexpr int kWidthStep = 128;  // elements that a warp reads at a time

__device__ __forceinline__ float warp_sum(float value) {
  for (int mask = 16; mask > 0; mask /= 2) value += shuffle_xor(value, mask);
  return value;
}

__device__ __forceinline__ float factor_of(float squares, const lc_cuda_norm& p) {
  return 1.0f / sqrtf(squares / static_cast<float>(p.width) + static_cast<float>(p.epsilon));
}

__device__ __forceinline__ void load_four(float (&value)[4], const void* data, int element, int64_t first) {
  if (element == LC_F32) {
    const float4 four = *reinterpret_cast<const float4*>(static_cast<const float*>(data) + first);
    value[0] = four.x, value[1] = four.y, value[2] = four.z, value[3] = four.w;
    return;
  }
  const uint2 words = *reinterpret_cast<const uint2*>(static_cast<const uint16_t*>(data) + first);
  const half_t* const halves = reinterpret_cast<const half_t*>(&words);
  const bf16_t* const brains = reinterpret_cast<const bf16_t*>(&words);
#pragma unroll
  for (int e = 0; e < 4; ++e) value[e] = element == LC_F16 ? to_float(halves[e]) : to_float(brains[e]);
}

__device__ __forceinline__ void store_four(void* data, int element, int64_t first, const float (&value)[4]) {
  if (element == LC_F32) {
    *reinterpret_cast<float4*>(static_cast<float*>(data) + first) = float4{value[0], value[1], value[2], value[3]};
    return;
  }
  uint2* const to = reinterpret_cast<uint2*>(static_cast<uint16_t*>(data) + first);
  *to = element == LC_F16 ? uint2{pack<half_t>(value[0], value[1]), pack<half_t>(value[2], value[3])} : uint2{pack<bf16_t>(value[0], value[1]), pack<bf16_t>(value[2], value[3])};
}

/// Rows of kSteps * 128 elements at addresses that are multiples of 16 bytes.
template <int kSteps>
__global__ void __launch_bounds__(32 * kWarps) kept_norm_kernel(lc_cuda_norm p) {
  const int lane = threadIdx.x % 32;
  for (int64_t row = static_cast<int64_t>(blockIdx.x) * kWarps + threadIdx.x / 32; row < p.rows; row += static_cast<int64_t>(gridDim.x) * kWarps) {
    float kept[kSteps][4];
    float sum = 0;
#pragma unroll
    for (int i = 0; i < kSteps; ++i) load_four(kept[i], p.x, p.x_element, row * p.width + kWidthStep * i + 4 * lane);
#pragma unroll
    for (int i = 0; i < kSteps; ++i) sum += kept[i][0] + kept[i][1] + kept[i][2] + kept[i][3];
    const float mean = p.root_mean_square ? 0.0f : warp_sum(sum) / static_cast<float>(p.width);
    float squares = 0;
#pragma unroll
    for (int i = 0; i < kSteps; ++i) {
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        kept[i][e] -= mean;
        squares += kept[i][e] * kept[i][e];
      }
    }
    const float factor = factor_of(warp_sum(squares), p);
#pragma unroll
    for (int i = 0; i < kSteps; ++i) {
      const int64_t c = kWidthStep * i + 4 * lane;
      float scale[4], shift[4] = {};
      load_four(scale, p.scale, LC_F32, c);
      if (p.shift) load_four(shift, p.shift, LC_F32, c);
#pragma unroll
      for (int e = 0; e < 4; ++e) kept[i][e] = kept[i][e] * factor * scale[e] + shift[e];
      store_four(p.y, p.y_element, row * p.width + c, kept[i]);
    }
  }
}

__global__ void __launch_bounds__(32 * kWarps) norm_kernel(lc_cuda_norm p) {
  const int lane = threadIdx.x % 32;
  for (int64_t row = static_cast<int64_t>(blockIdx.x) * kWarps + threadIdx.x / 32; row < p.rows; row += static_cast<int64_t>(gridDim.x) * kWarps) {
    const int64_t base = row * p.width;
    float sum = 0, squares = 0;
    for (int64_t c = lane; c < p.width; c += 32) sum += load_element(p.x, p.x_element, base + c);
    const float mean = p.root_mean_square ? 0.0f : warp_sum(sum) / static_cast<float>(p.width);
    for (int64_t c = lane; c < p.width; c += 32) {
      const float difference = load_element(p.x, p.x_element, base + c) - mean;
      squares += difference * difference;
    }
    const float factor = factor_of(warp_sum(squares), p);
    for (int64_t c = lane; c < p.width; c += 32) {
      store_element(p.y, p.y_element, base + c, (load_element(p.x, p.x_element, base + c) - mean) * factor * p.scale[c] + (p.shift ? p.shift[c] : 0.0f));
    }
  }
}

bool aligned(const void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer) % 16 == 0; }

}  // namespace

void run_norm(const lc_cuda_norm& call) {
  check_signal_element(call.x_element, "A norm");
  check_signal_element(call.y_element, "A norm");
  const dim3 grid(blocks_for(call.rows, kWarps));
  const bool kept = aligned(call.x) && aligned(call.y) && aligned(call.scale) && aligned(call.shift);
  switch (kept && call.width % kWidthStep == 0 ? call.width / kWidthStep : 0) {
    case 1: return launch(kept_norm_kernel<1>, grid, 32 * kWarps, 0, call);
    case 2: return launch(kept_norm_kernel<2>, grid, 32 * kWarps, 0, call);
    case 3: return launch(kept_norm_kernel<3>, grid, 32 * kWarps, 0, call);
    case 4: return launch(kept_norm_kernel<4>, grid, 32 * kWarps, 0, call);
    case 6: return launch(kept_norm_kernel<6>, grid, 32 * kWarps, 0, call);
    case 8: return launch(kept_norm_kernel<8>, grid, 32 * kWarps, 0, call);
    default: return launch(norm_kernel, grid, 32 * kWarps, 0, call);
  }
}

}  // namespace longconv::cuda
