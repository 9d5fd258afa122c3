// The low bins of a filter on a grid as a filter on a coarser grid, in float64; and its spectrum for right-angle convolution.
#pragma once

#include <complex>
#include <memory>
#include <vector>

#include "longconv/convolution.h"
#include "packed_real_fft.h"

namespace longconv {

/// Of a filter on a grid of N bins, those that are kept below `band`, on a grid of M = N / decimation.
class LowBandFilter {
 public:
  /// `gain(f)`: multiplies bin f.
  template <class Gain>
  LowBandFilter(const lc_convolution_spec& spec, int64_t band, int64_t decimation, Gain gain) : LowBandFilter(spec.fft_size, band, decimation) {
    for (int64_t f = 0; f < band; ++f) gain_[static_cast<std::size_t>(f)] = spec.kept[f] ? gain(f) : 0.0;
  }
  /// out [M]: lags l mod M of the filter whose N lags are `row`, times N / M for the samples that a sum over them lacks. Cost: `decimation`
  /// float64 transforms of M / 2 points and one more; memory: 2 M + 2 band doubles.
  void lags(const float* row, double* out) const;

 private:
  LowBandFilter(int64_t fft_size, int64_t band, int64_t decimation);
  /// bins [band] of the filter; re, im [n], work: scratch.
  void low_bins(const float* row, std::complex<double>* bins, double* re, double* im, double* work) const;

  int64_t n_;  ///< M / 2
  int64_t decimation_;
  std::shared_ptr<const PackedRealFft> fft_;
  std::vector<double> gain_;                         ///< [band]
  std::vector<std::complex<double>> fine_turns_;    ///< [band]: exp(-2 pi i f / N)
  std::vector<std::complex<double>> coarse_turns_;  ///< [band]: exp(-2 pi i f / M)
};

/// Spectra of 2 n circular lags, where n is the length of a right-angle transform in float32: computed in float64 and rounded once.
class RightAngleSpectrum {
 public:
  RightAngleSpectrum(const FftPlan<float>& fft, const KernelTable& kernels);
  /// out [2 n], permuted as `fft` has it, times 1 / n. Uses up `lags` [2 n].
  void of(double* lags, float* out) const;

 private:
  const FftPlan<float>& fft_;
  const KernelTable& kernels_;
  FftPlan<double> exact_;
  std::vector<int64_t> place_;  ///< [n]: where the exact transform has the real part of each bin
};

}  // namespace longconv
