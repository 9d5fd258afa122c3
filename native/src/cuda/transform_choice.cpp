#include "transform_choice.h"

#include <algorithm>
#include <iterator>

#include "../status.h"
#include "fft/geometry.h"

namespace longconv::cuda {
namespace {

constexpr int64_t kLargestLong = int64_t{kColumnRadix} * kLargestOnChip;

int64_t power_of_two_from(int64_t n) {
  int64_t out = 1;
  while (out < n) out *= 2;
  return out;
}

/// Transform length of overlap-save: least points computed for each point of output; more than 8K points cost a quarter more.
int64_t overlap_save_points(int64_t history) {
  int64_t best = 0;
  double best_cost = 0;
  for (int64_t n = 1024; n <= kLargestOnChip; n *= 2) {
    if (history >= n / 4 * 3) continue;
    const double cost = (n > 8192 ? 1.25 : 1.0) * static_cast<double>(n) / static_cast<double>(n - history);
    if (best == 0 || cost < best_cost * 0.95) best = n, best_cost = cost;
  }
  return best;
}

/// Picoseconds for each point of a transform of up to `points`: table of an H100 in docs/performance-gpu.md, B x H x L of 6 to 270 million.
struct Rate {
  int64_t points;
  double pair, right_angle;
};
constexpr Rate kRates[] = {{256, 3.0, 9.1},      {1024, 3.1, 4.7},      {4096, 2.7, 4.5},       {8192, 3.0, 4.1},     {16384, 3.6, 5.3},
                           {32768, 3.8, 6.0},    {65536, 5.7, 9.7},     {1 << 20, 5.8, 10.1},   {1 << 21, 6.0, 10.4}, {kLargestLong, 7.2, 10.6}};
/// What does not go with the number of rows of the first digit: the signal's reads and writes and that digit. From long transforms with three
/// quarters left out; not measured on chip.
constexpr double kFixedShare = 0.36;

const Rate& rate_of(int64_t points) {
  return *std::find_if(std::begin(kRates), std::end(kRates) - 1, [&](const Rate& rate) { return points <= rate.points; });
}

int first_digit(int64_t points) { return points > kLargestOnChip ? kColumnRadix : geometry_of(static_cast<int>(points)).first; }

}  // namespace

TransformChoice choose_transform(const FftConvSpec& s) {
  TransformChoice choice{0, 0, true};
  if (s.channels < 1 || s.filter_length < 1 || s.max_length < 1)
    fail(LC_INVALID_ARGUMENT, "A convolution needs at least one channel, one tap and one point.");
  if (s.max_length > INT32_MAX - 65536) fail(LC_NOT_SUPPORTED, "Inputs longer than 2^31 points do not fit the CUDA kernels.");
  if (s.overlap_save) {
    if (s.mode != LC_CAUSAL) fail(LC_INVALID_ARGUMENT, "Overlap-save is for causal filters.");
    const int64_t taps = std::min(s.filter_length, s.max_length);
    choice.history = (taps - 1 + 7) / 8 * 8;
    choice.points = overlap_save_points(choice.history);
    if (choice.points == 0)
      fail(LC_NOT_SUPPORTED, "Overlap-save on the GPU takes filters of up to %d taps, this one has %lld.", kLargestOnChip / 4 * 3, static_cast<long long>(taps));
  } else if (s.mode == LC_CAUSAL) {
    choice.pairs = false;
    choice.points = std::max<int64_t>(kSmallestOnChip, power_of_two_from(s.max_length));
  } else {
    choice.points = s.mode == LC_GRID ? s.fft_size : s.max_length;
    if (choice.points != power_of_two_from(choice.points) || choice.points < kSmallestOnChip)
      fail(LC_NOT_SUPPORTED, "The CUDA kernels take circular transforms of a power of two of at least %d points, not %lld: run this one on the CPU.",
           kSmallestOnChip, static_cast<long long>(choice.points));
    if (s.filter_length > choice.points || s.max_length > choice.points)
      fail(LC_INVALID_ARGUMENT, "Filter and input must not be longer than the circle of %lld points.", static_cast<long long>(choice.points));
  }
  if (choice.points > kLargestLong)
    fail(LC_NOT_SUPPORTED, "The CUDA kernels take transforms of up to %lld points, this one needs %lld.", static_cast<long long>(kLargestLong),
         static_cast<long long>(choice.points));
  return choice;
}

bool can_leave_out_rows(int64_t points) { return first_digit(points) >= 8; }

std::vector<int32_t> rows_with_kept_bins(const FftConvSpec& spec, int64_t points) {
  const int radix = first_digit(points);
  std::vector<uint8_t> kept(static_cast<std::size_t>(radix), spec.kept == nullptr);
  if (spec.kept)
    for (int64_t f = 0; f <= points / 2; ++f)
      if (spec.kept[f]) kept[static_cast<std::size_t>(f % radix)] = kept[static_cast<std::size_t>((points - f) % radix)] = 1;
  std::vector<int32_t> rows;
  for (int row = 0; row < radix; ++row)
    if (kept[static_cast<std::size_t>(row)]) rows.push_back(row);
  return rows;
}

double predicted_seconds(const FftConvSpec& spec) {
  const TransformChoice choice = choose_transform(spec);
  const Rate& rate = rate_of(choice.points);
  const int64_t step = choice.points - choice.history, blocks = (spec.max_length + step - 1) / step;
  // The partner of a single row is empty, but costs the same.
  const int64_t transformed = (choice.pairs ? (blocks + 1) / 2 * 2 : blocks) * choice.points;
  double cost = 1;
  if (spec.mode == LC_GRID && can_leave_out_rows(choice.points)) {
    const double share = static_cast<double>(rows_with_kept_bins(spec, choice.points).size()) / first_digit(choice.points);
    cost = kFixedShare + (1 - kFixedShare) * share;
  }
  return 1e-12 * static_cast<double>(spec.channels * transformed) * (choice.pairs ? rate.pair : rate.right_angle) * cost;
}

}  // namespace longconv::cuda
