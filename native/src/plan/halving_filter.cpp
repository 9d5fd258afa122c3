#include "halving_filter.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace longconv {

namespace {

/// What an alias or an image may have of the least gain in the band: below the rounding of a float32 transform.
constexpr double kStopped = 1.05e-7;
/// Gain at the edge below which the rounding that is undone with it would be seen in results.
constexpr double kLeastGain = 0.1;
/// Narrower bands than this need no shorter filters.
constexpr double kNarrowest = 1.0 / 1024;

/// T_n(x), the Chebyshev polynomial.
double chebyshev(int n, double x) {
  if (std::abs(x) <= 1) return std::cos(n * std::acos(x));
  return (x < 0 && n % 2 ? -1.0 : 1.0) * std::cosh(n * std::acosh(std::abs(x)));
}

}  // namespace

int halving_pairs(double edge) {
  edge = std::max(edge, kNarrowest);
  if (edge >= 0.25) return 0;
  const double angle = std::numbers::pi * edge;
  // The polynomial is at most 1 in the stop band, T(cot) at the edge, and T(1 / sin) at frequency 0.
  const double at_edge = std::acosh(1 / std::tan(angle)), at_zero = std::acosh(1 / std::sin(angle));
  const double degree = std::ceil(std::acosh(1 / kStopped) / at_edge);
  const double pairs = std::ceil((degree + 1) / 2);
  if (pairs > kMostHalvingPairs) return 0;
  const double order = 2 * pairs - 1;
  return std::cosh(order * at_edge) < kLeastGain * std::cosh(order * at_zero) ? 0 : static_cast<int>(pairs);
}

std::vector<double> halving_taps(double edge, int pairs) {
  const int taps = 2 * pairs;
  const double stretch = 1 / std::sin(std::numbers::pi * std::max(edge, kNarrowest));
  std::vector<double> g(static_cast<std::size_t>(taps));
  // The response is a trigonometric polynomial of `taps` terms, so as many samples of it give the terms exactly.
  double sum = 0;
  for (int i = 0; i < taps; ++i) {
    double tap = 0;
    for (int k = 0; k < taps; ++k)
      tap += chebyshev(taps - 1, stretch * std::cos(std::numbers::pi * k / taps)) * std::cos(2 * std::numbers::pi * k * (i - 0.5 * (taps - 1)) / taps);
    g[static_cast<std::size_t>(i)] = tap;
    sum += tap;
  }
  for (double& tap : g) tap /= sum;
  return g;
}

std::vector<HalvingStage> halving_chain(int64_t fft_size, int64_t band, int64_t decimation) {
  std::vector<HalvingStage> chain;
  for (int64_t step = 1; step < decimation; step *= 2) {
    const double edge = static_cast<double>(std::max<int64_t>(0, band - 1)) * static_cast<double>(step) / static_cast<double>(fft_size);
    const int pairs = halving_pairs(edge);
    if (pairs == 0 || chain.size() == kMostHalvings) return {};
    chain.push_back({edge, pairs});
  }
  return chain;
}

int64_t halved_length(const std::vector<HalvingStage>& chain, int64_t length) {
  for (const HalvingStage& stage : chain) length = length / 2 + stage.pairs;
  return length;
}

}  // namespace longconv
