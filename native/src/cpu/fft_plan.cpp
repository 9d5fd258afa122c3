#include "fft_plan.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>

namespace longconv {

namespace {

/// exp(-2 pi i turns), exact to rounding: whole turns are removed first (turns is a dyadic fraction, so this loses nothing).
template <class T>
void unit(double turns, T* re_im) {
  const double angle = -2.0 * std::numbers::pi * (turns - std::floor(turns));
  re_im[0] = static_cast<T>(std::cos(angle));
  re_im[1] = static_cast<T>(std::sin(angle));
}

/// Columns whose twiddles come from one table of fine steps: small enough to stay in the nearest cache.
constexpr int64_t kFineColumns = 64;

}  // namespace

template <class T>
struct LevelTwiddles {
  int levels = 0;
  int radix[kMaxFftLevels] = {};
  int64_t span[kMaxFftLevels] = {};
  AlignedBuffer<T> table[kMaxFftLevels];

  explicit LevelTwiddles(int64_t columns) {
    int bits = 0;
    while ((int64_t{1} << bits) < columns) ++bits;
    // Radix 8 throughout; one or two radix-4 passes take what is left, first, where blocks are longest.
    int fours = bits % 3 == 0 ? 0 : bits % 3 == 2 ? 1 : 2;
    for (int64_t span_left = columns; span_left > 1;) {
      const int r = fours > 0 ? 4 : 8;
      if (fours > 0) --fours;
      radix[levels] = r;
      span[levels] = span_left;
      const int64_t steps = span_left / r;
      table[levels] = AlignedBuffer<T>(steps * (r - 1) * 2);
      T* out = table[levels].data();
      for (int64_t j = 0; j < steps; ++j)
        for (int q = 1; q < r; ++q, out += 2) unit(static_cast<double>(j * q) / static_cast<double>(span_left), out);
      span_left /= r;
      ++levels;
    }
  }
};

template <class T>
static std::shared_ptr<const LevelTwiddles<T>> shared_levels(int64_t columns) {
  static std::mutex mutex;
  static auto* cache = new std::map<int64_t, std::weak_ptr<const LevelTwiddles<T>>>;
  const std::lock_guard<std::mutex> lock(mutex);
  std::weak_ptr<const LevelTwiddles<T>>& slot = (*cache)[columns];
  std::shared_ptr<const LevelTwiddles<T>> levels = slot.lock();
  if (!levels) {
    levels = std::make_shared<const LevelTwiddles<T>>(columns);
    slot = levels;
  }
  return levels;
}

template <class T>
FftPlan<T>::FftPlan(int64_t n, int lanes, double alpha) : levels_(shared_levels<T>(n / lanes)) {
  FftTables<T>& t = tables_;
  t.n = n;
  t.lanes = lanes;
  t.columns = n / lanes;
  t.levels = levels_->levels;
  for (int i = 0; i < t.levels; ++i) {
    t.radix[i] = levels_->radix[i];
    t.span[i] = levels_->span[i];
    t.twiddle[i] = levels_->table[i].data();
  }
  t.fine_columns = std::min(kFineColumns, t.columns);
  const int64_t tiles = t.columns / t.fine_columns;
  fine_ = AlignedBuffer<T>(2 * lanes * t.fine_columns);
  coarse_ = AlignedBuffer<T>(2 * lanes * tiles);
  twist_ = AlignedBuffer<T>(2 * lanes);
  const double points = static_cast<double>(n);
  for (int r = 0; r < lanes; ++r) {
    unit(alpha * r / lanes, &twist_[2 * r]);
    for (int64_t l = 0; l < t.fine_columns; ++l) {
      T w[2];
      unit((r + alpha) * static_cast<double>(l) / points, w);
      fine_[2 * r * t.fine_columns + l] = w[0];
      fine_[(2 * r + 1) * t.fine_columns + l] = w[1];
    }
    for (int64_t tile = 0; tile < tiles; ++tile) unit((r + alpha) * static_cast<double>(tile * t.fine_columns) / points, &coarse_[2 * (tile * lanes + r)]);
  }
  t.fine = fine_.data();
  t.coarse = coarse_.data();
  t.twist = twist_.data();
  t.twisted = alpha != 0.0;
}

template <class T>
int64_t FftPlan<T>::bin_of_column(int64_t column) const {
  int64_t bin = 0, weight = 1;
  for (int level = 0; level < tables_.levels; ++level) {
    const int64_t sub = tables_.span[level] / tables_.radix[level];
    bin += weight * (column / sub);
    column %= sub;
    weight *= tables_.radix[level];
  }
  return bin;
}

template class FftPlan<float>;
template class FftPlan<double>;

}  // namespace longconv
