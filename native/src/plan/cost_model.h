// What an algorithm costs on a device, in seconds, from the rates that were measured for it (lc_costs).
//
//   transform of n complex points, forward, product and inverse:  n (level log2 n + point) far(n) narrow(n); and block for one of many in a row
//   far(n) = far_factor where n > near_points (the work array has left the caches), else 1; rows that are kept side by side count together
//   narrow(n) = kNarrow for every halving of the lanes whose square is more than n: such transforms run with narrower vectors
//   direct sum of K taps over L outputs:                          L (toeplitz_point + K toeplitz); of whole 4 * lanes taps, which share loads, half
//   comb fold and unfold of R rows of an n1-row comb, M columns:  M (R (n1/4 + 1) fold + n1/2 fold_point); real rows (comb_split.h) count as half
//   halving of the sampling rate of S samples, and back, with P pairs of taps: halve_row + S (P halve + halve_point)
//   memory:                                                       bytes moved beyond cached_bytes * byte; more for long blocks of overlap-save and short rows of combs
//   threads: as many as there are, but none for less than 100 microseconds of work, about twice what it takes to wake one
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#include "halving_filter.h"
#include "longconv/backend.h"

namespace longconv {

inline int64_t ceil_power_of_two(int64_t n) { return static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(n < 1 ? 1 : n))); }
inline bool is_power_of_two(int64_t n) { return n > 0 && std::has_single_bit(static_cast<uint64_t>(n)); }
inline int log2_of(int64_t power_of_two) { return std::countr_zero(static_cast<uint64_t>(power_of_two)); }

/// From transforms of 16 to 128 points with AVX-512.
constexpr double kNarrow = 2.5;

/// `rows` transforms whose results are all kept until the last one is done.
inline double transform_seconds(const lc_costs& c, int64_t n, double rows = 1) {
  double narrow = 1;
  for (int64_t shortest = c.transform_rows * c.transform_rows; n < shortest; shortest /= 4) narrow *= kNarrow;
  const double points = rows * static_cast<double>(n), seconds = points * (c.fft_level_seconds * log2_of(n) + c.fft_point_seconds) * narrow;
  return points > static_cast<double>(c.near_points) ? seconds * c.far_factor : seconds;
}
/// Of `threads`, those that work of so many seconds (on one thread) is handed to.
inline double threads_that_pay(double seconds, double threads) {
  constexpr double kLeastSeconds = 100e-6;
  return std::max(1.0, std::min(threads, std::floor(seconds / kLeastSeconds)));
}
inline double memory_seconds(const lc_costs& c, double bytes) {
  const double beyond = bytes - static_cast<double>(c.cached_bytes);
  return beyond > 0 ? beyond * c.byte_seconds : 0;
}
inline double toeplitz_row_seconds(const lc_costs& c, int64_t taps, int64_t length) {
  const int64_t shared = taps / (4 * c.transform_rows) * (4 * c.transform_rows);
  return static_cast<double>(length) * (c.toeplitz_point_seconds + (static_cast<double>(taps) - 0.5 * static_cast<double>(shared)) * c.toeplitz_seconds);
}
inline double comb_fold_seconds(const lc_costs& c, int64_t modulus, double rows, int64_t columns) {
  const double products = rows * static_cast<double>(modulus / 4 + 1) * c.fold_seconds;
  return static_cast<double>(columns) * (products + static_cast<double>(modulus / 2) * c.fold_point_seconds);
}
inline double halving_seconds(const lc_costs& c, const std::vector<HalvingStage>& chain, int64_t length) {
  double seconds = 0;
  for (const HalvingStage& stage : chain) {
    seconds += c.halve_row_seconds + static_cast<double>(length) * (stage.pairs * c.halve_seconds + c.halve_point_seconds);
    length = length / 2 + stage.pairs;
  }
  return seconds;
}

}  // namespace longconv
