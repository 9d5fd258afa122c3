// FFT convolution on the GPU: fp16 tensor-core operands, fp32 accumulation. One plan = the filters of one site, ready for any number of calls.
//
// Definitions (u' = pre_gate * u, element-wise; the output is y = post_gate * (c + skip * u')):
//   LC_CAUSAL:   c[t] = sum_{j=0..min(t, filter_length-1)} k[j] u'[t-j]
//   LC_GRID:     c[t] = sum_s k[(t-s) mod fft_size] u'[s]     (fft_size >= length; bins that are not kept count as exactly 0)
//   LC_CIRCULAR: c[t] = sum_j k[j] u'[(t-j) mod length]       (length == max_length, a power of two)
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

#include "longconv/convolution.h"
#include "longconv/status.h"

namespace longconv::cuda {

/// Element type of u, y and the gates.
enum class Element : int32_t { kHalf = 0, kBfloat16 = 1, kFloat = 2 };

struct FftConvSpec {
  lc_mode mode;
  int64_t channels;
  int64_t filter_length;  // row length of the filter array; == fft_size for LC_GRID
  int64_t max_length;     // longest input that will be run
  int64_t fft_size;       // LC_GRID only: power of two
  // LC_GRID only, host memory [fft_size / 2 + 1]: non-zero where a bin may be non-zero; null keeps all. Rows of the transform's first digit
  // (f mod 8 ... 32 on chip, f mod 256 in long transforms) without a kept bin are not computed.
  const uint8_t* kept;
  int64_t chunk_bytes;    // long transforms, from 64K points on: intermediates of one chunk, of which four are worked on at a time; 0: 128 MB
  bool overlap_save;      // LC_CAUSAL only: blocks with filter_length - 1 points of history; one pass at any length, filters up to 32K taps
  bool right_angle;       // LC_GRID only: every row on its own, as causal ones are, on max_length points with the filter's lags of both signs;
                          // nothing is left out for bins that are not kept, which count as 0 all the same
};

struct FftConvPlan;  // opaque; owns device memory

/// filter: device memory [channels, filter_length], float32. Runs on `stream` and waits for it. LC_NOT_SUPPORTED names what is out of range.
int32_t fft_conv_prepare(const FftConvSpec& spec, const float* filter, cudaStream_t stream, FftConvPlan** plan, lc_status* status);

struct FftConvCall {
  const void* input;      // [batch, total_channels, length], device memory as every pointer here
  void* output;           // same layout; only channels [first_channel, first_channel + channels) are written; must not overlap an input
  const void* pre_gate;   // same layout as input, or null
  const void* post_gate;  // same layout as input, or null
  const float* skip;      // [total_channels], or null
  void* workspace;        // fft_conv_workspace_bytes(); may be null if that is 0; calls that may overlap in time need their own
  int64_t batch;
  int64_t length;
  int64_t total_channels;
  int64_t first_channel;
  Element element;
};

/// Asynchronous on `stream`. Any batch, any length up to max_length (== max_length for LC_CIRCULAR); 16-byte aligned rows are faster.
int32_t fft_conv_launch(const FftConvPlan& plan, const FftConvCall& call, cudaStream_t stream, lc_status* status);

/// Scratch memory that one call needs; does not depend on the batch.
size_t fft_conv_workspace_bytes(const FftConvPlan& plan);
/// Device memory the plan holds (spectra and tables).
size_t fft_conv_prepared_bytes(const FftConvPlan& plan);
/// One line for people: transform length, digits, rows computed.
const char* fft_conv_describe(const FftConvPlan& plan);
void fft_conv_free(FftConvPlan* plan);

}  // namespace longconv::cuda
