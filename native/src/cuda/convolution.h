// Chooses the kernel of a convolution and keeps what it needs on the device.
#pragma once

#include <memory>

#include "device_buffer.h"
#include "long_filter.h"
#include "longconv/cuda.h"

struct lc_cuda_convolution {
  int64_t channels, taps, max_length;
  int32_t mode;
  longconv::cuda::DeviceBuffer filter;                     // Toeplitz: [channels, taps] float32
  std::unique_ptr<longconv::cuda::LongFilter> long_filter; // everything else
};

namespace longconv::cuda {

/// exact: in float32 accuracy (exact_filter.h) at any length.
lc_cuda_plan plan_convolution(const lc_convolution_spec& spec, bool exact);
std::unique_ptr<lc_cuda_convolution> prepare_convolution(const lc_convolution_spec& spec, bool exact, const float* filter);
void run_convolution(const lc_cuda_convolution& prepared, const lc_cuda_convolution_call& call);

}  // namespace longconv::cuda
