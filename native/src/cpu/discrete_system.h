// One channel of a low-rank state-space layer as a real linear recurrence.
#pragma once

#include "low_rank_filter.h"

namespace longconv {

/// x[l + 1] = dA x[l], k[l] = readout x[l], x[0] = start, on the real numbers [Re x, Im x] of the stored states. `size` is at least their
/// count; what lies beyond it is 0. Memory is the caller's.
struct DiscreteSystem {
  int64_t size;
  double* transposed_step;  ///< [size][size]: dA transposed
  double* readout;          ///< [size]: of the output matrix as it is given, tuned or not
  double* start;            ///< [size]: dB

  void fill(const LowRankJob& job, int64_t channel) const;
};

/// Solves matrix x = right in place, by elimination with partial pivoting. matrix [n][n] is overwritten.
void solve(double* matrix, int64_t n, double* right);

}  // namespace longconv
