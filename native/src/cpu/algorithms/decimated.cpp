// Low-pass masks: a row is filtered and kept at one sample in D, convolved there, and brought back to all its samples.
//
// Of a grid of N bins only f < F are kept. The decimator (decimator.h) takes the row to the grid of M = N / D bins without anything falling
// on those, its gain there is divided out of the filter, and the way back gives y at the full rate.
//
// At the lower rate the convolution is circular, of M real points. A row fills about half of them, n = M / 2, and is transformed as in
// right_angle.cpp: as n complex points in the ring z^n = i, where the lags of the filter are -n .. n - 1. The decimator's filters lengthen a
// row by some samples, so that it may have a few, its tail, beyond n. In the ring they are imaginary parts of the first points: they are
// added to the work array behind the first pass, and read from it before the last one. And there are more lags than M then: sums of the
// first samples with the last ones would come with the wrong sign, since z^M = -1, and get twice themselves added.
//
// Items: (batch, channel). Memory per thread: 3 n floats and some pieces of a few thousand samples. Cost: n (3.5 * 2 log2 n) vector
// operations and 2 K (1 + 1/2 + ...) L / 2 for filters of K taps.
#include <cmath>
#include <numbers>

#include "../decimator.h"
#include "../low_band_filter.h"

namespace longconv {

namespace {

constexpr double kQuarterBin = -0.25;

class Decimated final : public PreparedConvolution {
 public:
  explicit Decimated(const PrepareRequest& request)
      : n_(request.plan.transform_length),
        channels_(request.spec.channels),
        kernels_(kernels_for_transform(request.kernels, n_)),
        decimator_(request.spec.fft_size, request.plan.band, request.plan.decimation),
        fft_(n_, kernels_.f32.lanes, kQuarterBin),
        longest_tail_(std::max<int64_t>(0, decimator_.halved(request.spec.max_length) - n_)) {
    prepare_twiddles();
    prepare(request);
  }

  int64_t item_count(const lc_convolution_call& call) const override { return call.batch * channels_; }

  void run_item(const lc_convolution_call& call, int64_t item, const int32_t* cancel) const override {
    const int64_t channel = item % channels_;
    const Row row = row_of(call, item / channels_, channel);
    const int64_t samples = decimator_.halved(row.length), tail = std::max<int64_t>(0, samples - n_);
    Scratch scratch(scratch_bytes());
    float* pieces = scratch.take<float>(decimator_.scratch_floats());
    float* v = scratch.take<float>(n_ + longest_tail_ + Decimator::kBeyond);
    float* work = scratch.take<float>(2 * n_);
    float* ends = scratch.take<float>(2 * longest_tail_ + 1);
    decimator_.down(kernels_, row, v, pieces, cancel);
    if (cancelled(cancel)) return;
    std::fill(v + samples, v + n_ + longest_tail_ + Decimator::kBeyond, 0.0f);
    std::copy_n(v, tail, ends);
    std::copy_n(v + n_, tail, ends + tail);
    kernels_.f32.first_pass(fft_.tables(), {v, nullptr, nullptr, nullptr}, work);
    add_tail(v + n_, tail, work);
    // The input is asked for as it is filtered, and so is the output; but the latter early enough only from here on.
    Touch touch = touch_after(call, row);
    touch.read_end = touch.read;
    touch.pace = static_cast<int32_t>((row.length + n_ - 1) / n_);
    kernels_.f32.convolve(fft_.tables(), work, &spectra_[channel * 2 * n_], &touch, cancel);
    if (cancelled(cancel)) return;
    LastPassSink<float> sink{};
    sink.re = v;
    kernels_.f32.last_pass(fft_.tables(), work, sink);
    read_tail(work, tail, v + n_);
    correct_ends(channel, ends, tail, v);
    decimator_.up(kernels_, v, row, pieces, cancel);
  }

 private:
  int64_t scratch_bytes() const {
    return Scratch::padded(4 * decimator_.scratch_floats()) + Scratch::padded(4 * (n_ + longest_tail_ + Decimator::kBeyond)) + Scratch::padded(8 * n_) + Scratch::padded(4 * (2 * longest_tail_ + 1));
  }
  /// Lags n - longest_tail_ + 1 .. n + longest_tail_ - 1, those between the first and the last samples of a row.
  int64_t end_lags() const { return std::max<int64_t>(0, 2 * longest_tail_ - 1); }

