// The order in which the columns of a signal are taken whose rows lie far apart.
#pragma once

#include "vector.h"

namespace longconv::LC_ISA_NAMESPACE {

/// Columns [c, c + step) of the rows of a signal, `columns` values apart, for c = 0, after(0), ... until after(c) is kNone, so that but for both ends no
/// vector of W values lies in two cache lines: rows a power of two apart push each other out before the rest of a line could be used. Some columns at
/// the ends are then taken twice. Rows that lie near each other are taken as they are.
template <int W, class T>
class ColumnSteps {
 public:
  static constexpr int64_t kNone = -1;

  ColumnSteps(const T* signal, int64_t columns, int64_t step) : first_(step), step_(step), last_(columns - step) {
    constexpr int64_t kBytes = static_cast<int64_t>(sizeof(T)), kNearRows = 2048;
    const int64_t over = static_cast<int64_t>(reinterpret_cast<uintptr_t>(signal) % (W * sizeof(T)));
    if (over != 0 && columns * kBytes > kNearRows) first_ = W - over / kBytes;
  }
  int64_t after(int64_t c) const {
    if (c == last_) return kNone;
    const int64_t next = c + (c == 0 ? first_ : step_);
    return next < last_ ? next : last_;
  }

 private:
  int64_t first_, step_, last_;
};

}  // namespace longconv::LC_ISA_NAMESPACE
