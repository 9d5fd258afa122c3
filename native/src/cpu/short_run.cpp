#include "short_run.h"

namespace longconv {

namespace {

/// From this many samples on, a run's result is of the filter's size, unless the filter is nearly nothing at its beginning.
constexpr int64_t kShortRun = 8;

}  // namespace

ShortRuns::ShortRuns(const lc_convolution_spec& spec, const KernelTable& kernels, const float* filter) : kernels_(kernels), channels_(spec.channels) {
  if (spec.mode != LC_CAUSAL) return;
  taps_ = std::min(spec.filter_length, kShortRun);
  reversed_ = AlignedBuffer<float>(channels_ * taps_);
  for (int64_t c = 0; c < channels_; ++c) std::reverse_copy(filter + c * spec.filter_length, filter + c * spec.filter_length + taps_, &reversed_[c * taps_]);
}

bool ShortRuns::takes(const lc_convolution_call& call) const {
  return taps_ > 0 && call.length <= kShortRun && call.sample_type == LC_FLOAT32 && !call.history;
}

void ShortRuns::run(const lc_convolution_call& call) const {
  for (int64_t line = 0; line < call.batch * channels_; ++line) {
    const int64_t channel = line % channels_;
    const Row row = row_of(call, line / channels_, channel);
    for (int64_t t = 0; t < row.length; ++t) {
      const int64_t terms = std::min(taps_, t + 1), first = t - terms + 1;
      const float y = kernels_.dot(&reversed_[channel * taps_ + taps_ - terms], row.input + first, row.pre ? row.pre + first : nullptr, terms);
      kernels_.finish(row.output + t, &y, row.epilogue(t), 1);
    }
  }
}

}  // namespace longconv
