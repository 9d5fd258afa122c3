// Which transform an FFT convolution on the GPU takes, and what that costs.
#pragma once

#include <cstdint>
#include <vector>

#include "fft/geometry.h"
#include "fft_conv.h"

namespace longconv::cuda {

struct TransformChoice {
  int64_t points;   // N, a power of two
  int64_t history;  // overlap-save: points of each block that belong to the one before, a multiple of 8
  bool pairs;       // two real sequences as one complex one; otherwise one row by right-angle convolution
  bool halves;      // overlap-save: that pair is the two halves of one block; otherwise two rows
  bool is_long;     // in three passes over device memory; otherwise on chip, in one multiprocessor or in a cluster of them
  /// Points of a row that a transform works on.
  int64_t block() const { return halves ? 2 * points : points; }
  /// Rows of the first digit, f modulo so many: 256 in long transforms, 1 ... 32 on chip.
  int first_digit() const;
  /// Whether rows of the first digit can be left out.
  bool can_leave_out_rows() const { return first_digit() >= 8; }
};

/// clusters: whether transforms of more than 32K points may run in clusters of multiprocessors (geometry.h). Throws LC_NOT_SUPPORTED with the reason for sizes that the kernels do not have.
TransformChoice choose_transform(const FftConvSpec& spec, bool clusters);

/// Rows of the first digit that have a kept bin; all where spec.kept is null, or the transform's bins are not the grid's (right angle).
std::vector<int32_t> rows_with_kept_bins(const FftConvSpec& spec, const TransformChoice& choice);

/// Seconds of one call with one row of max_length samples for each channel, in float16, ungated, on an H100. Other GPUs take other times in
/// about the same proportions.
double predicted_seconds(const FftConvSpec& spec);

/// Most taps of filters that run block by block: half of the largest block in one multiprocessor.
constexpr int64_t kOverlapSaveTaps = kLargestOnChip;

/// Whether a causal filter is faster block by block than in one transform of the whole row.
bool overlap_save_pays(FftConvSpec spec);

/// Whether so many rows (1 or 2) of each channel of a grid are faster on their own, by right-angle convolution, than as one pair on the circle.
bool right_angle_pays(FftConvSpec spec, int rows);

}  // namespace longconv::cuda
