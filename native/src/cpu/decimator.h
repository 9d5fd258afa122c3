// A row at a lower sampling rate and back, through the chain of halvings of plan/halving_filter.h.
//
//   down: v[m] = sum_i g_s[i] v'[2m - i], stage by stage from x (zeros around it); m = 0 .. halved length - 1
//   up:   the adjoint, y[t] = sum_i g_s[i] w'[(t + i) / 2] over i = t mod 2
//
// Delays of the two cancel: at frequency f (of the grid) a signal has been multiplied by gain(f), real, plus what the filters' stop bands
// let through. A row goes in pieces whose samples at all rates stay in the nearest caches.
#pragma once

#include <vector>

#include "../plan/halving_filter.h"
#include "prepared_convolution.h"

namespace longconv {

class Decimator {
 public:
  /// `decimation` as in halving_chain, which must have a chain for it.
  Decimator(int64_t fft_size, int64_t band, int64_t decimation);

  /// Samples at the lower rate of `length` at the higher one.
  int64_t halved(int64_t length) const { return halved_length(chain_, length); }
  /// Gain of the way down and up again at bin f of the grid: that of the taps in float32, as they are used.
  double gain(int64_t f) const;
  /// Samples that must be readable behind those at the lower rate, whatever they are.
  static constexpr int64_t kBeyond = kMostHalvingPairs + HalvingKernels::kOverread;
  /// Floats of scratch memory for down() and up().
  int64_t scratch_floats() const { return scratch_floats_; }

  /// v [halved(row.length)] from the row's gated input. Stops between pieces when cancelled.
  void down(const KernelTable& kernels, const Row& row, float* v, float* scratch, const int32_t* cancel) const;
  /// The row's output from w [halved(row.length) + kBeyond].
  void up(const KernelTable& kernels, const float* w, const Row& row, float* scratch, const int32_t* cancel) const;

 private:
  struct Stage {
    int pairs;
    int64_t samples_at;  ///< in scratch memory: those of a piece before this halving
    float taps[2 * kMostHalvingPairs];
  };
  struct Piece {
    int64_t begin, end;
    int64_t size() const { return end - begin; }
  };

  int64_t fft_size_;
  std::vector<HalvingStage> chain_;
  std::vector<Stage> stages_;
  int64_t piece_points_;  ///< samples of the higher rate in a piece: a multiple of the decimation
  int64_t scratch_floats_ = 0;
};

}  // namespace longconv
