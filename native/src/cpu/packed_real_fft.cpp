#include "packed_real_fft.h"

#include <cmath>
#include <mutex>
#include <numbers>

#include "../plan/cost_model.h"
#include "../status.h"
#include "dispatch.h"

namespace longconv {

namespace {

/// Transforms up to this size are kept (12 MB of tables): beyond it the memory is worth more than the time.
constexpr int64_t kKeptPoints = int64_t{1} << 22;

}  // namespace

std::shared_ptr<const PackedRealFft> PackedRealFft::of(int64_t n) {
  static std::mutex mutex;
  static auto* last = new std::shared_ptr<const PackedRealFft>;  // never destroyed: worker threads may outlive main
  {
    const std::lock_guard<std::mutex> lock(mutex);
    if (*last && (*last)->size() == n) return *last;
  }
  std::shared_ptr<const PackedRealFft> made(new PackedRealFft(n));
  if (n <= kKeptPoints) {
    const std::lock_guard<std::mutex> lock(mutex);
    *last = made;
  }
  return made;
}

PackedRealFft::PackedRealFft(int64_t n) : n_(n), lanes_(1) {
  if (!is_power_of_two(n)) fail(LC_NOT_SUPPORTED, "The FFT size %lld is not a power of two; the kernels compute powers of two.", static_cast<long long>(n));
  for (const KernelTable* table : available_kernels())
    if (FftPlan<double>::minimum_points(table->f64.lanes) <= n) kernels_ = table;
  if (kernels_) {
    lanes_ = kernels_->f64.lanes;
    plan_ = std::make_unique<FftPlan<double>>(n, lanes_, 0.0);
  }
  bin_of_column_ = AlignedBuffer<int64_t>(n / lanes_);
  for (int64_t column = 0; column < n / lanes_; ++column) bin_of_column_[column] = plan_ ? plan_->bin_of_column(column) : column;
}

void PackedRealFft::forward(const double* re, const double* im, double* work) const {
  if (kernels_) {
    kernels_->f64.first_pass(plan_->tables(), {re, im, nullptr, nullptr}, work);
    kernels_->f64.forward(plan_->tables(), work);
    return;
  }
  double out[2][16];
  small_transform(re, im, -1.0, out[0], out[1]);
  for_each_bin([&](int64_t f, int64_t at_re, int64_t at_im) {
    work[at_re] = out[0][f];
    work[at_im] = out[1][f];
  });
}

void PackedRealFft::filter(double* re, double* im, const double* spectrum, double* work, const int32_t* cancel) const {
  if (kernels_) {
    kernels_->f64.first_pass(plan_->tables(), {re, im, nullptr, nullptr}, work);
    kernels_->f64.convolve(plan_->tables(), work, spectrum, nullptr, cancel);
    LastPassSink<double> sink{};
    sink.re = re;
    sink.im = im;
    kernels_->f64.last_pass(plan_->tables(), work, sink);
    return;
  }
  double out[2][16];
  small_transform(re, im, -1.0, out[0], out[1]);
  for_each_bin([&](int64_t f, int64_t at_re, int64_t at_im) {
    const double g_re = spectrum[at_re], g_im = spectrum[at_im];
    const double x = out[0][f] * g_re - out[1][f] * g_im, y = out[0][f] * g_im + out[1][f] * g_re;
    out[0][f] = x;
    out[1][f] = y;
  });
  double back[2][16];
  small_transform(out[0], out[1], 1.0, back[0], back[1]);
  for (int64_t p = 0; p < n_; ++p) {
    re[p] = back[0][p];
    if (im) im[p] = back[1][p];
  }
}

void PackedRealFft::small_transform(const double* re, const double* im, double sign, double* out_re, double* out_im) const {
  for (int64_t f = 0; f < n_; ++f) {
    out_re[f] = out_im[f] = 0.0;
    for (int64_t t = 0; t < n_; ++t) {
      const double angle = sign * 2 * std::numbers::pi * static_cast<double>(f * t % n_) / static_cast<double>(n_);
      const double c = std::cos(angle), s = std::sin(angle), y = im ? im[t] : 0.0;
      out_re[f] += re[t] * c - y * s;
      out_im[f] += re[t] * s + y * c;
    }
  }
}

}  // namespace longconv
