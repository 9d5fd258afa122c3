// Direct (band-Toeplitz) convolution for very short filters, in blocks that stay in the nearest cache.
//
// y[t] = sum_{j < K} k[j] x[t - j]. Items: (batch, channel, block). Memory: one block with its history per thread.
// Cost: K multiply-adds per point, one pass over input and output.
#include "../wrapped_row.h"

namespace longconv {

namespace {

constexpr int64_t kBlock = 8192;

class Toeplitz final : public PreparedConvolution {
 public:
  explicit Toeplitz(const PrepareRequest& request)
      : kernels_(request.kernels), taps_(request.plan.taps), channels_(request.spec.channels), circular_(request.spec.mode == LC_CIRCULAR), filter_(channels_ * taps_) {
    for (int64_t c = 0; c < channels_; ++c) std::copy_n(request.filter + c * request.spec.filter_length, taps_, &filter_[c * taps_]);
  }

  int64_t item_count(const lc_convolution_call& call) const override { return call.batch * channels_ * blocks(call); }

  void run_item(const lc_convolution_call& call, int64_t item, const int32_t*) const override {
    const int64_t block = item % blocks(call), line = item / blocks(call);
    const int64_t channel = line % channels_;
    const Row row = row_of(call, line / channels_, channel);
    const int64_t lead = circular_ ? taps_ - 1 : 0, history = taps_ - 1;
    const int64_t from = block * kBlock, count = std::min(kBlock, row.length - from);
    Scratch scratch(Scratch::padded((history + count) * 4) + Scratch::padded(count * 4));
    float* x = scratch.take<float>(history + count);
    float* y = scratch.take<float>(count);
    WrappedRow{row, lead}.copy(kernels_, from + lead - history, from + lead + count, x);
    kernels_.toeplitz(&filter_[channel * taps_], taps_, x + history, y, count);
    kernels_.finish(row.output + from, y, row.epilogue(from), count);
  }

 private:
  static int64_t blocks(const lc_convolution_call& call) { return (call.length + kBlock - 1) / kBlock; }

  const KernelTable& kernels_;
  int64_t taps_, channels_;
  bool circular_;
  AlignedBuffer<float> filter_;
};

}  // namespace

std::unique_ptr<PreparedConvolution> prepare_toeplitz(const PrepareRequest& request) { return std::make_unique<Toeplitz>(request); }

}  // namespace longconv
