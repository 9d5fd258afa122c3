// Convolutions in float32 accuracy on the GPU (exact_fft.h), of any length; twice the memory of the fp16 kernels and no bin skipped.
#pragma once

#include "long_filter.h"

namespace longconv::cuda {

/// As prepare_long_filter; filters of every length.
std::unique_ptr<LongFilter> prepare_exact_filter(const lc_convolution_spec& spec, const float* filter);
constexpr const char* kExactName = "float32 FFT on tensor cores";
/// Of its spectra, and seconds as long_filter_seconds.
int64_t exact_filter_bytes(const lc_convolution_spec& spec);
double exact_filter_seconds(const lc_convolution_spec& spec);

}  // namespace longconv::cuda