  /// exp(-2 pi i (r - 1/4) l / n) for the columns l of the tail and all rows r, as the first pass multiplies with.
  void prepare_twiddles() {
    const int lanes = kernels_.f32.lanes;
    tail_twiddles_ = AlignedBuffer<float>(2 * lanes * longest_tail_);
    for (int64_t l = 0; l < longest_tail_; ++l)
      for (int r = 0; r < lanes; ++r) {
        const double angle = -2 * std::numbers::pi * (r + kQuarterBin) * static_cast<double>(l) / static_cast<double>(n_);
        tail_twiddles_[2 * lanes * l + r] = static_cast<float>(std::cos(angle));
        tail_twiddles_[2 * lanes * l + lanes + r] = static_cast<float>(std::sin(angle));
      }
  }

  void prepare(const PrepareRequest& request) {
    spectra_ = AlignedBuffer<float>(channels_ * 2 * n_);
    twice_ends_ = AlignedBuffer<float>(channels_ * end_lags());
    LowBandFilter filter(request.spec, request.plan.band, request.plan.decimation, [&](int64_t f) { return 1.0 / decimator_.gain(f); });
    const RightAngleSpectrum spectrum(fft_, kernels_);
    parallel_for(channels_, request.threads, request.cancel, [&](int64_t c) {
      Scratch scratch(Scratch::padded(16 * n_));
      double* lags = scratch.take<double>(2 * n_);
      filter.lags(request.filter + c * request.spec.filter_length, lags);
      for (int64_t i = 0; i < end_lags(); ++i) twice_ends_[c * end_lags() + i] = static_cast<float>(2 * lags[n_ - longest_tail_ + 1 + i]);
      spectrum.of(lags, &spectra_[c * 2 * n_]);
    });
  }

  /// Sample n + l is i times point l: row 0 of the first pass, which goes to all its results alike.
  void add_tail(const float* samples, int64_t tail, float* work) const {
    const int lanes = kernels_.f32.lanes;
    for (int64_t l = 0; l < tail; ++l) {
      const float* w = &tail_twiddles_[2 * lanes * l];
      float* at = work + 2 * lanes * l;
      for (int r = 0; r < lanes; ++r) at[r] -= samples[l] * w[lanes + r];
      for (int r = 0; r < lanes; ++r) at[lanes + r] += samples[l] * w[r];
    }
  }
  void read_tail(const float* work, int64_t tail, float* samples) const {
    const int lanes = kernels_.f32.lanes;
    for (int64_t l = 0; l < tail; ++l) {
      const float* w = &tail_twiddles_[2 * lanes * l];
      const float* at = work + 2 * lanes * l;
      float parts[4]{};
      for (int r = 0; r < lanes; r += 4)
        for (int i = 0; i < 4; ++i) parts[i] += at[lanes + r + i] * w[r + i] - at[r + i] * w[lanes + r + i];
      samples[l] = (parts[0] + parts[1]) + (parts[2] + parts[3]);
    }
  }
  /// `ends`: the first and the last `tail` samples that went in.
  void correct_ends(int64_t channel, const float* ends, int64_t tail, float* v) const {
    if (tail == 0) return;
    const float *first = ends, *last = ends + tail;
    const float* twice_n = twice_ends_.data() + channel * end_lags() + longest_tail_ - 1;  // at lag n
    for (int64_t a = 0; a < tail; ++a) {
      for (int64_t b = 0; b <= a; ++b) v[n_ + a] += twice_n[a - b] * first[b];
      for (int64_t b = 0; b < a; ++b) v[b] += twice_n[b - a] * last[a];
    }
  }

  int64_t n_, channels_;
  const KernelTable& kernels_;
  Decimator decimator_;
  FftPlan<float> fft_;
  int64_t longest_tail_;  ///< samples at the lower rate beyond n that a row may have
  AlignedBuffer<float> tail_twiddles_;  ///< [column of the tail][2][lanes]
  AlignedBuffer<float> twice_ends_;     ///< [channels][end_lags()]: 2 k[lag]
  AlignedBuffer<float> spectra_;        ///< [channels][2 n]
};

}  // namespace

std::unique_ptr<PreparedConvolution> prepare_decimated(const PrepareRequest& request) { return std::make_unique<Decimated>(request); }

}  // namespace longconv
