#include "exact_filter.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>
#include <vector>

#include "../status.h"
#include "device_buffer.h"
#include "kernels/exact_fft.h"

namespace longconv::cuda {
namespace {

constexpr int kMostBits = 23;  // of points: twiddles' arguments are exact in float32 up to here
constexpr int64_t kMostWorkspace = int64_t{512} << 20;

/// Of a pass, for each point, on an H100.
constexpr double kSecondsPerPass = 12.3e-12;

/// The transform has 2^bits points: the circle, or for causal filters a right-angle convolution of the longest input.
int bits_of(const lc_convolution_spec& spec) {
  const int64_t wanted = spec.mode == LC_GRID ? spec.fft_size : spec.max_length;
  int bits = kSmallestExactBits;
  while (int64_t{1} << bits < wanted) ++bits;
  if (spec.mode != LC_CAUSAL && int64_t{1} << bits != wanted)
    fail(LC_NOT_SUPPORTED, "The CUDA kernels take circular transforms of a power of two of at least %d points, not %lld: run this one on the CPU.",
         1 << kSmallestExactBits, static_cast<long long>(wanted));
  if (bits > kMostBits)
    fail(LC_NOT_SUPPORTED, "The CUDA kernels take transforms of up to %d points, this one needs %lld.", 1 << kMostBits, static_cast<long long>(int64_t{1} << bits));
  return bits;
}

class ExactFilter : public LongFilter {
 public:
  ExactFilter(const lc_convolution_spec& spec, const float* filter)
      : bits_(bits_of(spec)), channels_(spec.channels), causal_(spec.mode == LC_CAUSAL), digits_(exact_digits(bits_)), spectrum_(bytes_of(channels_)) {
    for (const int digit : digits_) add_matrix(digit, 0);
    if (causal_) add_matrix(digits_[0], 1);
    prepared_bytes_ += bytes_of(channels_);
    ExactSignal rows{};
    rows.input = filter;
    rows.element = LC_F32;
    rows.stride = spec.filter_length;
    rows.length = spec.filter_length;
    rows.batch = 1;
    rows.total_channels = channels_;
    forward(pass_over(spectrum(), rows, static_cast<int32_t>(channels_), 0, 1));
    if (spec.mode != LC_GRID || !spec.kept) return;
    const int64_t bins = spec.fft_size / 2 + 1;
    const DeviceBuffer kept(bins);
    gpu::upload(kept.data(), spec.kept, bins);
    clear_dropped_bins(spectrum(), channels_, bits_, digits_, static_cast<const uint8_t*>(kept.data()));
  }

  void run(const lc_cuda_convolution_call& call) const override {
    ExactSignal rows{call.input, call.pre_gate, call.post_gate, call.output, call.skip, call.element, !causal_, call.length, call.length, call.batch, call.total_channels, call.first_channel};
    const int64_t per_channel = rows.pairs ? (call.batch + 1) / 2 : call.batch, all = channels_ * per_channel;
    if (all > INT32_MAX) fail(LC_NOT_SUPPORTED, "The CUDA kernels take at most 2^31 rows at a time: split the batch.");
    const int64_t at_once = std::clamp<int64_t>(kMostWorkspace / bytes_of(1), 1, all);
    const DeviceBuffer workspace(bytes_of(at_once));
    for (int64_t first = 0; first < all; first += at_once) {
      const ExactPass pass = pass_over(static_cast<float2*>(workspace.data()), rows, static_cast<int32_t>(std::min(at_once, all - first)),
                                       static_cast<int32_t>(first), static_cast<int32_t>(per_channel));
      forward(pass);
      inverse(pass);
    }
  }

  int64_t prepared_bytes() const override { return prepared_bytes_; }

 private:
  float2* spectrum() const { return static_cast<float2*>(spectrum_.data()); }

  int64_t bytes_of(int64_t sequences) const { return 8 * sequences << bits_; }

  ExactPass pass_over(float2* data, const ExactSignal& rows, int32_t sequences, int32_t first, int32_t per_channel) const {
    ExactPass pass{};
    pass.data = data;
    pass.signal = rows;
    pass.n_bits = bits_;
    pass.sequences = sequences;
    pass.first_sequence = first;
    pass.per_channel = per_channel;
    return pass;
  }

  void forward(ExactPass pass) const {
    pass.inner_bits = bits_;
    pass.from_signal = 1;
    for (const int digit : digits_) {
      pass.inner_bits -= digit;
      start(pass, digit);
      pass.from_signal = 0;
    }
  }

  void inverse(ExactPass pass) const {
    pass.inverse = 1;
    pass.spectrum = spectrum();
    pass.factor = std::sqrt(std::ldexp(1.0f, bits_));  // every pass is unitary
    for (auto digit = digits_.rbegin(); digit != digits_.rend(); ++digit) {
      pass.to_signal = digit + 1 == digits_.rend();
      start(pass, *digit);
      pass.inner_bits += *digit;
      pass.spectrum = nullptr;
    }
  }

  void start(ExactPass& pass, int digit) const {
    pass.radix = 1 << digit;
    pass.quarters = causal_ && (pass.from_signal || pass.to_signal);
    pass.quarter_turn = std::ldexp(0.25f, -digit - pass.inner_bits);
    pass.matrix = static_cast<const uint4*>(matrices_.at({digit, pass.inverse ? 0 : pass.quarters}).data());
    run_exact_pass(pass);
  }

  void add_matrix(int digit, int quarters) {
    if (matrices_.count({digit, quarters})) return;
    const int64_t bytes = exact_matrix_bytes(1 << digit);
    make_exact_matrix(1 << digit, quarters, static_cast<uint4*>(matrices_.emplace(std::pair(digit, quarters), DeviceBuffer(bytes)).first->second.data()));
    prepared_bytes_ += bytes;
  }

  int bits_;
  int64_t channels_;
  bool causal_;
  std::vector<int> digits_;
  DeviceBuffer spectrum_;
  std::map<std::pair<int, int>, DeviceBuffer> matrices_;  // by digit and quarters
  int64_t prepared_bytes_ = 0;
};

}  // namespace

std::unique_ptr<LongFilter> prepare_exact_filter(const lc_convolution_spec& spec, const float* filter) { return std::make_unique<ExactFilter>(spec, filter); }

int64_t exact_filter_bytes(const lc_convolution_spec& spec) { return 8 * spec.channels << bits_of(spec); }

double exact_filter_seconds(const lc_convolution_spec& spec) {
  const int bits = bits_of(spec);
  return kSecondsPerPass * 2 * static_cast<double>(exact_digits(bits).size()) * static_cast<double>(spec.channels << bits);
}

}  // namespace longconv::cuda
