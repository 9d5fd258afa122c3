// Layer norm and root-mean-square norm over the last dimension. One warp per row; a row of up to 1024 elements stays in registers, a longer one
// is read again (from the cache). Mean and variance in two passes in float32, as the definition has them.
#include <gpu/device.h>

#include "pointwise.h"
#include "typed.h"

namespace longconv::cuda {
namespace {

using namespace gpu;

constexpr int kWarps = 8;
constexpr int kKept = 32;  // elements of a row that one lane keeps

__device__ __forceinline__ float warp_sum(float value) {
  for (int mask = 16; mask > 0; mask /= 2) value += shuffle_xor(value, mask);
  return value;
}

__global__ void __launch_bounds__(32 * kWarps) norm_kernel(lc_cuda_norm p) {
  const int lane = threadIdx.x % 32;
  for (int64_t row = static_cast<int64_t>(blockIdx.x) * kWarps + threadIdx.x / 32; row < p.rows; row += static_cast<int64_t>(gridDim.x) * kWarps) {
    const int64_t base = row * p.width;
    float kept[kKept];
    float sum = 0;
#pragma unroll
    for (int i = 0; i < kKept; ++i) {
      const int64_t c = lane + 32 * i;
      kept[i] = c < p.width ? load_element(p.x, p.x_element, base + c) : 0.0f;
      sum += kept[i];
    }
    for (int64_t c = lane + 32 * kKept; c < p.width; c += 32) sum += load_element(p.x, p.x_element, base + c);
    const float mean = p.root_mean_square ? 0.0f : warp_sum(sum) / static_cast<float>(p.width);
    float squares = 0;
#pragma unroll
    for (int i = 0; i < kKept; ++i) {
      const float difference = lane + 32 * i < p.width ? kept[i] - mean : 0.0f;
      squares += difference * difference;
    }
    for (int64_t c = lane + 32 * kKept; c < p.width; c += 32) {
      const float difference = load_element(p.x, p.x_element, base + c) - mean;
      squares += difference * difference;
    }
    const float factor = 1.0f / sqrtf(warp_sum(squares) / static_cast<float>(p.width) + static_cast<float>(p.epsilon));
#pragma unroll
    for (int i = 0; i < kKept; ++i) {
      const int64_t c = lane + 32 * i;
      if (c < p.width) store_element(p.y, p.y_element, base + c, (kept[i] - mean) * factor * p.scale[c] + (p.shift ? p.shift[c] : 0.0f));
    }
    for (int64_t c = lane + 32 * kKept; c < p.width; c += 32) {
      store_element(p.y, p.y_element, base + c, (load_element(p.x, p.x_element, base + c) - mean) * factor * p.scale[c] + (p.shift ? p.shift[c] : 0.0f));
    }
  }
}

}  // namespace

void run_norm(const lc_cuda_norm& call) {
  check_signal_element(call.x_element, "A norm");
  check_signal_element(call.y_element, "A norm");
  launch(norm_kernel, dim3(blocks_for(call.rows, kWarps)), 32 * kWarps, 0, call);
}

}  // namespace longconv::cuda
