// Overlap-save: the row in blocks of n points, of which the first `discard` >= K - 1 are history; two blocks as one complex row.
//
// Block b covers outputs [b S, (b + 1) S), S = n - discard, from points [b S - discard, b S + S). A circular n-point convolution of it is
// right from point `discard` on. Whole rows of the last pass (n / lanes points each) are discarded, so nothing is written twice.
//
// Items: (batch, channel, group of block pairs). Memory per thread: 2 n floats, and up to 4 n where a block reaches over an end of the
// row; independent of the row's length. Cost: n (3.5 * 2 log2 n) vector operations per 2 S points.
#include "../wrapped_row.h"

namespace longconv {

namespace {

/// Pairs of blocks that one thread takes at a time, so that one long row keeps all threads busy.
constexpr int64_t kPairsPerItem = 4;

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
        step_(n_ - discard_),
        fft_(n_, kernels_.f32.lanes, 0.0) {
    spectra_ = prepare_spectra(fft_, kernels_, channels_, false, 1.0f / static_cast<float>(n_), request.threads, request.cancel, [&](int64_t c, float* re, float*) {
      std::copy_n(request.filter + c * request.spec.filter_length, taps_, re);
    });
  }

  int64_t item_count(const lc_convolution_call& call) const override { return call.batch * channels_ * groups(call); }

  void run_item(const lc_convolution_call& call, int64_t item, const int32_t* cancel) const override {
    const int64_t group = item % groups(call), line = item / groups(call);
    const int64_t channel = line % channels_;
    const Row row = row_of(call, line / channels_, channel);
    Scratch scratch(Scratch::padded(8 * n_) + 2 * Scratch::padded(4 * n_));
    float* work = scratch.take<float>(2 * n_);
    float* stages[2] = {scratch.take<float>(n_), scratch.take<float>(n_)};
    const int64_t last = std::min((group + 1) * 2 * kPairsPerItem, blocks(call));
    for (int64_t block = group * 2 * kPairsPerItem; block < last; block += 2) {
      if (cancelled(cancel)) return;
      pair(row, channel, block, std::min<int64_t>(2, last - block), work, stages, cancel);
    }
  }

 private:
  int64_t blocks(const lc_convolution_call& call) const { return (call.length + step_ - 1) / step_; }
  int64_t groups(const lc_convolution_call& call) const { return (blocks(call) + 2 * kPairsPerItem - 1) / (2 * kPairsPerItem); }

  void pair(const Row& row, int64_t channel, int64_t block, int64_t count, float* work, float* const* stages, const int32_t* cancel) const {
    FirstPassSource<float> source{};
    LastPassSink<float> sink{};
    sink.first_row = static_cast<int32_t>(discard_ / unit_);
    const float** inputs[2] = {&source.re, &source.im};
    const float** gates[2] = {&source.re_gate, &source.im_gate};
    float** outputs[2] = {&sink.re, &sink.im};
    Epilogue<float>* epilogues[2] = {&sink.re_epilogue, &sink.im_epilogue};
    const int64_t begin = block * step_, end = begin + count * step_;
    const auto readable = [&](int64_t at) { return lead_ == 0 && at >= discard_ && at + step_ <= row.length; };
    // The first pass takes gates for both parts or for none, and a staged block has its gate behind it.
    const bool stage_all = row.pre && !(readable(begin) && readable(end - step_));
    for (int64_t i = 0; i < count; ++i) {
      const int64_t at = begin + i * step_;
      if (readable(at) && !stage_all) {
        *inputs[i] = row.input + at - discard_;
        *gates[i] = row.pre ? row.pre + at - discard_ : nullptr;
      } else {
        WrappedRow{row, lead_}.copy(kernels_, at + lead_ - discard_, at + lead_ + step_, stages[i]);
        *inputs[i] = stages[i];
      }
      if (at + step_ <= row.length) {
        *outputs[i] = row.output + at;
        *epilogues[i] = row.epilogue(at);
      } else {
        *outputs[i] = stages[i];
      }
    }
    // Short strided rows are what the processor's own prefetching does not follow: the next pair is asked for while this one is read.
    if (count == 2) source.ahead = 2 * step_;
    kernels_.f32.first_pass(fft_.tables(), source, work);
    Touch touch;
    touch.pace = 2;
    touch.write = reinterpret_cast<const char*>(row.output + begin);
    touch.write_end = reinterpret_cast<const char*>(row.output + std::min(end, row.length));
    kernels_.f32.convolve(fft_.tables(), work, &spectra_[channel * 2 * n_], nullptr, &touch, cancel);
    if (cancelled(cancel)) return;
    kernels_.f32.last_pass(fft_.tables(), work, sink);
    for (int64_t i = 0; i < count; ++i) {
      const int64_t at = begin + i * step_;
      if (*outputs[i] == stages[i]) kernels_.finish(row.output + at, stages[i], row.epilogue(at), std::min(step_, row.length - at));
    }
  }

  const KernelTable& kernels_;
  int64_t n_, taps_, channels_, lead_, unit_, discard_, step_;
  FftPlan<float> fft_;
  AlignedBuffer<float> spectra_;
};

}  // namespace

std::unique_ptr<PreparedConvolution> prepare_overlap_save(const PrepareRequest& request) { return std::make_unique<OverlapSave>(request); }

}  // namespace longconv
