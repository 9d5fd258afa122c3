// Filters of state-space layers whose state matrix is diagonal plus low rank (S4).
#pragma once

#include <cstdint>

namespace longconv {

/// With A = diag(pole) - P P^H over the stored states and their conjugates, and the bilinear step dA = (I - dt/2 A)^-1 (I + dt/2 A),
/// dB = (I - dt/2 A)^-1 dt B: k[c][j] = C dA^(first + j) dB. The output matrix given is C, or C (I - dA^tuned) where tuned is not 0.
struct LowRankJob {
  struct Complexes {
    const double* re;
    const double* im;
  };
  int64_t channels;
  int64_t states;  ///< stored ones: one of each conjugate pair
  int64_t rank;
  Complexes poles;     ///< [channels][states]
  Complexes low_rank;  ///< P [channels][rank][states]
  Complexes input;     ///< B [channels][states]
  Complexes output;    ///< [channels][states]
  const double* dt;    ///< [channels]
  int64_t tuned;
  int64_t first;
  int64_t count;
  float* filter;  ///< [channels][count]
  int32_t threads;
};

/// Evaluates in float64 and rounds once. A tap does not depend on which others are asked for. Throws Error or std::bad_alloc.
void low_rank_filter(const LowRankJob& job, const int32_t* cancel);

}  // namespace longconv
