// The passes of an FFT convolution in float32 accuracy, on tensor cores: one digit of the transform in each, complex float32 in between.
#pragma once

#include <vector>

#include "longconv/cuda.h"

// CUDA's, named only: host code passes their addresses on.
struct float2;
struct uint4;

namespace longconv::cuda {

/// Points that one block transforms at a time.
constexpr int64_t kExactTile = 2048;
constexpr int kSmallestExactBits = 8;

/// Rows of real signals, as sequences of n complex points: two rows of a channel are re and im (pairs), or one row is re. Points beyond the
/// row's length read as 0 and are not written.
struct ExactSignal {
  const void* input;      // [batch, total_channels, length]
  const void* pre_gate;   // same layout, or null
  const void* post_gate;  // same layout, or null
  void* output;           // same layout; y = post_gate * (c + skip * pre_gate * u)
  const float* skip;      // [total_channels], or null
  int32_t element;        // lc_element
  int32_t pairs;          // 1: rows 2 b and 2 b + 1 of the batch
  int64_t length, stride; // samples of a row that are read; from one row to the next
  int64_t batch, total_channels, first_channel;
};

/// One pass over [sequences, n] complex points in `data`, in place: digit `radix` of the points 2^inner_bits apart.
struct ExactPass {
  float2* data;
  const uint4* matrix;    // make_exact_matrix(radix, ...)
  const float2* spectrum; // inverse, first pass: [channels, n] in the order of the passes, with its factor; null otherwise
  ExactSignal signal;     // forward, first pass: read in place of data; inverse, last pass: written in place of data
  int32_t radix, inverse, from_signal, to_signal;
  // Quarters of a bin by which the pass shifts frequencies, 1 in the first digit of a right-angle convolution: x[t] exp(2 pi i t / (4 n)).
  int32_t quarters;
  int32_t inner_bits, n_bits;                      // n = 2^n_bits
  int32_t sequences, first_sequence, per_channel;  // sequences are [channel, pair or row of the batch]
  float factor;           // of the spectrum's product
  float quarter_turn;     // 1 / (4 radix inner)
};

/// exp(-2 pi i (f - quarters / 4) k / radix) / sqrt(radix) as operand A, each number as two halves; radix 16, 32, 64 or 128.
int64_t exact_matrix_bytes(int radix);
void make_exact_matrix(int radix, int quarters, uint4* out);

/// Bits of the digits of a transform of 2^n_bits points (n_bits at least 8), first one first.
std::vector<int> exact_digits(int n_bits);

/// Starts a pass.
void run_exact_pass(const ExactPass& pass);

/// Zeroes the bins f of [channels, n] points, in the order of the passes, for which kept[min(f, n - f)] is 0.
void clear_dropped_bins(float2* spectrum, int64_t channels, int n_bits, const std::vector<int>& digits, const uint8_t* kept);

}  // namespace longconv::cuda
