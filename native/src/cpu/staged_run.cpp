#include "staged_run.h"

#include "../status.h"

namespace longconv {

namespace {

/// Points of a piece: few enough for the second-level cache, many enough that the inputs read twice do not count.
constexpr int64_t kPiece = 65536;
constexpr int64_t kPieceHistories = 16;

class StagedRun {
 public:
  StagedRun(const PreparedConvolution& convolution, const StagedShape& shape, const lc_convolution_call& call, const int32_t* cancel)
      : convolution_(convolution),
        shape_(shape),
        kernels_(*shape.kernels),
        call_(call),
        cancel_(cancel),
        piece_(shape.piece ? shape.piece : call.length) {}

  void run() {
    const int64_t units = (call_.batch + shape_.rows_per_unit - 1) / shape_.rows_per_unit, pieces = (call_.length + piece_ - 1) / piece_;
    parallel_for(units * shape_.channels * pieces, call_.threads, cancel_, [&](int64_t item) {
      const int64_t line = item / pieces;
      run_piece(line / shape_.channels * shape_.rows_per_unit, line % shape_.channels, item % pieces * piece_);
    });
    // Pieces read the old history, so it is replaced when all are done.
    if (call_.history && !cancelled(cancel_))
      parallel_for(call_.batch * shape_.channels, call_.threads, nullptr, [&](int64_t row) { replace_history(row / shape_.channels, row % shape_.channels); });
  }

 private:
  void run_piece(int64_t first_row, int64_t channel, int64_t from) const {
    const int64_t rows = std::min(shape_.rows_per_unit, call_.batch - first_row), count = std::min(piece_, call_.length - from);
    const int64_t lead = from > 0 || call_.history ? shape_.history : 0, width = lead + count;
    Scratch scratch(2 * Scratch::padded(4 * rows * width));
    float* x = scratch.take<float>(rows * width);
    float* y = scratch.take<float>(rows * width);
    for (int64_t i = 0; i < rows; ++i) gated_input(first_row + i, channel, from - lead, from + count, x + i * width, y + i * width);

    lc_convolution_call staged{};
    staged.input = x;
    staged.output = y;
    staged.batch = rows;
    staged.length = width;
    // The staged array has this one channel: the offset takes the convolution's channel to row 0.
    staged.total_channels = 1;
    staged.first_channel = -channel;
    staged.skip = call_.skip ? call_.skip + call_.first_channel + channel : nullptr;
    const int64_t items = convolution_.item_count(staged) / shape_.channels;
    for (int64_t item = channel * items; item < (channel + 1) * items; ++item) {
      if (cancelled(cancel_)) return;
      convolution_.run_item(staged, item, cancel_);
    }
    if (cancelled(cancel_)) return;

    for (int64_t i = 0; i < rows; ++i) {
      float* result = y + i * width + lead;
      const int64_t at = offset(first_row + i, channel) + from;
      if (call_.post_gate) {
        read(call_.post_gate, at, count, x);
        kernels_.gate_copy(result, result, x, count);
      }
      write(result, at, count);
    }
  }

  /// Points [from, to) of a row after the gate; those before its first are its history. `gate`: room for as many gate values.
  void gated_input(int64_t row, int64_t channel, int64_t from, int64_t to, float* dst, float* gate) const {
    for (; from < 0 && from < to; ++from, ++dst) *dst = history_of(row, channel)[shape_.history + from];
    const int64_t at = offset(row, channel) + from;
    read(call_.input, at, to - from, dst);
    if (!call_.pre_gate) return;
    read(call_.pre_gate, at, to - from, gate);
    kernels_.gate_copy(dst, dst, gate, to - from);
  }

  void replace_history(int64_t row, int64_t channel) const {
    Scratch scratch(2 * Scratch::padded(4 * shape_.history));
    float* last = scratch.take<float>(shape_.history);
    gated_input(row, channel, call_.length - shape_.history, call_.length, last, scratch.take<float>(shape_.history));
    std::copy_n(last, shape_.history, history_of(row, channel));
  }

  int64_t offset(int64_t row, int64_t channel) const { return (row * call_.total_channels + call_.first_channel + channel) * call_.length; }
  float* history_of(int64_t row, int64_t channel) const { return call_.history + (row * shape_.channels + channel) * shape_.history; }

  void read(const void* samples, int64_t at, int64_t count, float* dst) const {
    if (call_.sample_type == LC_FLOAT32) kernels_.gate_copy(dst, static_cast<const float*>(samples) + at, nullptr, count);
    else kernels_.widen(dst, static_cast<const uint16_t*>(samples) + at, call_.sample_type, count);
  }
  void write(const float* src, int64_t at, int64_t count) const {
    if (call_.sample_type == LC_FLOAT32) kernels_.gate_copy(static_cast<float*>(call_.output) + at, src, nullptr, count);
    else kernels_.narrow(static_cast<uint16_t*>(call_.output) + at, src, call_.sample_type, count);
  }

  const PreparedConvolution& convolution_;
  const StagedShape& shape_;
  const KernelTable& kernels_;
  const lc_convolution_call& call_;
  const int32_t* cancel_;
  int64_t piece_;
};

}  // namespace

StagedShape::StagedShape(const lc_convolution_spec& spec, const lc_plan& plan, const KernelTable& table)
    : kernels(&table),
      mode(spec.mode),
      channels(spec.channels),
      history(spec.filter_length - 1),
      max_length(spec.max_length),
      rows_per_unit(plan.algorithm == LC_CIRCULAR_FFT ? 2 : 1),
      piece(spec.mode == LC_CAUSAL && spec.filter_length <= spec.max_length && (plan.algorithm == LC_TOEPLITZ || plan.algorithm == LC_OVERLAP_SAVE)
                ? std::max(kPiece, kPieceHistories * history)
                : 0) {}

void run_staged(const PreparedConvolution& convolution, const StagedShape& shape, const lc_convolution_call& call, const int32_t* cancel) {
  if (call.history && shape.mode != LC_CAUSAL) fail(LC_INVALID_ARGUMENT, "Only a causal convolution continues an earlier input.");
  if (call.history && !shape.piece && call.length > shape.max_length - shape.history)
    fail(LC_INVALID_ARGUMENT, "A piece of %lld points with the %lld inputs before it is longer than the %lld points that the convolution was prepared for.",
         static_cast<long long>(call.length), static_cast<long long>(shape.history), static_cast<long long>(shape.max_length));
  StagedRun(convolution, shape, call, cancel).run();
}

}  // namespace longconv
