#include "costs.h"

#include <cstring>

#include "fft_plan.h"

namespace longconv {

namespace {

struct Rates {
  const char* name;
  double fft_level, fft_point, block, toeplitz, toeplitz_point, fold, fold_point, halve, halve_point, halve_row, byte, far_factor;
};

// Nanoseconds, one thread; printed by `native/bench/calibrate.cpp`.
constexpr Rates kRates[] = {
    {"portable", 0.220, 0.81, 46, 0.0375, 0.52, 0.2440, 0.460, 0.0750, 0.230, 180, 0.0180, 1.1},
    {"neon", 0.220, 0.81, 46, 0.0375, 0.52, 0.2440, 0.460, 0.0750, 0.230, 180, 0.0180, 1.1},  // not measured: that of 128-bit vectors on x86-64
    {"avx2", 0.115, 0.27, 40, 0.0300, 0.20, 0.1150, 0.280, 0.0550, 0.125, 82, 0.0200, 1.2},
    {"avx512", 0.062, 0.22, 35, 0.0240, 0.03, 0.0580, 0.185, 0.0280, 0.075, 250, 0.0290, 1.6},
};
/// A transform's work array of 8 bytes a point that no longer fits a common second-level cache.
constexpr int64_t kNearPoints = int64_t{1} << 16;
/// Rows, results and spectra of a call that fit the caches cost no time on their own.
constexpr int64_t kCachedBytes = int64_t{6} << 20;
constexpr double kNanosecond = 1e-9;

}  // namespace

lc_costs cpu_costs(const KernelTable& kernels) {
  const Rates* rates = kRates;
  for (const Rates& candidate : kRates)
    if (std::strcmp(candidate.name, kernels.name) == 0) rates = &candidate;
  lc_costs costs{};
  costs.minimum_transform = FftPlan<float>::minimum_points(4);
  costs.transform_rows = kernels.f32.lanes;
  costs.fft_level_seconds = rates->fft_level * kNanosecond;
  costs.fft_point_seconds = rates->fft_point * kNanosecond;
  costs.block_seconds = rates->block * kNanosecond;
  costs.toeplitz_seconds = rates->toeplitz * kNanosecond;
  costs.toeplitz_point_seconds = rates->toeplitz_point * kNanosecond;
  costs.fold_seconds = rates->fold * kNanosecond;
  costs.fold_point_seconds = rates->fold_point * kNanosecond;
  costs.halve_seconds = rates->halve * kNanosecond;
  costs.halve_point_seconds = rates->halve_point * kNanosecond;
  costs.halve_row_seconds = rates->halve_row * kNanosecond;
  costs.byte_seconds = rates->byte * kNanosecond;
  costs.far_factor = rates->far_factor;
  costs.near_points = kNearPoints;
  costs.cached_bytes = kCachedBytes;
  costs.call_seconds = 5e-6;
  return costs;
}

}  // namespace longconv
