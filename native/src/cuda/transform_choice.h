// Which transform an FFT convolution on the GPU takes, and what that costs.
#pragma once

#include <cstdint>

#include "fft_conv.h"

namespace longconv::cuda {

struct TransformChoice {
  int64_t points;   // N, a power of two
  int64_t history;  // overlap-save: points of each block that belong to the one before, a multiple of 8
  bool pairs;       // two rows, or blocks of a row, as one complex sequence; otherwise one row by right-angle convolution
};

/// Throws LC_NOT_SUPPORTED with the reason for sizes that the kernels do not have.
TransformChoice choose_transform(const FftConvSpec& spec);

/// Seconds of one call with one row of max_length samples for each channel, in float16, ungated, on an H100. Other GPUs take other times in
/// about the same proportions.
double predicted_seconds(const FftConvSpec& spec);

}  // namespace longconv::cuda
