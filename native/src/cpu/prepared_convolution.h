// A convolution whose filter is in the layout of one algorithm. Each algorithm is one class in algorithms/.
#pragma once

#include <algorithm>
#include <memory>

#include "aligned_buffer.h"
#include "fft_plan.h"
#include "kernel_table.h"
#include "longconv/convolution.h"
#include "thread_pool.h"

namespace longconv {

/// One row of a call: `length` points of one channel of one batch element, with what is fused into its convolution.
struct Row {
  const float* input;
  float* output;
  const float* pre;   ///< null: no gate
  const float* post;  ///< null: no gate
  const float* skip;  ///< one value; null: no skip term
  int64_t length;
  bool far;           ///< the call's results are more than the caches keep

  /// y = (conv + skip * input * pre) * post, from point `at` of the row on.
  Epilogue<float> epilogue(int64_t at) const {
    Epilogue<float> e;
    if (skip) {
      e.input = input + at;
      e.pre = pre ? pre + at : nullptr;
      e.skip = *skip;
    }
    e.post = post ? post + at : nullptr;
    return e;
  }
};

/// A call of float32 samples without history: the others are staged (staged_run.h).
inline Row row_of(const lc_convolution_call& call, int64_t batch, int64_t channel) {
  constexpr int64_t kFarSamples = int64_t{2} << 20;
  const int64_t total = call.first_channel + channel;
  const int64_t at = (batch * call.total_channels + total) * call.length;
  const auto* pre = static_cast<const float*>(call.pre_gate);
  const auto* post = static_cast<const float*>(call.post_gate);
  return {static_cast<const float*>(call.input) + at, static_cast<float*>(call.output) + at, pre ? pre + at : nullptr, post ? post + at : nullptr,
          call.skip ? call.skip + total : nullptr, call.length, call.batch * call.total_channels * call.length >= kFarSamples};
}

/// What memory a row's transform may ask for meanwhile: its spectrum, and where the nearest cache has room for them, the next row of the call, which is
/// likely this thread's next, and its own output.
inline Touch touch_after(const lc_convolution_call& call, const Row& row) {
  constexpr int64_t kSpectrumAhead = 1024, kTouchedPoints = 4096;
  Touch touch;
  touch.spectrum_ahead = kSpectrumAhead;
  if (row.length > kTouchedPoints) return touch;
  const int64_t after = call.batch * call.total_channels * call.length - (row.input - static_cast<const float*>(call.input)) - row.length;
  if (after >= row.length) {
    touch.read = reinterpret_cast<const char*>(row.input + row.length);
    touch.read_end = touch.read + row.length * static_cast<int64_t>(sizeof(float));
  }
  touch.write = reinterpret_cast<const char*>(row.output);
  touch.write_end = touch.write + row.length * static_cast<int64_t>(sizeof(float));
  return touch;
}

class PreparedConvolution {
 public:
  virtual ~PreparedConvolution() = default;
  /// Independent pieces of a call, handed to the threads one by one; the split does not depend on their number. Ordered by batch row (or
  /// pair of rows), channel, and piece of the row, the last fastest.
  virtual int64_t item_count(const lc_convolution_call& call) const = 0;
  virtual void run_item(const lc_convolution_call& call, int64_t item, const int32_t* cancel) const = 0;
};

/// What the constructors of the algorithms get: filter [channels, filter_length].
struct PrepareRequest {
  const lc_convolution_spec& spec;
  const lc_plan& plan;
  const KernelTable& kernels;
  const float* filter;
  int32_t threads;
  const int32_t* cancel;
};

/// The best kernels that take transforms of n points: short ones need narrower vectors. Throws Error below every minimum.
const KernelTable& kernels_for_transform(const KernelTable& best, int64_t n);

/// Spectra of rows in the permuted layout of `fft`, scaled: spectrum [channels, 2 n] of complex rows re + i im (im may be null), each
/// [channels, n] made by `fill(channel, re, im)` into zeroed buffers.
template <class Fill>
AlignedBuffer<float> prepare_spectra(const FftPlan<float>& fft, const KernelTable& kernels, int64_t channels, bool complex, float scale, int threads,
                                     const int32_t* cancel, Fill&& fill) {
  const int64_t n = fft.tables().n;
  AlignedBuffer<float> spectra(channels * 2 * n);
  parallel_for(channels, threads, cancel, [&](int64_t c) {
    Scratch scratch(2 * Scratch::padded(n * 4));
    float* re = scratch.take<float>(n);
    float* im = complex ? scratch.take<float>(n) : nullptr;
    std::fill(re, re + n, 0.0f);
    if (im) std::fill(im, im + n, 0.0f);
    fill(c, re, im);
    float* out = &spectra[c * 2 * n];
    kernels.f32.first_pass(fft.tables(), {re, im, nullptr, nullptr}, out);
    kernels.f32.forward(fft.tables(), out);
    for (int64_t i = 0; i < 2 * n; ++i) out[i] *= scale;
  });
  return spectra;
}

std::unique_ptr<PreparedConvolution> prepare_toeplitz(const PrepareRequest&);
std::unique_ptr<PreparedConvolution> prepare_overlap_save(const PrepareRequest&);
std::unique_ptr<PreparedConvolution> prepare_right_angle(const PrepareRequest&);
std::unique_ptr<PreparedConvolution> prepare_comb_rows(const PrepareRequest&);
std::unique_ptr<PreparedConvolution> prepare_circular_fft(const PrepareRequest&);
std::unique_ptr<PreparedConvolution> prepare_decimated(const PrepareRequest&);

}  // namespace longconv
