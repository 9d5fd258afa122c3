// Which transform an FFT convolution on the GPU takes, and what that costs.
#pragma once

#include <cstdint>
#include <vector>

#include "fft_conv.h"

namespace longconv::cuda {

struct TransformChoice {
  int64_t points;   // N, a power of two
  int64_t history;  // overlap-save: points of each block that belong to the one before, a multiple of 8
  bool pairs;       // two rows, or blocks of a row, as one complex sequence; otherwise one row by right-angle convolution
};

/// Throws LC_NOT_SUPPORTED with the reason for sizes that the kernels do not have.
TransformChoice choose_transform(const FftConvSpec& spec);

/// Whether rows of a transform's first digit can be left out: not in those of less than 2,048 points.
bool can_leave_out_rows(int64_t points);

/// Rows of the first digit (f modulo 256 in long transforms, modulo 8 ... 32 on chip) that have a kept bin; all where spec.kept is null.
std::vector<int32_t> rows_with_kept_bins(const FftConvSpec& spec, int64_t points);

/// Seconds of one call with one row of max_length samples for each channel, in float16, ungated, on an H100. Other GPUs take other times in
/// about the same proportions.
double predicted_seconds(const FftConvSpec& spec);

}  // namespace longconv::cuda
