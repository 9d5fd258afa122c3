// Direct (band-Toeplitz) convolution for very short filters, in blocks that stay in the nearest cache.
//
// y[t] = sum_{j < K} k[j] x[t - j]. Items: (batch, channel, block). Memory: one block with its history per thread.
// Cost: K multiply-adds per point, one pass over input and output.
#include "../wrapped_row.h"

namespace longconv {

namespace {

constexpr int64_t kBlock = 8192;
/// Whole steps of the kernel.
constexpr int64_t kStagedStep = 128;

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
    const float* taps = &filter_[channel * taps_];
    // Where nothing is to be multiplied or added, only outputs without all of their history before them are staged.
    const bool plain = !row.pre && !row.epilogue(from).any();
    const int64_t staged = !plain ? count : from >= history ? 0 : std::min(count, (history + kStagedStep - 1) / kStagedStep * kStagedStep);
    if (staged > 0) {
      Scratch scratch(Scratch::padded((history + staged) * 4) + Scratch::padded(staged * 4));
      float* x = scratch.take<float>(history + staged);
      float* y = scratch.take<float>(staged);
      WrappedRow{row, lead}.copy(kernels_, from + lead - history, from + lead + staged, x);
      kernels_.toeplitz(taps, taps_, x + history, y, staged);
      kernels_.finish(row.output + from, y, row.epilogue(from), staged, false);
    }
    if (staged < count) kernels_.toeplitz(taps, taps_, row.input + from + staged, row.output + from + staged, count - staged);
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
