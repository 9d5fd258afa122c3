// Right-angle convolution: one n-point complex transform for a linear convolution of n real points, without zero padding.
//
// In the ring z^n = i the product of two real rows of n points is low + i high: the first and the second n points of their linear
// convolution (kernels/twisted_fft.h, alpha = -1/4). Causal: the real part is the result. Grid (negative lags too): with k+ the
// lags 0..n-1 and k-[j] the lag j - n, the filter k+ - i k- gives Re = low(k+ u) + high(k- u), the whole result.
// A row that is a few points longer than n gets those points (`tail`) as direct sums.
//
// Items: (batch, channel). Memory per thread: 2 n floats, and n where the row has to be padded. Cost: n (3.5 * 2 log2 n) vector operations.
#include "../wrapped_row.h"
#include "../../status.h"

namespace longconv {

namespace {

constexpr double kQuarterBin = -0.25;

class RightAngle final : public PreparedConvolution {
 public:
  explicit RightAngle(const PrepareRequest& request)
      : kernels_(kernels_for_transform(request.kernels, request.plan.transform_length)),
        n_(request.plan.transform_length),
        channels_(request.spec.channels),
        taps_(request.plan.taps),
        lead_(request.spec.mode == LC_CIRCULAR ? taps_ - 1 : 0),
        fft_(n_, kernels_.f32.lanes, kQuarterBin) {
    const lc_convolution_spec& spec = request.spec;
    const bool grid = spec.mode == LC_GRID;
    spectra_ = prepare_spectra(fft_, kernels_, channels_, grid, 1.0f / static_cast<float>(n_), request.threads, request.cancel, [&](int64_t c, float* re, float* im) {
      const float* k = request.filter + c * spec.filter_length;
      if (!grid) {
        std::copy_n(k, std::min(taps_, n_), re);
        return;
      }
      const int64_t half = spec.fft_size / 2;
      std::copy_n(k, half, re);
      // Lag -l is at fft_size - l; it goes to n - l. Lag -half never acts on inputs of at most half points.
      for (int64_t l = 1; l < half; ++l) im[n_ - l] = -k[spec.fft_size - l];
    });
    if (!grid && spec.max_length + lead_ > n_) {
      reversed_ = AlignedBuffer<float>(channels_ * taps_);
      for (int64_t c = 0; c < channels_; ++c) std::reverse_copy(request.filter + c * spec.filter_length, request.filter + c * spec.filter_length + taps_, &reversed_[c * taps_]);
    }
  }

  int64_t item_count(const lc_convolution_call& call) const override { return call.batch * channels_; }

  void run_item(const lc_convolution_call& call, int64_t item, const int32_t* cancel) const override {
    const int64_t channel = item % channels_;
    const Row row = row_of(call, item / channels_, channel);
    const int64_t covered = std::min(row.length + lead_, n_);
    // A row that fills the transform is read and written where it lies.
    const bool direct = covered == n_ && lead_ == 0;
    Scratch scratch(Scratch::padded(8 * n_) + (direct ? 0 : Scratch::padded(4 * n_)));
    float* work = scratch.take<float>(2 * n_);
    FirstPassSource<float> source{row.input, nullptr, row.pre, nullptr};
    LastPassSink<float> sink{};
    if (!direct) {
      float* stage = scratch.take<float>(n_);
      WrappedRow{row, lead_}.copy(kernels_, 0, n_, stage);
      source = {stage, nullptr, nullptr, nullptr};
      sink.re = stage;
    } else {
      sink.re = row.output;
      sink.re_epilogue = row.epilogue(0);
    }
    kernels_.f32.first_pass(fft_.tables(), source, work);
    kernels_.f32.convolve(fft_.tables(), work, &spectra_[channel * 2 * n_], nullptr, cancel);
    if (cancelled(cancel)) return;
    kernels_.f32.last_pass(fft_.tables(), work, sink);
    if (!direct) kernels_.finish(row.output, sink.re + lead_, row.epilogue(0), covered - lead_);
    if (row.length > n_) tail(row, channel);
  }

 private:
  /// Outputs n .. length-1 as direct sums over all inputs that reach them.
  void tail(const Row& row, int64_t channel) const {
    const float* reversed = &reversed_[channel * taps_];
    for (int64_t t = n_; t < row.length; ++t) {
      const int64_t terms = std::min(taps_, t + 1), first = t - terms + 1;
      const float y = kernels_.dot(reversed + taps_ - terms, row.input + first, row.pre ? row.pre + first : nullptr, terms);
      kernels_.finish(row.output + t, &y, row.epilogue(t), 1);
    }
  }

  const KernelTable& kernels_;
  int64_t n_, channels_, taps_, lead_;
  FftPlan<float> fft_;
  AlignedBuffer<float> spectra_;
  AlignedBuffer<float> reversed_;  ///< [channels, taps], last tap first; only where there is a tail
};

}  // namespace

std::unique_ptr<PreparedConvolution> prepare_right_angle(const PrepareRequest& request) { return std::make_unique<RightAngle>(request); }

}  // namespace longconv
