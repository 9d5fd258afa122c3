#include "masked_filter.h"

#include <algorithm>
#include <cmath>
#include <memory>

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
  std::shared_ptr<const PackedRealFft> fft;
  if (job.fft_size) fft = PackedRealFft::of(job.fft_size);
  Scratch shared(fft ? Scratch::padded(8 * fft->work_size()) : 0);
  double* const spectrum = fft ? shared.take<double>(fft->work_size()) : nullptr;
  if (fft) {
    const double scale = 1.0 / static_cast<double>(job.fft_size);  // exact: a power of two
    fft->for_each_bin([&](int64_t f, int64_t re, int64_t im) {
      spectrum[re] = job.gain[std::min(f, job.fft_size - f)] * scale;
      spectrum[im] = 0.0;
    });
  }
  const int64_t lags = job.fft_size ? job.fft_size : job.taps;
  const int64_t width = job.want == MaskedRows::kGrid ? lags : job.taps;
  // The gain is real and even, so two channels go through one transform as real and imaginary part.
  parallel_for((job.channels + 1) / 2, job.threads, cancel, [&](int64_t pair) {
    const int64_t first = 2 * pair, count = std::min<int64_t>(2, job.channels - first);
    Scratch scratch(count * Scratch::padded(8 * lags) + (fft ? Scratch::padded(8 * fft->work_size()) : 0));
    double* rows[2] = {scratch.take<double>(lags), count == 2 ? scratch.take<double>(lags) : nullptr};
    for (int64_t i = 0; i < count; ++i) {
      std::copy_n(job.filter + (first + i) * job.taps, job.taps, rows[i]);
      std::fill(rows[i] + job.taps, rows[i] + lags, 0.0);
    }
    if (fft) fft->filter(rows[0], rows[1], spectrum, scratch.take<double>(fft->work_size()), cancel);
    if (cancelled(cancel)) return;
    for (int64_t i = 0; i < count; ++i) {
      weigh(job, rows[i], lags);
      measure(job, first + i, rows[i], lags, job.fft_size != 0);
      if (job.want != MaskedRows::kNone)
        for (int64_t j = 0; j < width; ++j) job.masked[(first + i) * width + j] = static_cast<float>(rows[i][j]);
    }
  });
}

void filter_spectra(const float* rows, int64_t count, int64_t taps, int64_t fft_size, SpectrumPart part, float* out, int32_t threads, const int32_t* cancel) {
  const std::shared_ptr<const PackedRealFft> fft = PackedRealFft::of(fft_size);
  const int64_t bins = fft_size / 2 + 1;
  parallel_for((count + 1) / 2, threads, cancel, [&](int64_t pair) {
    const int64_t first = 2 * pair, packed = std::min<int64_t>(2, count - first);
    Scratch scratch(2 * Scratch::padded(8 * fft_size) + Scratch::padded(8 * fft->work_size()));
    double* re = scratch.take<double>(fft_size);
    double* im = scratch.take<double>(fft_size);
    double* work = scratch.take<double>(fft->work_size());
    double* parts[2] = {re, im};
    for (int64_t i = 0; i < packed; ++i) {
      std::copy_n(rows + (first + i) * taps, taps, parts[i]);
      std::fill(parts[i] + taps, parts[i] + fft_size, 0.0);
    }
    fft->forward(re, packed == 2 ? im : nullptr, work);
    // Natural order, then X_a = (Z[f] + conj Z[-f]) / 2 and X_b = (Z[f] - conj Z[-f]) / 2i.
    fft->for_each_bin([&](int64_t f, int64_t at_re, int64_t at_im) {
      re[f] = work[at_re];
      im[f] = work[at_im];
    });
    // Squares of float32 samples and their sums neither overflow nor vanish in float64, so std::hypot's care is not needed.
    const auto part_of_twice = [part](double x, double y) { return static_cast<float>(part == SpectrumPart::kPhase ? std::atan2(y, x) : 0.5 * std::sqrt(x * x + y * y)); };
    for (int64_t f = 0; f < bins; ++f) {
      const int64_t mirror = f == 0 ? 0 : fft_size - f;
      out[first * bins + f] = part_of_twice(re[f] + re[mirror], im[f] - im[mirror]);
      if (packed == 2) out[(first + 1) * bins + f] = part_of_twice(im[f] + im[mirror], re[mirror] - re[f]);
    }
  });
}

}  // namespace longconv
