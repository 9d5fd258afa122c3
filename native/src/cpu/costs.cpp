#include "costs.h"

#include <cstring>

#include "fft_plan.h"

namespace longconv {

namespace {

struct Rates {
  const char* name;
  double fft_level, fft_point, toeplitz, toeplitz_point, fold, fold_point, byte, far_factor;
};

// Nanoseconds, one thread; printed by `native/bench/calibrate.cpp`.
constexpr Rates kRates[] = {
    {"portable", 0.208, 0.91, 0.0426, 0.40, 0.3250, 0.290, 0.0372, 1.2},
    {"neon", 0.208, 0.91, 0.0426, 0.40, 0.3250, 0.290, 0.0372, 1.2},  // not measured: that of 128-bit vectors on x86-64
    {"avx2", 0.098, 0.43, 0.0187, 0.36, 0.1160, 0.240, 0.0340, 1.4},
    {"avx512", 0.050, 0.38, 0.0080, 0.40, 0.0450, 0.190, 0.0530, 1.7},
};
/// A transform's work array of 8 bytes a point that no longer fits a common second-level cache.
constexpr int64_t kNearPoints = int64_t{1} << 16;
/// Rows, results and spectra of a call that fit the caches cost no time on their own.
constexpr int64_t kCachedBytes = int64_t{1} << 20;
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
  costs.toeplitz_seconds = rates->toeplitz * kNanosecond;
  costs.toeplitz_point_seconds = rates->toeplitz_point * kNanosecond;
  costs.fold_seconds = rates->fold * kNanosecond;
  costs.fold_point_seconds = rates->fold_point * kNanosecond;
  costs.byte_seconds = rates->byte * kNanosecond;
  costs.far_factor = rates->far_factor;
  costs.near_points = kNearPoints;
  costs.cached_bytes = kCachedBytes;
  costs.call_seconds = 5e-6;
  return costs;
}

}  // namespace longconv
