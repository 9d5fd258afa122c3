// Frequency-sparse convolution on a grid of N bins: only the rows f mod N1 = r that hold kept bins are computed.
//
// fold (kernels/comb_fold.h) makes row r of M = N / N1 points; its M-point transform with alpha = r / N1 gives the bins r + N1 g; the
// product, the inverse and unfold bring the row's share of the output. Rows r and N1 - r are conjugate, so r <= N1 / 2, counted twice
// by the spectrum's scale. Rows that are not kept cost no arithmetic, no memory and no filter bytes.
//
// Items: (batch, channel). Memory per thread: 2 M floats for each kept row, 2 M work, and N/2 where the row has to be padded.
#include <cmath>
#include <numbers>
#include <vector>

#include "../prepared_convolution.h"

namespace longconv {

namespace {

class CombRows final : public PreparedConvolution {
 public:
  explicit CombRows(const PrepareRequest& request)
      : kernels_(kernels_for_transform(request.kernels, request.plan.transform_length)),
        m_(request.plan.transform_length),
        modulus_(request.plan.comb_modulus),
        channels_(request.spec.channels) {
    choose_rows(request.spec);
    const int64_t width = modulus_ / 4 + 1, count = static_cast<int64_t>(rows_.size());
    cosine_ = AlignedBuffer<float>(count * width);
    sine_ = AlignedBuffer<float>(count * width);
    for (int64_t i = 0; i < count; ++i) {
      plans_.emplace_back(m_, kernels_.f32.lanes, static_cast<double>(rows_[i]) / static_cast<double>(modulus_));
      for (int64_t h = 0; h < width; ++h) {
        const double angle = 2 * std::numbers::pi * static_cast<double>(rows_[i] * h % modulus_) / static_cast<double>(modulus_);
        cosine_[i * width + h] = static_cast<float>(std::cos(angle));
        sine_[i * width + h] = static_cast<float>(std::sin(angle));
      }
    }
    tables_.n1 = static_cast<int32_t>(modulus_);
    tables_.rows = static_cast<int32_t>(count);
    tables_.columns = m_;
    // Rows one after the other would all map to the same cache sets.
    tables_.row_stride = m_ + 16;
    tables_.cosine = cosine_.data();
    tables_.sine = sine_.data();
    prepare(request);
  }

  int64_t item_count(const lc_convolution_call& call) const override { return call.batch * channels_; }

  void run_item(const lc_convolution_call& call, int64_t item, const int32_t* cancel) const override {
    const int64_t channel = item % channels_, padded = m_ * modulus_ / 2, count = static_cast<int64_t>(rows_.size());
    const Row row = row_of(call, item / channels_, channel);
    const bool direct = row.length == padded;
    const int64_t row_floats = 2 * tables_.row_stride;
    Scratch scratch(Scratch::padded(4 * count * row_floats) + Scratch::padded(8 * m_) + (direct ? 0 : Scratch::padded(4 * padded)));
    float* z = scratch.take<float>(count * row_floats);
    float* work = scratch.take<float>(2 * m_);
    float* stage = direct ? nullptr : scratch.take<float>(padded);
    if (!direct) {
      kernels_.gate_copy(stage, row.input, row.pre, row.length);
      std::fill(stage + row.length, stage + padded, 0.0f);
    }
    if (direct) kernels_.comb_fold(tables_, row.input, row.pre, z);
    else kernels_.comb_fold(tables_, stage, nullptr, z);
    Touch touch = touch_after(call, row);
    touch.pace = static_cast<int32_t>((row.length + count * m_ - 1) / std::max<int64_t>(1, count * m_));
    for (int64_t i = 0; i < count; ++i) {
      if (cancelled(cancel)) return;
      float* re = z + i * row_floats;
      float* im = re + tables_.row_stride;
      const FftTables<float>& fft = plans_[static_cast<std::size_t>(i)].tables();
      kernels_.f32.first_pass(fft, {re, im, nullptr, nullptr}, work);
      kernels_.f32.convolve(fft, work, &spectra_[(channel * count + i) * 2 * m_], &touch, cancel);
      LastPassSink<float> sink{};
      sink.re = re;
      sink.im = im;
      kernels_.f32.last_pass(fft, work, sink);
    }
    if (cancelled(cancel)) return;
    if (direct) {
      kernels_.comb_unfold(tables_, z, row.output, row.epilogue(0));
    } else {
      kernels_.comb_unfold(tables_, z, stage, {});
      kernels_.finish(row.output, stage, row.epilogue(0), row.length);
    }
  }

