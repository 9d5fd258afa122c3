// Convolutions whose filters are too long for the Toeplitz kernel. long_filter.cu has the GPU's (fft_conv.h); the emulated GPU has a plain sum.
#pragma once

#include <cstdint>
#include <memory>

#include "longconv/cuda.h"

namespace longconv::cuda {

class LongFilter {
 public:
  virtual ~LongFilter() = default;
  virtual void run(const lc_cuda_convolution_call& call) const = 0;
  virtual int64_t prepared_bytes() const = 0;
};

/// `filter`: device memory [spec.channels, spec.filter_length], read before this returns.
/// Throws LC_NOT_SUPPORTED with the reason for sizes that the kernels do not have.
std::unique_ptr<LongFilter> prepare_long_filter(const lc_convolution_spec& spec, const float* filter);

/// What prepare_long_filter would do, in words, and the seconds that one call with one row of max_length samples for each channel
/// is predicted to take.
const char* long_filter_name(const lc_convolution_spec& spec);
double long_filter_seconds(const lc_convolution_spec& spec);

}  // namespace longconv::cuda
