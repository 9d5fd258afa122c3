// Loads and stores of one element whose type is known only at run time. The branch is the same for a whole launch.
#pragma once

#include <gpu/device.h>

#include "longconv/cuda.h"

namespace longconv::cuda {

__device__ __forceinline__ float load_element(const void* data, int element, int64_t index) {
  if (element == LC_F32) return static_cast<const float*>(data)[index];
  if (element == LC_F16) return gpu::to_float(static_cast<const gpu::half_t*>(data)[index]);
  return gpu::to_float(static_cast<const gpu::bf16_t*>(data)[index]);
}

__device__ __forceinline__ void store_element(void* data, int element, int64_t index, float value) {
  if (element == LC_F32) static_cast<float*>(data)[index] = value;
  else if (element == LC_F16) static_cast<gpu::half_t*>(data)[index] = gpu::from_float<gpu::half_t>(value);
  else static_cast<gpu::bf16_t*>(data)[index] = gpu::from_float<gpu::bf16_t>(value);
}

/// Throws unless signals can have this element type.
inline void check_signal_element(int element, const char* what) {
  if (element != LC_F32 && element != LC_F16 && element != LC_BF16) {
    fail(LC_INVALID_ARGUMENT, "%s on the GPU takes float32, float16 or bfloat16, not element type %d.", what, element);
  }
}

/// Blocks of a grid for `count` pieces of work, `each` to a block; kernels loop where this is fewer than they would need.
inline unsigned blocks_for(int64_t count, int64_t each) {
  constexpr int64_t kMost = int64_t{1} << 30;
  const int64_t blocks = (count + each - 1) / each;
  return static_cast<unsigned>(blocks < 1 ? 1 : blocks > kMost ? kMost : blocks);
}

}  // namespace longconv::cuda
