// Frequency-sparse convolution on a grid of N bins: only the rows f mod N1 = r that hold kept bins are computed.
//
// fold (kernels/comb_fold.h) makes row r of M = N / N1 points; its M-point transform with alpha = r / N1 gives the bins r + N1 g; the
// product, the inverse and unfold bring the row's share of the output. Rows r and N1 - r are conjugate, so r <= N1 / 2, counted twice
// by the spectrum's scale. Rows 0 and N1 / 2 are real and take transforms of half the points (plan/comb_split.h). Rows that are not kept cost no
// arithmetic, no memory and no filter bytes.
//
// Items: (batch, channel). Memory per thread: 2 M floats for each kept row, 2 M work, and N/2 where the row has to be padded.
#include <cmath>
#include <cstdlib>
#include <numbers>
#include <vector>

#include "../../plan/comb_split.h"
#include "../prepared_convolution.h"

namespace longconv {

namespace {

/// One transform of the folded rows z, and the bins of the grid that its bins are.
struct Part {
  FftPlan<float> fft;
  int64_t re, im;  ///< where in z its points are; im < 0: they are real
  int64_t first_bin, bin_step;
  float scale;
  int64_t spectrum;  ///< where in the spectra of a channel it has its own
};
constexpr int64_t kReal = -1;

class CombRows final : public PreparedConvolution {
 public:
  explicit CombRows(const PrepareRequest& request)
      : kernels_(kernels_for_transform(request.kernels, request.plan.transform_length)),
        m_(request.plan.transform_length),
        modulus_(request.plan.comb_modulus),
        channels_(request.spec.channels),
        remainder_(m_) {
    choose_rows(request.spec);
    const int64_t width = modulus_ / 4 + 1, count = static_cast<int64_t>(rows_.size());
    cosine_ = AlignedBuffer<float>(count * width);
    sine_ = AlignedBuffer<float>(count * width);
    for (int64_t i = 0; i < count; ++i) {
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
    choose_parts();
    prepare(request);
  }

  int64_t item_count(const lc_convolution_call& call) const override { return call.batch * channels_; }

  void run_item(const lc_convolution_call& call, int64_t item, const int32_t* cancel) const override {
    const int64_t channel = item % channels_, padded = m_ * modulus_ / 2;
    const Row row = row_of(call, item / channels_, channel);
    const bool direct = row.length == padded;
    Scratch scratch(Scratch::padded(4 * folded_floats()) + Scratch::padded(8 * m_) + (direct ? 0 : Scratch::padded(4 * padded)));
    float* z = scratch.take<float>(folded_floats());
    float* work = scratch.take<float>(2 * m_);
    float* stage = direct ? nullptr : scratch.take<float>(padded);
    if (!direct) {
      kernels_.gate_copy(stage, row.input, row.pre, row.length);
      std::fill(stage + row.length, stage + padded, 0.0f);
    }
    if (direct) kernels_.comb_fold(tables_, row.input, row.pre, z);
    else kernels_.comb_fold(tables_, stage, nullptr, z);
    split(z);
    Touch touch = touch_after(call, row);
    touch.pace = static_cast<int32_t>((row.length + points_ - 1) / std::max<int64_t>(1, points_));
    for (const Part& part : parts_) {
      if (cancelled(cancel)) return;
      const FftTables<float>& fft = part.fft.tables();
      float* re = z + part.re;
      float* im = part.im == kReal ? nullptr : z + part.im;
      kernels_.f32.first_pass(fft, {re, im, nullptr, nullptr}, work);
      kernels_.f32.convolve(fft, work, &spectra_[channel * spectrum_floats_ + part.spectrum], &touch, cancel);
      LastPassSink<float> sink{};
      sink.re = re;
      sink.im = im;
      kernels_.f32.last_pass(fft, work, sink);
    }
    if (cancelled(cancel)) return;
    join(z);
    if (direct) {
      kernels_.comb_unfold(tables_, z, row.output, row.epilogue(0));
    } else {
      kernels_.comb_unfold(tables_, z, stage, {});
      kernels_.finish(row.output, stage, row.epilogue(0), row.length, false);
    }
  }

 private:
  /// Real rows first, then even ones, as comb_fold wants them.
  void choose_rows(const lc_convolution_spec& spec) {
    std::vector<uint8_t> kept(static_cast<std::size_t>(modulus_ / 2 + 1), 0);
    for (int64_t f = 0; f <= spec.fft_size / 2; ++f)
      if (spec.kept[f]) kept[static_cast<std::size_t>(std::min(f % modulus_, modulus_ - f % modulus_))] = 1;
    const auto add = [&](int64_t from, int64_t to, int64_t step) {
      for (int64_t r = from; r <= to; r += step)
        if (kept[static_cast<std::size_t>(r)]) rows_.push_back(r);
      return static_cast<int32_t>(rows_.size());
    };
    tables_.real_rows = add(0, modulus_ / 2, modulus_ / 2);
    tables_.even_rows = add(2, modulus_ / 2 - 2, 2);
    add(1, modulus_ / 2 - 1, 2);
  }

  void choose_parts() {
    const int64_t shortest = FftPlan<float>::minimum_points(kernels_.f32.lanes), grid = m_ * modulus_;
    const float once = 1.0f / static_cast<float>(grid), twice = 2 * once;
    const auto add_part = [&](int64_t re, int64_t im, int64_t n, double alpha, int64_t first_bin, int64_t bin_step, float scale) {
      parts_.push_back({FftPlan<float>(n, kernels_.f32.lanes, alpha), re, im, first_bin, bin_step, scale, spectrum_floats_});
      spectrum_floats_ += 2 * n;
      points_ += n;
    };
    // `points` real points modulo z^points + 1: the transform's bin f is at (4 f - 1) / (2 points) of the grid.
    const auto add_negacyclic = [&](int64_t at, int64_t points) {
      const int64_t unit = grid / (2 * points);
      add_part(at, at + points / 2, points / 2, -0.25, -unit, 4 * unit, twice);
    };
    for (int64_t i = 0; i < static_cast<int64_t>(rows_.size()); ++i) {
      const int64_t r = rows_[static_cast<std::size_t>(i)], at = 2 * i * tables_.row_stride;
      if (r == 0) {
        remainder_ = cyclic_remainder(m_, shortest);
        for (int64_t half = m_ / 2; half >= remainder_; half /= 2) add_negacyclic(at + half, half);
        add_part(at, kReal, remainder_, 0, 0, grid / remainder_, once);
      } else if (r == modulus_ / 2 && m_ / 2 >= shortest) {
        add_negacyclic(at, m_);
      } else {
        const bool real = r == modulus_ / 2;
        add_part(at, real ? kReal : at + tables_.row_stride, m_, static_cast<double>(r) / static_cast<double>(modulus_), r, modulus_, real ? once : twice);
      }
    }
  }

  int64_t folded_floats() const { return static_cast<int64_t>(rows_.size()) * 2 * tables_.row_stride; }

  /// Row 0, where it is kept (then it is the first one), to its differences, the longest last, and the remainder; and back, where the spectra make up
  /// for the factors of 2.
  void split(float* z) const {
    for (int64_t half = m_ / 2; half >= remainder_; half /= 2) kernels_.sums_and_differences(z, half);
  }
  void join(float* z) const {
    for (int64_t half = remainder_; half < m_; half *= 2) kernels_.sums_and_differences(z, half);
  }

  /// Spectra [channel][part][2 n] of the whole N-point filter: its N lags are two halves of what comb_fold takes.
  void prepare(const PrepareRequest& request) {
    const int64_t half = m_ * modulus_ / 2;
    spectra_ = AlignedBuffer<float>(channels_ * spectrum_floats_);
    parallel_for(channels_, request.threads, request.cancel, [&](int64_t c) {
      Scratch scratch(2 * Scratch::padded(4 * folded_floats()));
      float* z = scratch.take<float>(folded_floats());
      float* second = scratch.take<float>(folded_floats());
      const float* k = request.filter + c * 2 * half;
      kernels_.comb_fold(tables_, k, nullptr, z);
      kernels_.comb_fold(tables_, k + half, nullptr, second);
      for (std::size_t i = 0; i < rows_.size(); ++i) {
        // The second half starts N/2 points later: exp(-i pi r).
        const float sign = rows_[i] % 2 ? -1.0f : 1.0f;
        const int64_t at = 2 * static_cast<int64_t>(i) * tables_.row_stride;
        add_scaled(z + at, second + at, sign);
        if (static_cast<int32_t>(i) >= tables_.real_rows) add_scaled(z + at + tables_.row_stride, second + at + tables_.row_stride, sign);
      }
      split(z);
      for (const Part& part : parts_) {
        const FftTables<float>& fft = part.fft.tables();
        float* out = &spectra_[c * spectrum_floats_ + part.spectrum];
        kernels_.f32.first_pass(fft, {z + part.re, part.im == kReal ? nullptr : z + part.im, nullptr, nullptr}, out);
        kernels_.f32.forward(fft, out);
        for (int64_t p = 0; p < 2 * fft.n; ++p) out[p] *= part.scale;
      }
    });
    clear_dropped(request.spec);
  }
  void add_scaled(float* sum, const float* other, float factor) const {
    for (int64_t p = 0; p < m_; ++p) sum[p] += factor * other[p];
  }

  /// Bins that are not kept count as exactly 0: what rounding left there goes.
  void clear_dropped(const lc_convolution_spec& spec) {
    const int lanes = kernels_.f32.lanes;
    for (const Part& part : parts_) {
      for (int64_t column = 0; column < part.fft.tables().columns; ++column) {
        const int64_t base = lanes * part.fft.bin_of_column(column);
        for (int lane = 0; lane < lanes; ++lane) {
          const int64_t f = std::abs(part.first_bin + part.bin_step * (base + lane));
          if (spec.kept[std::min(f, spec.fft_size - f)]) continue;
          for (int64_t c = 0; c < channels_; ++c) {
            float* at = &spectra_[c * spectrum_floats_ + part.spectrum + column * 2 * lanes];
            at[lane] = at[lanes + lane] = 0.0f;
          }
        }
      }
    }
  }

  const KernelTable& kernels_;
  int64_t m_, modulus_, channels_, spectrum_floats_ = 0, points_ = 0;
  int64_t remainder_;  ///< points of row 0 that are not split on: all, where it is not kept
  std::vector<int64_t> rows_;
  std::vector<Part> parts_;
  AlignedBuffer<float> cosine_, sine_, spectra_;
  CombTables tables_;
};

}  // namespace

std::unique_ptr<PreparedConvolution> prepare_comb_rows(const PrepareRequest& request) { return std::make_unique<CombRows>(request); }

}  // namespace longconv
