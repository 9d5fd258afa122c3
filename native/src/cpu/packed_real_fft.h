// Float64 transforms of two real rows packed as one complex row, of any power-of-two size.
#pragma once

#include <memory>

#include "fft_plan.h"

namespace longconv {

class PackedRealFft {
 public:
  /// The transform of n points, a power of two; throws Error otherwise. The last one of moderate size is kept: while a mask is dragged,
  /// every step asks for the same one, whose tables cost as much as the transform.
  static std::shared_ptr<const PackedRealFft> of(int64_t n);

  int64_t size() const { return n_; }
  /// Doubles that `work` of the calls below needs.
  int64_t work_size() const { return 2 * n_; }
  /// Calls visit(f, re, im) for every bin f, in the permuted order: its real and imaginary part are at work[re] and work[im].
  template <class Visit>
  void for_each_bin(Visit visit) const {
    for (int64_t column = 0; column < n_ / lanes_; ++column)
      for (int64_t lane = 0, at = 2 * lanes_ * column; lane < lanes_; ++lane) visit(lane + lanes_ * bin_of_column_[column], at + lane, at + lanes_ + lane);
  }

  /// work = permuted transform of re + i im (im may be null). re, im: [n].
  void forward(const double* re, const double* im, double* work) const;
  /// re + i im = inverse transform of the transform of re + i im times `spectrum`, a permuted array that carries 1 / n. In place; im may be
  /// null where `spectrum` is real and even.
  void filter(double* re, double* im, const double* spectrum, double* work, const int32_t* cancel) const;

 private:
  explicit PackedRealFft(int64_t n);
  void small_transform(const double* re, const double* im, double sign, double* out_re, double* out_im) const;

  int64_t n_;
  int lanes_;
  const KernelTable* kernels_ = nullptr;       ///< null for sizes below every kernel's minimum: these are summed directly
  std::unique_ptr<FftPlan<double>> plan_;
  AlignedBuffer<int64_t> bin_of_column_;
};

}  // namespace longconv
