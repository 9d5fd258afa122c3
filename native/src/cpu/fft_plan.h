// Tables of the twisted FFT (kernels/twisted_fft.h): twiddles in float64, rounded once to T.
#pragma once

#include <memory>

#include "aligned_buffer.h"
#include "kernel_table.h"

namespace longconv {

/// Twiddles of the passes after the first, shared by all plans with as many columns.
template <class T>
struct LevelTwiddles;

template <class T>
class FftPlan {
 public:
  /// n: power of two >= minimum_points(lanes). alpha: frequency shift in bins.
  FftPlan(int64_t n, int lanes, double alpha);
  const FftTables<T>& tables() const { return tables_; }
  /// Bin f = r + lanes * bin_of_column(column) is at lane r of that column of the permuted spectrum.
  int64_t bin_of_column(int64_t column) const;
  static int64_t minimum_points(int lanes) { return lanes * lanes > 16 ? lanes * lanes : 16; }

 private:
  std::shared_ptr<const LevelTwiddles<T>> levels_;
  AlignedBuffer<T> fine_, coarse_, twist_;
  FftTables<T> tables_;
};

extern template class FftPlan<float>;
extern template class FftPlan<double>;

}  // namespace longconv