 private:
  /// Even rows first, as comb_fold wants them.
  void choose_rows(const lc_convolution_spec& spec) {
    std::vector<uint8_t> kept(static_cast<std::size_t>(modulus_ / 2 + 1), 0);
    for (int64_t f = 0; f <= spec.fft_size / 2; ++f)
      if (spec.kept[f]) kept[static_cast<std::size_t>(std::min(f % modulus_, modulus_ - f % modulus_))] = 1;
    for (int parity = 0; parity < 2; ++parity)
      for (int64_t r = parity; r <= modulus_ / 2; r += 2) {
        if (kept[static_cast<std::size_t>(r)]) rows_.push_back(r);
        if (parity == 0) tables_.even_rows = static_cast<int32_t>(rows_.size());
      }
  }

  /// Spectra [channel][row][2 M] of the whole N-point filter: its N lags are two halves of what comb_fold takes.
  void prepare(const PrepareRequest& request) {
    const int64_t count = static_cast<int64_t>(rows_.size()), half = m_ * modulus_ / 2, row_floats = 2 * tables_.row_stride;
    const float* filter = request.filter;
    spectra_ = AlignedBuffer<float>(channels_ * count * 2 * m_);
    parallel_for(channels_, request.threads, request.cancel, [&](int64_t c) {
      Scratch scratch(2 * Scratch::padded(4 * count * row_floats));
      float* z = scratch.take<float>(count * row_floats);
      float* second = scratch.take<float>(count * row_floats);
      const float* k = filter + c * 2 * half;
      kernels_.comb_fold(tables_, k, nullptr, z);
      kernels_.comb_fold(tables_, k + half, nullptr, second);
      for (int64_t i = 0; i < count; ++i) {
        const int64_t r = rows_[static_cast<std::size_t>(i)];
        // The second half starts N/2 points later: exp(-i pi r).
        const float sign = r % 2 ? -1.0f : 1.0f;
        float* row = z + i * row_floats;
        const float* other = second + i * row_floats;
        for (int64_t p = 0; p < m_; ++p) {
          row[p] += sign * other[p];
          row[tables_.row_stride + p] += sign * other[tables_.row_stride + p];
        }
        float* out = &spectra_[(c * count + i) * 2 * m_];
        const FftTables<float>& fft = plans_[static_cast<std::size_t>(i)].tables();
        kernels_.f32.first_pass(fft, {row, row + tables_.row_stride, nullptr, nullptr}, out);
        kernels_.f32.forward(fft, out);
        const float scale = (r == 0 || r == modulus_ / 2 ? 1.0f : 2.0f) / static_cast<float>(2 * half);
        for (int64_t p = 0; p < 2 * m_; ++p) out[p] *= scale;
      }
    });
    clear_dropped(request.spec);
  }

  /// Bins that are not kept count as exactly 0: what rounding left there goes.
  void clear_dropped(const lc_convolution_spec& spec) {
    const int lanes = kernels_.f32.lanes;
    const int64_t count = static_cast<int64_t>(rows_.size());
    for (int64_t i = 0; i < count; ++i) {
      const FftPlan<float>& fft = plans_[static_cast<std::size_t>(i)];
      for (int64_t column = 0; column < m_ / lanes; ++column) {
        const int64_t base = lanes * fft.bin_of_column(column);
        for (int lane = 0; lane < lanes; ++lane) {
          const int64_t f = rows_[static_cast<std::size_t>(i)] + modulus_ * (base + lane);
          if (spec.kept[std::min(f, spec.fft_size - f)]) continue;
          for (int64_t c = 0; c < channels_; ++c) {
            float* at = &spectra_[(c * count + i) * 2 * m_ + column * 2 * lanes];
            at[lane] = at[lanes + lane] = 0.0f;
          }
        }
      }
    }
  }

  const KernelTable& kernels_;
  int64_t m_, modulus_, channels_;
  std::vector<int64_t> rows_;
  std::vector<FftPlan<float>> plans_;
  AlignedBuffer<float> cosine_, sine_, spectra_;
  CombTables tables_;
};

}  // namespace

std::unique_ptr<PreparedConvolution> prepare_comb_rows(const PrepareRequest& request) { return std::make_unique<CombRows>(request); }

}  // namespace longconv
