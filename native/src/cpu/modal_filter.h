// Modal filters: sums of complex exponentials, as state-space layers have them.
#pragma once

#include <cstdint>

namespace longconv {

/// k[c][j] = direct[c] [lag = 0] + sum_s Re(residue[c][s] exp((lag - delay) log_pole[c][s])) with lag = first + j; no sum below `delay`.
struct ModalJob {
  int64_t channels;
  int64_t states;
  const double* log_pole_re;  ///< [channels][states]; -infinity: a pole of 0, with 0^0 = 1
  const double* log_pole_im;  ///< null: real, positive poles
  const double* residue_re;   ///< [channels][states]
  const double* residue_im;   ///< null: real residues
  const double* direct;       ///< [channels], null: none
  int64_t delay;
  int64_t first;
  int64_t count;
  float* filter;  ///< [channels][count]
  int32_t threads;
};

/// Evaluates in float64 and rounds once. Throws Error.
void modal_filter(const ModalJob& job, const int32_t* cancel);

}  // namespace longconv
