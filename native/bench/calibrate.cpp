// Measures the rates of src/cpu/costs.cpp for one instruction set (LONGCONV_ISA, default the best one) and prints its line of that table.
//
// Every rate is fitted to runs of the kernels themselves on rows that stay in the caches; `byte` and `far` come from rows that do not.
#include <cmath>
#include <cstdio>

#include "../src/cpu/dispatch.h"
#include "../src/plan/cost_model.h"
#include "measure.h"

using namespace longconv;
using namespace longconv::bench;

namespace {

/// Nanoseconds for one row of `length` points under a forced plan, least of the runs: what the kernels can do undisturbed.
double row_ns(int64_t channels, int64_t length, const lc_convolution_spec& spec, const lc_plan& plan) {
  const std::vector<float> filter = noise(channels * spec.filter_length), input = noise(channels * length);
  std::vector<float> output(input.size());
  return 1e6 * measure(spec, filter.data(), input, output, &plan).timing.least_ms / static_cast<double>(channels);
}

lc_plan plan_of(int32_t algorithm, int64_t taps, int64_t n, int64_t modulus = 0, int64_t rows = 0) {
  lc_plan plan{};
  plan.algorithm = algorithm;
  plan.taps = taps;
  plan.transform_length = n;
  plan.comb_modulus = modulus;
  plan.comb_rows = rows;
  return plan;
}

double dense_row(int64_t channels, int64_t n) { return row_ns(channels, n, {LC_CAUSAL, channels, n, n, 0, nullptr}, plan_of(LC_RIGHT_ANGLE, n, n)); }
/// One row of 64 K points cut to two taps, in blocks of 2 n.
double blocks_row(int64_t n, int lanes) {
  const int64_t length = 65536, discard = n / lanes;
  lc_plan plan = plan_of(LC_OVERLAP_SAVE, 2, n);
  plan.discard = discard;
  return row_ns(2, length, {LC_CAUSAL, 2, 2, length, 0, nullptr}, plan);
}
double toeplitz_row(int64_t taps, int64_t length) { return row_ns(4, length, {LC_CAUSAL, 4, taps, length, 0, nullptr}, plan_of(LC_TOEPLITZ, taps, 0)); }

double comb_row(int64_t n, int64_t modulus, int64_t rows) {
  std::vector<uint8_t> kept(static_cast<std::size_t>(n / 2 + 1));
  for (int64_t f = 0; f <= n / 2; ++f) kept[static_cast<std::size_t>(f)] = std::min(f % modulus, modulus - f % modulus) < rows;
  return row_ns(2, n / 2, {LC_GRID, 2, n, n / 2, n, kept.data()}, plan_of(LC_COMB_ROWS, n, n / modulus, modulus, rows));
}

/// A low-pass of so many bins on a grid of n, at one sample in `decimation`.
double decimated_row(int64_t channels, int64_t n, int64_t band, int64_t decimation) {
  std::vector<uint8_t> kept(static_cast<std::size_t>(n / 2 + 1));
  std::fill(kept.begin(), kept.begin() + band, 1);
  lc_plan plan = plan_of(LC_DECIMATED, n, n / 2 / decimation);
  plan.band = band;
  plan.decimation = decimation;
  return row_ns(channels, n / 2, {LC_GRID, channels, n, n / 2, n, kept.data()}, plan);
}

}  // namespace

int main() {
  // time / n = level * log2 n + point, by least squares over in-cache sizes; rows enough that the call itself does not count.
  double count = 0, sx = 0, sy = 0, sxx = 0, sxy = 0;
  for (int64_t n = 256; n <= 32768; n *= 2) {
    const double x = log2_of(n), y = dense_row(std::max<int64_t>(2, 32768 / n), n) / static_cast<double>(n);
    count += 1;
    sx += x;
    sy += y;
    sxx += x * x;
    sxy += x * y;
  }
  const double level = (count * sxy - sx * sy) / (count * sxx - sx * sx), point = (sy - level * sx) / count;
  lc_costs costs{};
  costs.fft_level_seconds = level;
  costs.fft_point_seconds = point;
  costs.near_points = INT64_MAX;
  const int lanes = select_kernels(variant()).f32.lanes;
  const int64_t shortest = 256, step = 2 * shortest - shortest / lanes, blocks = (65536 + step - 1) / step;
  const double block = blocks_row(shortest, lanes) / static_cast<double>(blocks) - transform_seconds(costs, shortest);

  const double few_taps = toeplitz_row(4, 8192) / 8192, more_taps = toeplitz_row(2 * lanes, 8192) / 8192;
  const double toeplitz = (more_taps - few_taps) / (2 * lanes - 4), toeplitz_point = few_taps - 4 * toeplitz;

  // Two combs of 32768 points: the difference in rows gives the products, what remains the points. Row 0 of each is real and counts as half a row.
  const int64_t n = 32768;
  const double few = comb_row(n, 16, 2) - 1.5 * transform_seconds(costs, n / 16) - 2 * block, many = comb_row(n, 16, 6) - 5.5 * transform_seconds(costs, n / 16) - 6 * block;
  const double fold = (many - few) / (4 * 5 * static_cast<double>(n / 16));
  const double fold_point = few / static_cast<double>(n / 2) - fold * 1.5 * 5 / 8;

  // Two low-passes at one sample in two, with few and with many pairs of taps.
  const int64_t narrow = n / 64, wide = n / 8;
  const double halved = transform_seconds(costs, n / 4), samples = static_cast<double>(n / 2);
  const int few_pairs = halving_chain(n, narrow, 2)[0].pairs, many_pairs = halving_chain(n, wide, 2)[0].pairs;
  const double short_filter = (decimated_row(2, n, narrow, 2) - halved) / samples, long_filter = (decimated_row(2, n, wide, 2) - halved) / samples;
  const double halve = (long_filter - short_filter) / (many_pairs - few_pairs), halve_point = short_filter - few_pairs * halve;
  const int64_t small = 2048;
  const double halve_row = decimated_row(64, small, small / 8, 2) - transform_seconds(costs, small / 4) - static_cast<double>(small / 2) * (many_pairs * halve + halve_point);

  const int64_t far = int64_t{1} << 20;
  const double far_factor = dense_row(2, far) / transform_seconds(costs, far);
  // 256 rows of 8192 points move 16 bytes a point (input, output, spectrum) through memory.
  const double byte = std::max(0.0, (dense_row(256, 8192) - dense_row(4, 8192)) / (8192 * 16.0));

  std::printf("    {\"%s\", %.3f, %.2f, %.0f, %.4f, %.2f, %.4f, %.3f, %.4f, %.3f, %.0f, %.4f, %.1f},\n", select_kernels(variant()).name, level, point, std::max(0.0, block), toeplitz, toeplitz_point, fold, std::max(0.0, fold_point), halve, halve_point, halve_row, byte,
              std::max(1.0, far_factor));
}
