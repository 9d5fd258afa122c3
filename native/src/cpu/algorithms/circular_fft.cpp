// Circular convolution of a power-of-two length: two rows of the batch as real and imaginary part of one complex row.
//
// The filter is real, so the product of u_a + i u_b with its spectrum is y_a + i y_b: nothing has to be untangled. The last row of an
// odd batch goes alone. Items: (pair of rows, channel). Memory per thread: 2 n floats. Cost: that of one n-point transform per pair.
#include "../prepared_convolution.h"

namespace longconv {

namespace {

class CircularFft final : public PreparedConvolution {
 public:
  explicit CircularFft(const PrepareRequest& request)
      : kernels_(kernels_for_transform(request.kernels, request.plan.transform_length)),
        n_(request.plan.transform_length),
        channels_(request.spec.channels),
        fft_(n_, kernels_.f32.lanes, 0.0) {
    spectra_ = prepare_spectra(fft_, kernels_, channels_, false, 1.0f / static_cast<float>(n_), request.threads, request.cancel, [&](int64_t c, float* re, float*) {
      std::copy_n(request.filter + c * request.spec.filter_length, request.plan.taps, re);
    });
  }

  int64_t item_count(const lc_convolution_call& call) const override { return (call.batch + 1) / 2 * channels_; }

  void run_item(const lc_convolution_call& call, int64_t item, const int32_t* cancel) const override {
    const int64_t channel = item % channels_, first = item / channels_ * 2;
    const Row a = row_of(call, first, channel);
    Scratch scratch(Scratch::padded(8 * n_));
    float* work = scratch.take<float>(2 * n_);
    FirstPassSource<float> source{a.input, nullptr, a.pre, nullptr};
    LastPassSink<float> sink{};
    sink.re = a.output;
    sink.re_epilogue = a.epilogue(0);
    if (first + 1 < call.batch) {
      const Row b = row_of(call, first + 1, channel);
      source.im = b.input;
      source.im_gate = b.pre;
      sink.im = b.output;
      sink.im_epilogue = b.epilogue(0);
    }
    kernels_.f32.first_pass(fft_.tables(), source, work);
    Touch touch = touch_after(call, a);
    kernels_.f32.convolve(fft_.tables(), work, &spectra_[channel * 2 * n_], &touch, cancel);
    if (!cancelled(cancel)) kernels_.f32.last_pass(fft_.tables(), work, sink);
  }

 private:
  const KernelTable& kernels_;
  int64_t n_, channels_;
  FftPlan<float> fft_;
  AlignedBuffer<float> spectra_;
};

}  // namespace

std::unique_ptr<PreparedConvolution> prepare_circular_fft(const PrepareRequest& request) { return std::make_unique<CircularFft>(request); }

}  // namespace longconv
