// Causal runs of very few samples on a longer filter, as direct sums.
//
// Such a run uses the first taps only. They may be a hundredth of the filter's norm, and a transform rounds with all of it: the error
// relative to the run's result would be as many times larger. Cost: length^2 / 2 multiply-adds a row.
#pragma once

#include "direct_sums.h"

namespace longconv {

class ShortRuns {
 public:
  /// `filter` [channels, filter_length]; keeps the first taps of every channel.
  ShortRuns(const lc_convolution_spec& spec, const KernelTable& kernels, const float* filter);
  /// Calls of float32 samples without history.
  bool takes(const lc_convolution_call& call) const;
  void run(const lc_convolution_call& call) const;

 private:
  const KernelTable& kernels_;
  int64_t channels_;
  bool causal_;
  DirectSums sums_;
};

}  // namespace longconv
