#include "planner.h"

#include <algorithm>
#include <vector>

#include "../status.h"
#include "comb_split.h"
#include "cost_model.h"

namespace longconv {

namespace {

/// Above this many taps a direct sum never wins, on any device measured.
constexpr int64_t kLongestToeplitz = 512;
/// Overlap-save blocks beyond this size leave the nearest caches and gain nothing.
constexpr int64_t kLongestBlock = int64_t{1} << 18;
/// Signals that no near cache holds: then the longer the blocks, whose rows lie too far apart for the processor's prefetching, the more they
/// cost, as much as so many more bytes of every point for each doubling. Measured with AVX-512.
constexpr double kFarSignalBytes = 12 << 20;
constexpr int64_t kNearBlock = 256;
constexpr double kStridedBytes = 4, kMostStridedBytes = 12;
/// The rows of a comb likewise, below so many columns: the bytes of each point double for each halving.
constexpr int64_t kLongColumns = 1024;
constexpr double kMostShortRowBytes = 32;
/// Outputs beyond the transform that a right-angle convolution may compute as direct sums: lengths such as 2^15 + 2 are common.
constexpr int64_t kLongestTail = 64;
constexpr int64_t kLargestCombModulus = 256;
constexpr int64_t kLargestSize = int64_t{1} << 40;

int64_t round_up(int64_t n, int64_t step) { return (n + step - 1) / step * step; }

struct Question {
  const lc_convolution_spec& spec;
  const lc_costs& costs;
  int64_t batch;
  int64_t length;
  int32_t threads;
};

lc_plan plan_of(lc_algorithm algorithm, const char* name, int64_t taps, int64_t transform_length) {
  lc_plan plan{};
  plan.algorithm = algorithm;
  plan.name = name;
  plan.taps = taps;
  plan.transform_length = transform_length;
  return plan;
}

/// Input and output.
double signal_bytes(const Question& q) { return static_cast<double>(q.batch) * static_cast<double>(q.spec.channels) * static_cast<double>(q.length) * 8; }

/// What reading and writing blocks of n points far apart costs, in bytes of each point.
double strided_bytes(const Question& q, int64_t n) {
  if (n <= kNearBlock || signal_bytes(q) <= kFarSignalBytes) return 0;
  return std::min(kMostStridedBytes, kStridedBytes * log2_of(n / kNearBlock));
}

/// The same for a comb's rows of so many columns, which the processor's prefetching does not follow when they are short.
double short_row_bytes(const Question& q, int64_t columns) {
  if (columns >= kLongColumns || signal_bytes(q) <= kFarSignalBytes) return 0;
  return std::min(kMostShortRowBytes, kStridedBytes * static_cast<double>(kLongColumns) / static_cast<double>(columns));
}

/// Fills in what all plans have in common. `row_seconds`: one row of input; `spectrum_bytes`: prepared bytes of one channel.
lc_plan finish_plan(const Question& q, lc_plan plan, double row_seconds, int64_t channel_bytes, double executed) {
  const double rows = static_cast<double>(q.batch) * static_cast<double>(q.spec.channels);
  const double streamed = signal_bytes(q) + static_cast<double>(q.spec.channels * channel_bytes);
  // Rows are handed out whole: with fewer rows than threads some threads stay idle.
  const double busy = threads_that_pay(rows * row_seconds, std::max(1.0, std::min<double>(q.threads, rows)));
  plan.seconds = q.costs.call_seconds + rows * row_seconds / busy + memory_seconds(q.costs, streamed);
  plan.prepared_bytes = q.spec.channels * channel_bytes;
  plan.executed_fraction = executed;
  return plan;
}

void add_toeplitz(const Question& q, int64_t taps, std::vector<lc_plan>& plans) {
  if (taps > kLongestToeplitz) return;
  lc_plan plan = plan_of(LC_TOEPLITZ, "Toeplitz", taps, 0);
  plans.push_back(finish_plan(q, plan, toeplitz_row_seconds(q.costs, taps, q.length), taps * 4, 1.0));
}

/// `extent`: points of a row that the transform must hold; `dense_points`: what counts as all of the arithmetic.
void add_right_angle(const Question& q, int64_t taps, int64_t extent, bool tail_allowed, std::vector<lc_plan>& plans) {
  const int64_t full = std::max(q.costs.minimum_transform, ceil_power_of_two(extent));
  for (int64_t n : {full, full / 2}) {
    const int64_t tail = extent - n;
    if (n < q.costs.minimum_transform || (tail > 0 && (!tail_allowed || tail > kLongestTail))) continue;
    lc_plan plan = plan_of(LC_RIGHT_ANGLE, "right-angle FFT", taps, n);
    const double seconds = transform_seconds(q.costs, n) + (tail > 0 ? toeplitz_row_seconds(q.costs, std::min(taps, extent), tail) : 0.0);
    plans.push_back(finish_plan(q, plan, seconds, 8 * n + (tail > 0 ? 4 * taps : 0), 1.0));
  }
}

void add_overlap_save(const Question& q, int64_t taps, int64_t extent, std::vector<lc_plan>& plans) {
  const int64_t largest = std::min(kLongestBlock, ceil_power_of_two(extent) / 2);
  // Shorter transforms run with narrower vectors, at other rates than those of the device.
  for (int64_t n = std::max(q.costs.minimum_transform, q.costs.transform_rows * q.costs.transform_rows); n <= largest; n *= 2) {
    const int64_t unit = n / q.costs.transform_rows;
    const int64_t discard = round_up(taps - 1, unit);
    const int64_t block = 2 * n;
    if (discard * 4 > block * 3) continue;  // less than a quarter of each block would be of use
    const int64_t blocks = (extent + block - discard - 1) / (block - discard);
    lc_plan plan = plan_of(LC_OVERLAP_SAVE, "overlap-save", taps, n);
    plan.discard = discard;
    const double seconds = static_cast<double>(blocks) * (transform_seconds(q.costs, n) + q.costs.block_seconds) +
                           static_cast<double>(q.length) * strided_bytes(q, n) * q.costs.byte_seconds;
    plans.push_back(finish_plan(q, plan, seconds, 8 * n, 1.0));
  }
}

void add_circular_fft(const Question& q, int64_t taps, std::vector<lc_plan>& plans) {
  const int64_t n = q.spec.max_length;
  if (!is_power_of_two(n) || n < q.costs.minimum_transform) return;
  lc_plan plan = plan_of(LC_CIRCULAR_FFT, "circular FFT", taps, n);
  const double pairs = static_cast<double>((q.batch + 1) / 2) / static_cast<double>(q.batch);
  plans.push_back(finish_plan(q, plan, pairs * transform_seconds(q.costs, n), 8 * n, 1.0));
}

/// Residues f mod kLargestCombModulus that hold a kept bin or the mirror of one.
std::vector<uint8_t> kept_residues(const lc_convolution_spec& spec) {
  std::vector<uint8_t> kept(kLargestCombModulus, 0);
  for (int64_t f = 0; f <= spec.fft_size / 2; ++f)
    if (spec.kept[f]) {
      const int64_t r = f % kLargestCombModulus;
      kept[static_cast<std::size_t>(r)] = kept[static_cast<std::size_t>((kLargestCombModulus - r) % kLargestCombModulus)] = 1;
    }
  return kept;
}

/// Rows of the comb f mod modulus that are not all zero; a row and its mirror count once.
struct KeptRows {
  int64_t count = 0;
  double folded = 0;      ///< with real rows as half ones
  double transforms = 0;  ///< in transforms of a whole row
};

KeptRows kept_rows(const std::vector<uint8_t>& residues, int64_t modulus, int64_t columns, int64_t shortest) {
  KeptRows rows;
  const auto add = [&](int64_t r, double folded, double transforms) {
    bool any = false;
    for (int64_t f = r; f < kLargestCombModulus; f += modulus) any = any || residues[static_cast<std::size_t>(f)];
    if (!any) return;
    ++rows.count;
    rows.folded += folded;
    rows.transforms += transforms;
  };
  add(0, 0.5, 0.5 + 0.5 * static_cast<double>(cyclic_remainder(columns, shortest)) / static_cast<double>(columns));
  for (int64_t r = 1; r < modulus / 2; ++r) add(r, 1, 1);
  add(modulus / 2, 0.5, columns / 2 >= shortest ? 0.5 : 1);
  return rows;
}

void add_comb_rows(const Question& q, std::vector<lc_plan>& plans) {
  const int64_t n = q.spec.fft_size;
  if (n / 4 < q.costs.minimum_transform) return;
  const std::vector<uint8_t> residues = kept_residues(q.spec);
  for (int64_t modulus = 4; modulus <= kLargestCombModulus && n / modulus >= q.costs.minimum_transform; modulus *= 2) {
    const int64_t columns = n / modulus;
    // Transforms shorter than this run with narrower vectors, whose own are shorter.
    const int64_t shortest = std::min(columns, q.costs.transform_rows * q.costs.transform_rows);
    const KeptRows rows = kept_rows(residues, modulus, columns, shortest);
    if (rows.count == modulus / 2 + 1) continue;
    lc_plan plan = plan_of(LC_COMB_ROWS, "comb-row FFT", n, columns);
    plan.comb_modulus = modulus;
    plan.comb_rows = rows.count;
    const double seconds = transform_seconds(q.costs, columns, rows.transforms) + static_cast<double>(rows.count) * q.costs.block_seconds +
                           comb_fold_seconds(q.costs, modulus, rows.folded, columns) +
                           static_cast<double>(q.length) * short_row_bytes(q, columns) * q.costs.byte_seconds;
    const double executed = 2 * rows.folded / static_cast<double>(modulus);
    plans.push_back(finish_plan(q, plan, seconds, static_cast<int64_t>(rows.transforms * static_cast<double>(8 * columns)), executed));
  }
}

/// One more than the highest kept bin, at least 1.
int64_t kept_band(const lc_convolution_spec& spec) {
  int64_t band = spec.fft_size / 2 + 1;
  while (band > 1 && !spec.kept[band - 1]) --band;
  return band;
}

/// Operations of a row: n log2 n and the products of a right-angle transform of n points.
double transform_operations(int64_t n) { return static_cast<double>(n) * (10.0 * log2_of(n) + 6.0); }

void add_decimated(const Question& q, std::vector<lc_plan>& plans) {
  if (q.costs.halve_seconds == 0) return;
  const int64_t grid = q.spec.fft_size, band = kept_band(q.spec);
  // Shorter transforms run with narrower vectors, at other rates than those of the device.
  const int64_t shortest = std::max(q.costs.minimum_transform, q.costs.transform_rows * q.costs.transform_rows);
  for (int64_t decimation = 2, n = grid / 4; n >= shortest; decimation *= 2, n /= 2) {
    const std::vector<HalvingStage> chain = halving_chain(grid, band, decimation);
    if (chain.empty()) return;
    const int64_t tail = std::max<int64_t>(0, halved_length(chain, q.spec.max_length) - n);
    // The tail is the beginning of one row of the transform's first pass.
    if (tail > n / q.costs.transform_rows) return;
    lc_plan plan = plan_of(LC_DECIMATED, "decimated FFT", grid, n);
    plan.band = band;
    plan.decimation = decimation;
    double operations = transform_operations(n);
    int64_t samples = grid / 2;
    for (const HalvingStage& stage : chain) {
      operations += static_cast<double>(samples) * 4.0 * stage.pairs;
      samples /= 2;
    }
    const double seconds = transform_seconds(q.costs, n) + halving_seconds(q.costs, chain, q.spec.max_length);
    const int64_t end_lags = std::max<int64_t>(0, 2 * tail - 1);
    plans.push_back(finish_plan(q, plan, seconds, 8 * n + 4 * end_lags, std::min(1.0, operations / transform_operations(grid / 2))));
  }
}

std::vector<lc_plan> candidates(const Question& q) {
  const lc_convolution_spec& spec = q.spec;
  std::vector<lc_plan> plans;
  const int64_t taps = std::min(spec.filter_length, spec.max_length);
  switch (spec.mode) {
    case LC_CAUSAL:
      add_toeplitz(q, taps, plans);
      add_overlap_save(q, taps, spec.max_length, plans);
      add_right_angle(q, taps, spec.max_length, true, plans);
      break;
    case LC_CIRCULAR: {
      // Taken as a causal convolution of the row with its own end put in front.
      const int64_t extent = spec.max_length + taps - 1;
      add_circular_fft(q, taps, plans);
      add_toeplitz(q, taps, plans);
      add_overlap_save(q, taps, extent, plans);
      add_right_angle(q, taps, extent, false, plans);
      break;
    }
    default:
      add_comb_rows(q, plans);
      add_decimated(q, plans);
      add_right_angle(q, spec.fft_size, spec.fft_size / 2, false, plans);
  }
  std::stable_sort(plans.begin(), plans.end(), [](const lc_plan& a, const lc_plan& b) { return a.seconds < b.seconds; });
  return plans;
}

void check_size(const char* what, int64_t value) {
  if (value < 1 || value > kLargestSize)
    fail(LC_INVALID_ARGUMENT, "%s is %lld; it must be between 1 and %lld.", what, static_cast<long long>(value), static_cast<long long>(kLargestSize));
}

}  // namespace

void check_spec(const lc_convolution_spec& spec) {
  check_size("The number of channels", spec.channels);
  check_size("The filter length", spec.filter_length);
  check_size("The longest input", spec.max_length);
  if (spec.filter_length > kLargestSize / spec.channels || spec.max_length > kLargestSize / spec.channels)
    fail(LC_INVALID_ARGUMENT, "%lld channels of %lld taps and inputs of %lld points are more than can be addressed.", static_cast<long long>(spec.channels),
         static_cast<long long>(spec.filter_length), static_cast<long long>(spec.max_length));
  switch (spec.mode) {
    case LC_CAUSAL:
      return;
    case LC_CIRCULAR:
      if (spec.filter_length > spec.max_length)
        fail(LC_INVALID_ARGUMENT, "A circular convolution of length %lld cannot have %lld taps: the filter must not be longer than the input.",
             static_cast<long long>(spec.max_length), static_cast<long long>(spec.filter_length));
      return;
    case LC_GRID:
      if (!is_power_of_two(spec.fft_size) || spec.fft_size < 2)
        fail(LC_NOT_SUPPORTED, "The FFT size %lld is not a power of two; the kernels compute powers of two.", static_cast<long long>(spec.fft_size));
      if (spec.filter_length != spec.fft_size)
        fail(LC_INVALID_ARGUMENT, "A filter on a grid has one value per lag: %lld were given for an FFT size of %lld.", static_cast<long long>(spec.filter_length),
             static_cast<long long>(spec.fft_size));
      if (spec.max_length > spec.fft_size / 2)
        fail(LC_INVALID_ARGUMENT, "Inputs of %lld points do not fit a grid of FFT size %lld: at most half of it can be run.", static_cast<long long>(spec.max_length),
             static_cast<long long>(spec.fft_size));
      if (!spec.kept) fail(LC_INVALID_ARGUMENT, "A convolution on a grid needs the list of kept bins.");
      return;
    default:
      fail(LC_INVALID_ARGUMENT, "There is no convolution mode %d.", static_cast<int>(spec.mode));
  }
}

lc_plan plan_convolution(const lc_convolution_spec& spec, const lc_costs& costs, int64_t batch, int64_t length, int32_t threads) {
  return candidates({spec, costs, batch, length, threads}).front();
}

int64_t candidate_plans(const lc_convolution_spec& spec, const lc_costs& costs, int64_t batch, int64_t length, int32_t threads, lc_plan* plans, int64_t capacity) {
  const std::vector<lc_plan> all = candidates({spec, costs, batch, length, threads});
  const int64_t count = std::min<int64_t>(capacity, static_cast<int64_t>(all.size()));
  std::copy_n(all.begin(), count, plans);
  return count;
}

}  // namespace longconv
