// Single outputs of a causal convolution as sums over the taps: for the few points that a transform does not reach, or would round too coarsely.
#pragma once

#include "prepared_convolution.h"

namespace longconv {

class DirectSums {
 public:
  DirectSums() = default;
  /// The first `taps` of each row of `filter` [channels, filter_length].
  DirectSums(const float* filter, int64_t channels, int64_t filter_length, int64_t taps);
  /// Outputs [from, to) of a row, with what is fused into its convolution. Cost: at most `taps` multiply-adds an output.
  void run(const KernelTable& kernels, const Row& row, int64_t channel, int64_t from, int64_t to) const;

 private:
  int64_t taps_ = 0;
  AlignedBuffer<float> reversed_;  ///< [channels, taps], last tap first
};

}  // namespace longconv
