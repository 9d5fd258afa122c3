// Overlap-save: the row in blocks of 2 n points, of which the first `discard` >= K - 1 are history; a block as one complex row of n points.
//
// In the ring z^n = i, where z^(2n) = -1, a block x is x[j] + i x[n + j] for j < n, and the product with the filter is its negacyclic
// convolution (kernels/twisted_fft.h, alpha = -1/4): what wraps around has the wrong sign, but falls on the history alone. So no second
// block is needed to fill the imaginary part, and one filter's length is lost for every 2 n points.
//
// Block b covers outputs [b S, (b + 1) S), S = 2 n - discard, from points [b S - discard, b S + S). Whole rows of the last pass (n / lanes
// points each) are discarded, so nothing is written twice.
//
// Items: (batch, channel, group of blocks). Memory per thread: 2 n floats, and 2 n where a block reaches over an end of the row;
// independent of the row's length. Cost: n (3.5 * 2 log2 n) vector operations for S points.
#include "../wrapped_row.h"

namespace longconv {

namespace {

constexpr double kQuarterBin = -0.25;
/// Blocks that one thread takes at a time, so that one long row keeps all threads busy.
constexpr int64_t kBlocksPerItem = 8;
/// Blocks of up to so many points stay in the nearest cache. From so many on their results are lines enough to be written past the caches.
constexpr int64_t kNearPoints = 2048, kStreamedPoints = 1024;

class OverlapSave final : public PreparedConvolution {
 public:
  explicit OverlapSave(const PrepareRequest& request)
      : kernels_(kernels_for_transform(request.kernels, request.plan.transform_length)),
        n_(request.plan.transform_length),
        taps_(request.plan.taps),
        channels_(request.spec.channels),
        lead_(request.spec.mode == LC_CIRCULAR ? taps_ - 1 : 0),
        unit_(n_ / kernels_.f32.lanes),
        discard_((taps_ - 1 + unit_ - 1) / unit_ * unit_),
        step_(2 * n_ - discard_),
        fft_(n_, kernels_.f32.lanes, kQuarterBin) {
    spectra_ = prepare_spectra(fft_, kernels_, channels_, taps_ > n_, 1.0f / static_cast<float>(n_), request.threads, request.cancel, [&](int64_t c, float* re, float* im) {
      const float* k = request.filter + c * request.spec.filter_length;
      std::copy_n(k, std::min(taps_, n_), re);
      if (im) std::copy_n(k + n_, taps_ - n_, im);
    });
  }

  int64_t item_count(const lc_convolution_call& call) const override { return call.batch * channels_ * groups(call); }

  void run_item(const lc_convolution_call& call, int64_t item, const int32_t* cancel) const override {
    const int64_t group = item % groups(call), line = item / groups(call);
    const int64_t channel = line % channels_;
    const Row row = row_of(call, line / channels_, channel);
    Scratch scratch(2 * Scratch::padded(8 * n_));
    float* work = scratch.take<float>(2 * n_);
    float* stage = scratch.take<float>(2 * n_);
    const int64_t last = std::min((group + 1) * kBlocksPerItem, blocks(call));
    for (int64_t block = group * kBlocksPerItem; block < last; ++block) {
      if (cancelled(cancel)) return;
      run_block(row, channel, block * step_, work, stage, cancel);
    }
  }

 private:
  int64_t blocks(const lc_convolution_call& call) const { return (call.length + step_ - 1) / step_; }
  int64_t groups(const lc_convolution_call& call) const { return (blocks(call) + kBlocksPerItem - 1) / kBlocksPerItem; }

  /// Outputs [at, at + S), as far as the row has them.
  void run_block(const Row& row, int64_t channel, int64_t at, float* work, float* stage, const int32_t* cancel) const {
    const bool readable = lead_ == 0 && at >= discard_ && at + step_ <= row.length, writable = at + step_ <= row.length;
    const float *input = stage, *gate = nullptr;
    if (readable) {
      input = row.input + at - discard_;
      if (row.pre) gate = row.pre + at - discard_;
    } else {
      WrappedRow{row, lead_}.copy(kernels_, at + lead_ - discard_, at + lead_ + step_, stage);
    }
    // Short strided rows are what the processor's own prefetching does not follow. Near blocks: the next one is asked for while this one is read, the
    // memory of the results while it is transformed, unless they are written past the caches. Others: the next one while this one is transformed.
    const bool near = n_ <= kNearPoints, streamed = near && n_ >= kStreamedPoints && row.far;
    kernels_.f32.first_pass(fft_.tables(), {input, input + n_, gate, gate ? gate + n_ : nullptr, near ? step_ : 0}, work);
    Touch touch;
    touch.pace = 2;
    if (near) {
      touch.write = reinterpret_cast<const char*>(row.output + at);
      touch.write_end = reinterpret_cast<const char*>(row.output + std::min(at + step_, row.length));
    } else {
      touch.read = reinterpret_cast<const char*>(row.input + std::min(at + step_, row.length));
      touch.read_end = reinterpret_cast<const char*>(row.input + std::min(at + 2 * step_, row.length));
    }
    kernels_.f32.convolve(fft_.tables(), work, &spectra_[channel * 2 * n_], streamed ? nullptr : &touch, cancel);
    if (cancelled(cancel)) return;
    const bool direct = writable && !streamed;
    kernels_.f32.last_pass(fft_.tables(), work, direct ? sink(row.output + at, row.epilogue(at)) : sink(stage, {}));
    if (!direct) kernels_.finish(row.output + at, stage, row.epilogue(at), std::min(step_, row.length - at), streamed);
  }

  /// The kept rows of both halves of a block, one after the other.
  LastPassSink<float> sink(float* output, const Epilogue<float>& epilogue) const {
    LastPassSink<float> sink;
    sink.re_first_row = static_cast<int32_t>(std::min(discard_, n_) / unit_);
    sink.im_first_row = static_cast<int32_t>(std::max<int64_t>(discard_ - n_, 0) / unit_);
    const int64_t second = std::max<int64_t>(n_ - discard_, 0);
    sink.re = output;
    sink.im = output + second;
    sink.re_epilogue = epilogue;
    sink.im_epilogue = epilogue.from(second);
    return sink;
  }

  const KernelTable& kernels_;
  int64_t n_, taps_, channels_, lead_, unit_, discard_, step_;
  FftPlan<float> fft_;
  AlignedBuffer<float> spectra_;
};

}  // namespace

std::unique_ptr<PreparedConvolution> prepare_overlap_save(const PrepareRequest& request) { return std::make_unique<OverlapSave>(request); }

}  // namespace longconv
