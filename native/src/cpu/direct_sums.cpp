#include "direct_sums.h"

namespace longconv {

DirectSums::DirectSums(const float* filter, int64_t channels, int64_t filter_length, int64_t taps) : taps_(taps), reversed_(channels * taps) {
  for (int64_t c = 0; c < channels; ++c) std::reverse_copy(filter + c * filter_length, filter + c * filter_length + taps, &reversed_[c * taps]);
}

void DirectSums::run(const KernelTable& kernels, const Row& row, int64_t channel, int64_t from, int64_t to) const {
  const float* reversed = &reversed_[channel * taps_];
  for (int64_t t = from; t < to; ++t) {
    const int64_t terms = std::min(taps_, t + 1), first = t - terms + 1;
    const float y = kernels.dot(reversed + taps_ - terms, row.input + first, row.pre ? row.pre + first : nullptr, terms);
    kernels.finish(row.output + t, &y, row.epilogue(t), 1, false);
  }
}

}  // namespace longconv
