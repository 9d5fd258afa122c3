// Float64 transforms of two real rows packed as one complex row, of any power-of-two size.
#pragma once

#include <memory>

#include "fft_plan.h"

namespace longconv {

class PackedRealFft {
 public:
  /// n: a power of two. Throws Error otherwise.
  explicit PackedRealFft(int64_t n);

  int64_t size() const { return n_; }
  /// Doubles that `work` of the calls below needs.
  int64_t work_size() const { return 2 * n_; }
  /// Bins f(p) of the permuted order, p in [0, n): element p is at element_of(p) (real part) and imaginary_of(p) of work.
  const int64_t* bins() const { return bins_.data(); }
  int64_t element_of(int64_t p) const { return p / lanes_ * 2 * lanes_ + p % lanes_; }
  int64_t imaginary_of(int64_t p) const { return element_of(p) + lanes_; }

  /// work = permuted transform of re + i im (im may be null). re, im: [n].
  void forward(const double* re, const double* im, double* work) const;
  /// re + i im = inverse transform of the transform of re + i im times `spectrum`, a permuted array that carries 1 / n. In place.
  void filter(double* re, double* im, const double* spectrum, double* work, const int32_t* cancel) const;

 private:
  void small_transform(const double* re, const double* im, double sign, double* out_re, double* out_im) const;

  int64_t n_;
  int lanes_;
  const KernelTable* kernels_ = nullptr;       ///< null for sizes below every kernel's minimum: these are summed directly
  std::unique_ptr<FftPlan<double>> plan_;
  AlignedBuffer<int64_t> bins_;
};

}  // namespace longconv
