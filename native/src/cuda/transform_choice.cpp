#include "transform_choice.h"

#include <algorithm>
#include <iterator>

#include "../status.h"

namespace longconv::cuda {
namespace {

constexpr int64_t kLargestLong = int64_t{kColumnRadix} * kLargestOnChip;

int64_t power_of_two_from(int64_t n) {
  int64_t out = 1;
  while (out < n) out *= 2;
  return out;
}

/// Picoseconds for each point of a transform of up to `points`: table of an H100 in docs/performance-gpu.md, B x H x L of 6 to 270 million.
struct Rate {
  int64_t points;
  double pair, right_angle;
};
constexpr Rate kOnChip[] = {{256, 2.5, 3.6},  {1024, 2.2, 3.7},  {2048, 2.0, 3.4},  {4096, 1.9, 3.1}, {8192, 2.4, 3.6},
                            {16384, 2.6, 4.5}, {32768, 2.8, 5.0}, {65536, 3.7, 6.1}, {kLargestInCluster, 3.7, 7.8}};
constexpr Rate kLong[] = {{65536, 5.0, 8.3}, {1 << 18, 5.0, 8.3}, {1 << 20, 4.9, 8.4}, {1 << 21, 5.2, 8.6}, {kLargestLong, 5.8, 9.1}};
/// What does not go with the number of rows of the first digit: the signal's reads and writes and that digit. From long transforms with three
/// quarters left out; not measured on chip.
constexpr double kFixedShare = 0.39;

template <std::size_t kCount>
const Rate& rate_of(const Rate (&rates)[kCount], int64_t points) {
  return *std::find_if(std::begin(rates), std::end(rates) - 1, [&](const Rate& rate) { return points <= rate.points; });
}

/// Picoseconds for each point.
double cost_of(const FftConvSpec& spec, const TransformChoice& choice) {
  const Rate& rate = choice.is_long ? rate_of(kLong, choice.points) : rate_of(kOnChip, choice.points);
  double share = 1;
  if (spec.mode == LC_GRID && choice.can_leave_out_rows())
    share = kFixedShare + (1 - kFixedShare) * static_cast<double>(rows_with_kept_bins(spec, choice).size()) / choice.first_digit();
  return share * (choice.pairs ? rate.pair : rate.right_angle);
}

/// Points of a row that are transformed, the history in every block among them.
int64_t transformed_points(const FftConvSpec& spec, const TransformChoice& choice) {
  const int64_t step = choice.block() - choice.history, blocks = (spec.max_length + step - 1) / step;
  // The partner of a single row is empty, but costs the same.
  return (choice.pairs && !choice.halves ? 2 : 1) * blocks * choice.block();
}

/// Overlap-save: the block that takes the least time; smaller transforms than 2048 points have a first digit without tables, which cannot be twisted.
void choose_block(const FftConvSpec& spec, bool clusters, TransformChoice& choice) {
  constexpr int64_t kSmallest = 2048;
  double best = 0;
  TransformChoice tried = choice;
  for (tried.points = kSmallest; tried.points <= (clusters ? kLargestPairInCluster : kLargestOnChip); tried.points *= 2) {
    if (tried.history >= tried.block()) continue;
    const double cost = static_cast<double>(transformed_points(spec, tried)) * cost_of(spec, tried);
    if (choice.points == 0 || cost < best) choice.points = tried.points, best = cost;
  }
}

/// Long transforms have a first digit of more rows, of which a mask may drop more.
void choose_place(const FftConvSpec& spec, bool clusters, TransformChoice& choice) {
  choice.is_long = choice.points > kLargestOnChip;
  if (!choice.is_long || !clusters || choice.points > (choice.pairs ? kLargestPairInCluster : kLargestInCluster)) return;
  TransformChoice on_chip = choice;
  on_chip.is_long = false;
  if (cost_of(spec, on_chip) <= cost_of(spec, choice)) choice = on_chip;
}

}  // namespace

int TransformChoice::first_digit() const { return is_long ? kColumnRadix : geometry_of(static_cast<int>(points)).first; }

TransformChoice choose_transform(const FftConvSpec& s, bool clusters) {
  TransformChoice choice{0, 0, true, s.overlap_save, false};
  if (s.channels < 1 || s.filter_length < 1 || s.max_length < 1)
    fail(LC_INVALID_ARGUMENT, "A convolution needs at least one channel, one tap and one point.");
  if (s.max_length > INT32_MAX - 65536) fail(LC_NOT_SUPPORTED, "Inputs longer than 2^31 points do not fit the CUDA kernels.");
  if (s.overlap_save) {
    if (s.mode != LC_CAUSAL) fail(LC_INVALID_ARGUMENT, "Overlap-save is for causal filters.");
    const int64_t taps = std::min(s.filter_length, s.max_length);
    if (taps > kOverlapSaveTaps)
      fail(LC_NOT_SUPPORTED, "Overlap-save on the GPU takes filters of up to %lld taps, this one has %lld.", static_cast<long long>(kOverlapSaveTaps), static_cast<long long>(taps));
    choice.history = (taps - 1 + 7) / 8 * 8;
    choose_block(s, clusters, choice);
    return choice;
  }
  if (s.right_angle && s.mode != LC_GRID) fail(LC_INVALID_ARGUMENT, "Rows on their own are a choice that only filters on a grid have.");
  if (s.mode != LC_CAUSAL) {
    choice.points = s.mode == LC_GRID ? s.fft_size : s.max_length;
    if (choice.points != power_of_two_from(choice.points) || choice.points < kSmallestOnChip)
      fail(LC_NOT_SUPPORTED, "The CUDA kernels take circular transforms of a power of two of at least %d points, not %lld: run this one on the CPU.",
           kSmallestOnChip, static_cast<long long>(choice.points));
    if (s.filter_length > choice.points || s.max_length > choice.points)
      fail(LC_INVALID_ARGUMENT, "Filter and input must not be longer than the circle of %lld points.", static_cast<long long>(choice.points));
  }
  if (s.mode == LC_CAUSAL || s.right_angle) {
    choice.pairs = false;
    choice.points = std::max<int64_t>(kSmallestOnChip, power_of_two_from(s.max_length));
  }
  if (choice.points > kLargestLong)
    fail(LC_NOT_SUPPORTED, "The CUDA kernels take transforms of up to %lld points, this one needs %lld.", static_cast<long long>(kLargestLong),
         static_cast<long long>(choice.points));
  choose_place(s, clusters, choice);
  return choice;
}

std::vector<int32_t> rows_with_kept_bins(const FftConvSpec& spec, const TransformChoice& choice) {
  const int radix = choice.first_digit();
  const bool all = !spec.kept || !choice.pairs;
  std::vector<uint8_t> kept(static_cast<std::size_t>(radix), all);
  if (!all)
    for (int64_t f = 0; f <= choice.points / 2; ++f)
      if (spec.kept[f]) kept[static_cast<std::size_t>(f % radix)] = kept[static_cast<std::size_t>((choice.points - f) % radix)] = 1;
  std::vector<int32_t> rows;
  for (int row = 0; row < radix; ++row)
    if (kept[static_cast<std::size_t>(row)]) rows.push_back(row);
  return rows;
}

double predicted_seconds(const FftConvSpec& spec) {
  const TransformChoice choice = choose_transform(spec, true);
  return 1e-12 * static_cast<double>(spec.channels * transformed_points(spec, choice)) * cost_of(spec, choice);
}

bool overlap_save_pays(FftConvSpec spec) {
  if (spec.mode != LC_CAUSAL || std::min(spec.filter_length, spec.max_length) > kOverlapSaveTaps) return false;
  if (power_of_two_from(spec.max_length) > kLargestLong) return true;
  spec.overlap_save = false;
  const double whole = predicted_seconds(spec);
  spec.overlap_save = true;
  return predicted_seconds(spec) < whole;
}

bool right_angle_pays(FftConvSpec spec, int rows) {
  if (spec.mode != LC_GRID) return false;
  if (spec.fft_size > kLargestLong) return true;
  spec.right_angle = false;
  const double pair = predicted_seconds(spec);
  spec.right_angle = true;
  return rows * predicted_seconds(spec) < pair;
}

}  // namespace longconv::cuda
