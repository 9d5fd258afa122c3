#include "low_band_filter.h"

#include <cmath>
#include <numbers>

namespace longconv {

namespace {

/// exp(-2 pi i f / points) for f < count.
std::vector<std::complex<double>> unit_turns(int64_t count, int64_t points) {
  std::vector<std::complex<double>> turns;
  for (int64_t f = 0; f < count; ++f) turns.push_back(std::polar(1.0, -2 * std::numbers::pi * static_cast<double>(f) / static_cast<double>(points)));
  return turns;
}

}  // namespace

LowBandFilter::LowBandFilter(int64_t fft_size, int64_t band, int64_t decimation)
    : n_(fft_size / decimation / 2),
      decimation_(decimation),
      fft_(PackedRealFft::of(n_)),
      gain_(static_cast<std::size_t>(band)),
      fine_turns_(unit_turns(band, fft_size)),
      coarse_turns_(unit_turns(band, 2 * n_)) {}

void LowBandFilter::lags(const float* row, double* out) const {
  const int64_t band = static_cast<int64_t>(gain_.size());
  Scratch scratch(2 * Scratch::padded(8 * n_) + Scratch::padded(8 * fft_->work_size()) + Scratch::padded(16 * band));
  double* re = scratch.take<double>(n_);
  double* im = scratch.take<double>(n_);
  double* work = scratch.take<double>(fft_->work_size());
  auto* bins = scratch.take<std::complex<double>>(band);
  low_bins(row, bins, re, im, work);
  // The inverse of the coarse grid's 2 n bins K, for real lags: of n bins, with the even lags as real and the odd ones as imaginary part,
  // (K[f] + K[f + n]) / 2 + i exp(2 pi i f / 2 n) (K[f] - K[f + n]) / 2. Computed as the conjugate of the transform of their conjugates.
  std::fill(re, re + n_, 0.0);
  std::fill(im, im + n_, 0.0);
  const double scale = 0.5 * static_cast<double>(decimation_) / static_cast<double>(n_);
  const auto add = [&](int64_t f, std::complex<double> half_bin, std::complex<double> turn) {
    const std::complex<double> sum = half_bin + std::complex<double>(-turn.imag(), turn.real()) * half_bin;
    re[f] += sum.real();
    im[f] -= sum.imag();
  };
  for (int64_t f = 0; f < band; ++f) {
    const auto i = static_cast<std::size_t>(f);
    const std::complex<double> half_bin = scale * gain_[i] * bins[f];
    add(f, half_bin, std::conj(coarse_turns_[i]));
    // Its mirror, bin 2 n - f, is f' + n with f' = n - f, where exp(2 pi i f' / 2 n) is minus this turn.
    if (f > 0) add(n_ - f, std::conj(half_bin), coarse_turns_[i]);
  }
  fft_->forward(re, im, work);
  fft_->for_each_bin([&](int64_t pair, int64_t at_re, int64_t at_im) {
    out[2 * pair] = work[at_re];
    out[2 * pair + 1] = -work[at_im];
  });
}

// With Q = N / n sequences of n lags, w = exp(-2 pi i f / N), and S_d the transform of lags d, d + Q, d + 2 Q, ..., bin f is
// S_0 + w (S_1 + w (S_2 + ...)). Two of them are real and imaginary part of one transform Z: S_d = (Z[f] + conj Z[-f]) / 2 and
// S_{d+1} = (Z[f] - conj Z[-f]) / 2i.
void LowBandFilter::low_bins(const float* row, std::complex<double>* bins, double* re, double* im, double* work) const {
  const int64_t band = static_cast<int64_t>(gain_.size()), sequences = 2 * decimation_;
  std::fill(bins, bins + band, 0.0);
  for (int64_t d = sequences - 2; d >= 0; d -= 2) {
    for (int64_t t = 0; t < n_; ++t) {
      re[t] = row[t * sequences + d];
      im[t] = row[t * sequences + d + 1];
    }
    fft_->forward(re, im, work);
    fft_->for_each_bin([&](int64_t f, int64_t at_re, int64_t at_im) {
      re[f] = work[at_re];
      im[f] = work[at_im];
    });
    for (int64_t f = 0; f < band; ++f) {
      const int64_t mirror = f == 0 ? 0 : n_ - f;
      const std::complex<double> turn = fine_turns_[static_cast<std::size_t>(f)];
      bins[f] = bins[f] * turn + std::complex<double>(0.5 * (im[f] + im[mirror]), 0.5 * (re[mirror] - re[f]));
      bins[f] = bins[f] * turn + std::complex<double>(0.5 * (re[f] + re[mirror]), 0.5 * (im[f] - im[mirror]));
    }
  }
}

RightAngleSpectrum::RightAngleSpectrum(const FftPlan<float>& fft, const KernelTable& kernels)
    : fft_(fft), kernels_(kernels), exact_(fft.tables().n, kernels.f64.lanes, -0.25), place_(static_cast<std::size_t>(fft.tables().n)) {
  const int64_t lanes = kernels.f64.lanes;
  for (int64_t column = 0; column < exact_.tables().columns; ++column)
    for (int64_t lane = 0, bin = lanes * exact_.bin_of_column(column); lane < lanes; ++lane) place_[static_cast<std::size_t>(bin + lane)] = 2 * lanes * column + lane;
}

// In the ring z^n = i lag l is z^l, and lag l - 2 n, which is the same one, is -z^l: lags 0 .. n - 1 are the real part, and those from n on,
// lags -n .. -1, are -i z^(n + lag).
void RightAngleSpectrum::of(double* lags, float* out) const {
  const int64_t n = fft_.tables().n, lanes = kernels_.f32.lanes, exact_lanes = kernels_.f64.lanes;
  Scratch scratch(Scratch::padded(16 * n));
  double* work = scratch.take<double>(2 * n);
  double* negative = lags + n;
  for (int64_t l = 0; l < n; ++l) negative[l] = -negative[l];
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
