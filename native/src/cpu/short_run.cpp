#include "short_run.h"

namespace longconv {

namespace {

/// From more samples on, a run's result is of the filter's size, unless the filter is nearly nothing at its beginning.
constexpr int64_t kShortRun = 8;

}  // namespace

ShortRuns::ShortRuns(const lc_convolution_spec& spec, const KernelTable& kernels, const float* filter)
    : kernels_(kernels), channels_(spec.channels), causal_(spec.mode == LC_CAUSAL) {
  if (causal_) sums_ = DirectSums(filter, channels_, spec.filter_length, std::min(spec.filter_length, kShortRun));
}

bool ShortRuns::takes(const lc_convolution_call& call) const {
  return causal_ && call.length <= kShortRun && call.sample_type == LC_FLOAT32 && !call.history;
}

void ShortRuns::run(const lc_convolution_call& call) const {
  for (int64_t line = 0; line < call.batch * channels_; ++line) {
    const Row row = row_of(call, line / channels_, line % channels_);
    sums_.run(kernels_, row, line % channels_, 0, row.length);
  }
}

}  // namespace longconv
