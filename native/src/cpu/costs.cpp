#include "costs.h"

#include <cstring>

#include "fft_plan.h"

namespace longconv {

namespace {

struct Rates {
  const char* name;
  double fft_level, fft_point, toeplitz, toeplitz_point, fold, byte, far_factor;
};

// Nanoseconds, one thread; printed by `native/bench/calibrate.cpp`.
constexpr Rates kRates[] = {
    {"portable", 0.50, 1.60, 0.075, 1.0, 0.17, 0.02, 1.3},
    {"neon", 0.50, 1.60, 0.075, 1.0, 0.17, 0.02, 1.3},
    {"avx2", 0.19, 0.60, 0.024, 0.45, 0.05, 0.02, 1.4},
    {"avx512", 0.11, 0.35, 0.016, 0.45, 0.03, 0.02, 1.6},
};
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
  costs.byte_seconds = rates->byte * kNanosecond;
  costs.far_factor = rates->far_factor;
  costs.near_points = int64_t{1} << 17;
  costs.call_seconds = 5e-6;
  return costs;
}

}  // namespace longconv
