// Masks applied to filters in float64, and what they did; the spectrum of a filter.
#pragma once

#include <cstdint>

namespace longconv {

/// What a row of the result holds.
enum class MaskedRows { kNone, kCausal, kGrid };

struct MaskFilterJob {
  const float* filter;  ///< [channels, taps]
  int64_t channels;
  int64_t taps;
  int64_t fft_size;           ///< power of two >= taps; 0: no frequency mask
  const double* gain;         ///< [fft_size / 2 + 1], g(f) = g(-f)
  const double* lag_weights;  ///< [lag_count] for lags 0, 1, ..., every other lag becomes 0; null: no partial mask
  int64_t lag_count;
  MaskedRows want;
  float* masked;  ///< [channels, taps] for kCausal, [channels, fft_size] for kGrid
  double* energy;         ///< [channels] sum over lags 0..taps-1 of k^2
  double* error_energy;   ///< [channels] sum over lags 0..taps-1 of (k' - k)^2
  double* masked_energy;  ///< [channels] sum over all lags of k'^2
  double* leak_energy;    ///< [channels] sum over circular lags >= fft_size / 2 of k'^2
  int32_t threads;
};

/// Cost: one float64 transform of fft_size points, forward and back, for two channels. Throws Error.
void mask_filters(const MaskFilterJob& job, const int32_t* cancel);

/// What of a spectrum is wanted: |X|, or arg X in [-pi, pi].
enum class SpectrumPart { kMagnitude, kPhase };

/// out [rows, fft_size / 2 + 1] = that part of FFT_fftSize(row), computed in float64; rows [rows, taps], taps <= fft_size, a power of two.
void filter_spectra(const float* rows, int64_t count, int64_t taps, int64_t fft_size, SpectrumPart part, float* out, int32_t threads, const int32_t* cancel);

}  // namespace longconv
