// Right-angle convolution: one n-point complex transform for a linear convolution of n real points, without zero padding.
//
// In the ring z^n = i the product of two real rows of n points is low + i high: the first and the second n points of their linear
// convolution (kernels/twisted_fft.h, alpha = -1/4). Causal: the real part is the result. Grid (negative lags too): with k+ the
// lags 0..n-1 and k-[j] the lag j - n, the filter k+ - i k- gives Re = low(k+ u) + high(k- u), the whole result.
// A row that is a few points longer than n gets those points (`tail`) as direct sums.
//
// Items: (batch, channel). Memory per thread: 2 n floats, and n where the row has to be padded. Cost: n (3.5 * 2 log2 n) vector operations.
#include "../direct_sums.h"
#include "../masked_filter.h"
#include "../wrapped_row.h"

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
    AlignedBuffer<float> masked;
    const float* filter = request.filter;
    if (grid && std::find(spec.kept, spec.kept + spec.fft_size / 2 + 1, 0) != spec.kept + spec.fft_size / 2 + 1) {
      masked = masked_copy(request);
      filter = masked.data();
    }
    spectra_ = prepare_spectra(fft_, kernels_, channels_, grid, 1.0f / static_cast<float>(n_), request.threads, request.cancel, [&](int64_t c, float* re, float* im) {
      const float* k = filter + c * spec.filter_length;
      if (!grid) {
        std::copy_n(k, std::min(taps_, n_), re);
        return;
      }
      const int64_t half = spec.fft_size / 2;
      std::copy_n(k, half, re);
      // Lag -l is at fft_size - l; it goes to n - l. Lag -half never acts on inputs of at most half points.
      for (int64_t l = 1; l < half; ++l) im[n_ - l] = -k[spec.fft_size - l];
    });
    if (!grid && spec.max_length + lead_ > n_) tail_ = DirectSums(request.filter, channels_, spec.filter_length, taps_);
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
    Touch touch = touch_after(call, row);
    kernels_.f32.convolve(fft_.tables(), work, &spectra_[channel * 2 * n_], &touch, cancel);
    if (cancelled(cancel)) return;
    kernels_.f32.last_pass(fft_.tables(), work, sink);
    if (!direct) kernels_.finish(row.output, sink.re + lead_, row.epilogue(0), covered - lead_, false);
    if (row.length > n_) tail_.run(kernels_, row, channel, n_, row.length);
  }

 private:
  /// The filter with exactly nothing in the bins that are not kept: this transform has no bins of the grid to leave out.
  static AlignedBuffer<float> masked_copy(const PrepareRequest& request) {
    const lc_convolution_spec& spec = request.spec;
    AlignedBuffer<float> masked(spec.channels * spec.fft_size);
    AlignedBuffer<double> gain(spec.fft_size / 2 + 1), energies(4 * spec.channels);
    for (int64_t f = 0; f < gain.size(); ++f) gain[f] = spec.kept[f] ? 1.0 : 0.0;
    MaskFilterJob job{};
    job.filter = request.filter;
    job.channels = spec.channels;
    job.taps = job.fft_size = spec.fft_size;
    job.gain = gain.data();
    job.want = MaskedRows::kGrid;
    job.masked = masked.data();
    job.energy = energies.data();
    job.error_energy = job.energy + spec.channels;
    job.masked_energy = job.error_energy + spec.channels;
    job.leak_energy = job.masked_energy + spec.channels;
    job.threads = request.threads;
    mask_filters(job, request.cancel);
    return masked;
  }

  const KernelTable& kernels_;
  int64_t n_, channels_, taps_, lead_;
  FftPlan<float> fft_;
  AlignedBuffer<float> spectra_;
  DirectSums tail_;  ///< of outputs n .. length-1, where rows are longer than n
};

}  // namespace

std::unique_ptr<PreparedConvolution> prepare_right_angle(const PrepareRequest& request) { return std::make_unique<RightAngle>(request); }

}  // namespace longconv
