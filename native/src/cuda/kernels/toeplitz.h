// Causal convolution with very few taps as a banded Toeplitz product on the matrix units. Reads and writes the signals once.
#pragma once

#include <cstdint>

#include "longconv/cuda.h"

namespace longconv::cuda {

/// Most taps of this kernel: nine 16 x 16 blocks of the band.
constexpr int64_t kToeplitzTaps = 128;

/// `filter`: device memory [channels, taps] float32; the call's first_channel is the filter's channel 0. Any length and batch.
/// Relative error about 3e-4 before the output is rounded: products of fp16 numbers, summed in float32.
void run_toeplitz(const float* filter, int64_t channels, int64_t taps, const lc_cuda_convolution_call& call);

}  // namespace longconv::cuda
