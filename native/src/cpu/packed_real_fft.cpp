#include "packed_real_fft.h"

#include <cmath>
#include <numbers>

#include "../plan/cost_model.h"
#include "../status.h"
#include "dispatch.h"

namespace longconv {

PackedRealFft::PackedRealFft(int64_t n) : n_(n), lanes_(1), bins_(n) {
  if (!is_power_of_two(n)) fail(LC_NOT_SUPPORTED, "The FFT size %lld is not a power of two; the kernels compute powers of two.", static_cast<long long>(n));
  for (const KernelTable* table : available_kernels())
    if (FftPlan<double>::minimum_points(table->f64.lanes) <= n) kernels_ = table;
  if (!kernels_) {
    for (int64_t p = 0; p < n; ++p) bins_[p] = p;
    return;
  }
  lanes_ = kernels_->f64.lanes;
  plan_ = std::make_unique<FftPlan<double>>(n, lanes_, 0.0);
  for (int64_t p = 0; p < n; ++p) bins_[p] = p % lanes_ + lanes_ * plan_->bin_of_column(p / lanes_);
}

void PackedRealFft::forward(const double* re, const double* im, double* work) const {
  if (kernels_) {
    kernels_->f64.first_pass(plan_->tables(), {re, im, nullptr, nullptr}, work);
    kernels_->f64.forward(plan_->tables(), work);
    return;
  }
  double out[2][16];
  small_transform(re, im, -1.0, out[0], out[1]);
  for (int64_t p = 0; p < n_; ++p) {
    work[element_of(p)] = out[0][p];
    work[imaginary_of(p)] = out[1][p];
  }
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
  for (int64_t p = 0; p < n_; ++p) {
    const double g_re = spectrum[element_of(p)], g_im = spectrum[imaginary_of(p)];
    const double x = out[0][p] * g_re - out[1][p] * g_im, y = out[0][p] * g_im + out[1][p] * g_re;
    out[0][p] = x;
    out[1][p] = y;
  }
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
