#include "masked_filter.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "packed_real_fft.h"
#include "thread_pool.h"

namespace longconv {

namespace {

/// Measures one masked row: k' has `lags` circular lags, the filter the first `taps` of them.
void measure(const MaskFilterJob& job, int64_t channel, const double* masked, int64_t lags, bool circular) {
  const float* k = job.filter + channel * job.taps;
  double energy = 0, error = 0, total = 0, leak = 0;
  for (int64_t j = 0; j < job.taps; ++j) {
    const double difference = masked[j] - k[j];
    energy += static_cast<double>(k[j]) * k[j];
    error += difference * difference;
  }
  for (int64_t j = 0; j < lags; ++j) total += masked[j] * masked[j];
  for (int64_t j = lags / 2; circular && j < lags; ++j) leak += masked[j] * masked[j];
  job.energy[channel] = energy;
  job.error_energy[channel] = error;
  job.masked_energy[channel] = total;
  job.leak_energy[channel] = leak;
}

void weigh(const MaskFilterJob& job, double* row, int64_t lags) {
  if (!job.lag_weights) return;
  const int64_t weighed = std::min(lags, job.lag_count);
  for (int64_t j = 0; j < weighed; ++j) row[j] *= job.lag_weights[j];
  std::fill(row + weighed, row + lags, 0.0);
}

}  // namespace

void mask_filters(const MaskFilterJob& job, const int32_t* cancel) {
  std::optional<PackedRealFft> fft;
  AlignedBuffer<double> spectrum;
  if (job.fft_size) {
    fft.emplace(job.fft_size);
    spectrum = AlignedBuffer<double>(fft->work_size());
    for (int64_t p = 0; p < job.fft_size; ++p) {
      const int64_t f = fft->bins()[p];
      spectrum[fft->element_of(p)] = job.gain[std::min(f, job.fft_size - f)] / static_cast<double>(job.fft_size);
      spectrum[fft->imaginary_of(p)] = 0.0;
    }
  }
  const int64_t lags = job.fft_size ? job.fft_size : job.taps;
  const int64_t width = job.want == MaskedRows::kGrid ? lags : job.taps;
  // The gain is real and even, so two channels go through one transform as real and imaginary part.
  parallel_for((job.channels + 1) / 2, job.threads, cancel, [&](int64_t pair) {
    const int64_t first = 2 * pair, count = std::min<int64_t>(2, job.channels - first);
    Scratch scratch(2 * Scratch::padded(8 * lags) + (fft ? Scratch::padded(8 * fft->work_size()) : 0));
    double* rows[2] = {scratch.take<double>(lags), scratch.take<double>(lags)};
    for (int64_t i = 0; i < 2; ++i) {
      std::fill(rows[i], rows[i] + lags, 0.0);
      if (i < count) std::copy_n(job.filter + (first + i) * job.taps, job.taps, rows[i]);
    }
    if (fft) fft->filter(rows[0], rows[1], spectrum.data(), scratch.take<double>(fft->work_size()), cancel);
    if (cancelled(cancel)) return;
    for (int64_t i = 0; i < count; ++i) {
      weigh(job, rows[i], lags);
      measure(job, first + i, rows[i], lags, job.fft_size != 0);
      if (job.want != MaskedRows::kNone)
        for (int64_t j = 0; j < width; ++j) job.masked[(first + i) * width + j] = static_cast<float>(rows[i][j]);
    }
  });
}

void magnitude_spectra(const float* rows, int64_t count, int64_t taps, int64_t fft_size, float* out, int32_t threads, const int32_t* cancel) {
  const PackedRealFft fft(fft_size);
  const int64_t bins = fft_size / 2 + 1;
  parallel_for((count + 1) / 2, threads, cancel, [&](int64_t pair) {
    const int64_t first = 2 * pair, packed = std::min<int64_t>(2, count - first);
    Scratch scratch(2 * Scratch::padded(8 * fft_size) + Scratch::padded(8 * fft.work_size()));
    double* re = scratch.take<double>(fft_size);
    double* im = scratch.take<double>(fft_size);
    double* work = scratch.take<double>(fft.work_size());
    double* parts[2] = {re, im};
    for (int64_t i = 0; i < 2; ++i) {
      std::fill(parts[i], parts[i] + fft_size, 0.0);
      if (i < packed) std::copy_n(rows + (first + i) * taps, taps, parts[i]);
    }
    fft.forward(re, im, work);
    // Natural order, then X_a = (Z[f] + conj Z[-f]) / 2 and X_b = (Z[f] - conj Z[-f]) / 2i.
    for (int64_t p = 0; p < fft_size; ++p) {
      re[fft.bins()[p]] = work[fft.element_of(p)];
      im[fft.bins()[p]] = work[fft.imaginary_of(p)];
    }
    for (int64_t f = 0; f < bins; ++f) {
      const int64_t mirror = (fft_size - f) % fft_size;
      out[first * bins + f] = static_cast<float>(0.5 * std::hypot(re[f] + re[mirror], im[f] - im[mirror]));
      if (packed == 2) out[(first + 1) * bins + f] = static_cast<float>(0.5 * std::hypot(im[f] + im[mirror], re[mirror] - re[f]));
    }
  });
}

}  // namespace longconv
