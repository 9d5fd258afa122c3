#include "low_band_filter.h"

#include <cmath>
#include <numbers>

namespace longconv {

LowBandFilter::LowBandFilter(int64_t fft_size, int64_t band, int64_t decimation)
    : m_(fft_size / decimation), decimation_(decimation), fft_(PackedRealFft::of(m_)), gain_(static_cast<std::size_t>(band)), turns_(static_cast<std::size_t>(2 * band)) {
  for (int64_t f = 0; f < band; ++f) {
    const double angle = -2 * std::numbers::pi * static_cast<double>(f) / static_cast<double>(fft_size);
    turns_[static_cast<std::size_t>(2 * f)] = std::cos(angle);
    turns_[static_cast<std::size_t>(2 * f + 1)] = std::sin(angle);
  }
}

// With w = exp(-2 pi i f / N) and S_d the transform of the lags d, d + D, d + 2 D, ..., bin f is S_0 + w (S_1 + w (S_2 + ...)). Two of
// them are real and imaginary part of one transform Z: S_d = (Z[f] + conj Z[-f]) / 2, S_{d+1} = (Z[f] - conj Z[-f]) / 2i.
void LowBandFilter::lags(const float* row, double* out) const {
  const int64_t band = static_cast<int64_t>(gain_.size());
  Scratch scratch(2 * Scratch::padded(8 * m_) + Scratch::padded(8 * fft_->work_size()) + Scratch::padded(16 * band));
  double* re = scratch.take<double>(m_);
  double* im = scratch.take<double>(m_);
  double* work = scratch.take<double>(fft_->work_size());
  double* bins = scratch.take<double>(2 * band);
  std::fill(bins, bins + 2 * band, 0.0);
  for (int64_t d = decimation_ - 2; d >= 0; d -= 2) {
    for (int64_t t = 0; t < m_; ++t) {
      re[t] = row[t * decimation_ + d];
      im[t] = row[t * decimation_ + d + 1];
    }
    fft_->forward(re, im, work);
    fft_->for_each_bin([&](int64_t f, int64_t at_re, int64_t at_im) {
      re[f] = work[at_re];
      im[f] = work[at_im];
    });
    for (int64_t f = 0; f < band; ++f) {
      const int64_t mirror = f == 0 ? 0 : m_ - f;
      const double c = turns_[static_cast<std::size_t>(2 * f)], s = turns_[static_cast<std::size_t>(2 * f + 1)];
      const auto turn_and_add = [&](double x, double y) {
        const double turned = bins[2 * f] * c - bins[2 * f + 1] * s;
        bins[2 * f + 1] = bins[2 * f] * s + bins[2 * f + 1] * c + y;
        bins[2 * f] = turned + x;
      };
      turn_and_add(0.5 * (im[f] + im[mirror]), 0.5 * (re[mirror] - re[f]));
      turn_and_add(0.5 * (re[f] + re[mirror]), 0.5 * (im[f] - im[mirror]));
    }
  }
  // The inverse transform of a real row's bins is the forward one of their conjugates. Over M, and times D for the samples left out.
  std::fill(re, re + m_, 0.0);
  std::fill(im, im + m_, 0.0);
  const double scale = static_cast<double>(decimation_) / static_cast<double>(m_);
  for (int64_t f = 0; f < band; ++f) {
    const int64_t mirror = f == 0 ? 0 : m_ - f;
    const double g = gain_[static_cast<std::size_t>(f)] * scale;
    re[f] = re[mirror] = g * bins[2 * f];
    im[f] = -g * bins[2 * f + 1];
    im[mirror] = f == 0 ? 0.0 : -im[f];
  }
  fft_->forward(re, im, work);
  fft_->for_each_bin([&](int64_t lag, int64_t at_re, int64_t) { out[lag] = work[at_re]; });
}

RightAngleSpectrum::RightAngleSpectrum(const FftPlan<float>& fft, const KernelTable& kernels)
    : fft_(fft), kernels_(kernels), exact_(fft.tables().n, kernels.f64.lanes, -0.25), place_(static_cast<std::size_t>(fft.tables().n)) {
  const int64_t lanes = kernels.f64.lanes;
  for (int64_t column = 0; column < exact_.tables().columns; ++column)
    for (int64_t lane = 0, bin = lanes * exact_.bin_of_column(column); lane < lanes; ++lane) place_[static_cast<std::size_t>(bin + lane)] = 2 * lanes * column + lane;
}

// In the ring z^n = i lag l is z^l, and lag l - 2 n, which is the same one, is -z^l: lags 0 .. n - 1 are the real part, and those from n on,
// lags -n .. -1, are -i z^(n + lag).
void RightAngleSpectrum::of(const double* lags, float* out) const {
  const int64_t n = fft_.tables().n, lanes = kernels_.f32.lanes, exact_lanes = kernels_.f64.lanes;
  Scratch scratch(Scratch::padded(8 * n) + Scratch::padded(16 * n));
  double* negative = scratch.take<double>(n);
  double* work = scratch.take<double>(2 * n);
  for (int64_t l = 0; l < n; ++l) negative[l] = -lags[n + l];
  kernels_.f64.first_pass(exact_.tables(), {lags, negative, nullptr, nullptr}, work);
  kernels_.f64.forward(exact_.tables(), work);
  const double scale = 1.0 / static_cast<double>(n);
  for (int64_t column = 0; column < fft_.tables().columns; ++column)
    for (int64_t lane = 0, bin = lanes * fft_.bin_of_column(column); lane < lanes; ++lane) {
      const double* at = work + place_[static_cast<std::size_t>(bin + lane)];
      out[2 * lanes * column + lane] = static_cast<float>(at[0] * scale);
      out[2 * lanes * column + lanes + lane] = static_cast<float>(at[exact_lanes] * scale);
    }
}

}  // namespace longconv
