#include "backend.h"

#include "../plan/cost_model.h"
#include "../status.h"
#include "costs.h"
#include "dispatch.h"
#include "prepared_convolution.h"
#include "short_run.h"
#include "staged_run.h"

struct lc_prepared {
  std::unique_ptr<longconv::PreparedConvolution> convolution;
  longconv::StagedShape shape;
  longconv::ShortRuns short_runs;
  double point_seconds;  ///< predicted on one thread; 0 where the plan does not say
};

namespace longconv {

const KernelTable& kernels_for_transform(const KernelTable& best, int64_t n) {
  const auto& tables = available_kernels();
  auto at = std::find(tables.begin(), tables.end(), &best);
  for (;; --at) {
    if (FftPlan<float>::minimum_points((*at)->f32.lanes) <= n) return **at;
    if (at == tables.begin()) break;
  }
  fail(LC_INTERNAL, "No kernel takes a transform of %lld points.", static_cast<long long>(n));
}

namespace {

std::unique_ptr<PreparedConvolution> prepare_algorithm(const PrepareRequest& request) {
  switch (request.plan.algorithm) {
    case LC_TOEPLITZ: return prepare_toeplitz(request);
    case LC_OVERLAP_SAVE: return prepare_overlap_save(request);
    case LC_RIGHT_ANGLE: return prepare_right_angle(request);
    case LC_COMB_ROWS: return prepare_comb_rows(request);
    case LC_CIRCULAR_FFT: return prepare_circular_fft(request);
    case LC_DECIMATED: return prepare_decimated(request);
    default: fail(LC_NOT_SUPPORTED, "The CPU has no algorithm %d.", static_cast<int>(request.plan.algorithm));
  }
}

void stop_if_cancelled(const int32_t* cancel) {
  if (cancelled(cancel)) fail(LC_CANCELLED, "The convolution was cancelled.");
}

int32_t usable(lc_status* status) { return set_status(status, LC_OK, ""); }

int32_t costs(const char* variant, lc_costs* out, lc_status* status) {
  return guarded(status, [&] { *out = cpu_costs(select_kernels(variant)); });
}

int32_t prepare(const lc_convolution_spec* spec, const lc_plan* plan, const char* variant, const float* filter, int32_t threads, const int32_t* cancel,
                lc_prepared** prepared, lc_status* status) {
  return guarded(status, [&] {
    const KernelTable& kernels = select_kernels(variant);
    auto convolution = prepare_algorithm({*spec, *plan, kernels, filter, threads, cancel});
    stop_if_cancelled(cancel);
    const double points = static_cast<double>(spec->channels) * static_cast<double>(spec->max_length);
    *prepared = new lc_prepared{std::move(convolution), {*spec, *plan, kernels}, {*spec, kernels, filter}, plan->seconds / points};
  });
}

/// Threads for a call: no more than what a helper's start is worth.
int32_t threads_for(const lc_prepared& prepared, const lc_convolution_call& call) {
  const int32_t wanted = call.threads > 0 ? call.threads : hardware_threads();
  if (prepared.point_seconds == 0) return wanted;
  const double points = static_cast<double>(call.batch) * static_cast<double>(prepared.shape.channels) * static_cast<double>(call.length);
  return static_cast<int32_t>(threads_that_pay(points * prepared.point_seconds, wanted));
}

int32_t run(const lc_prepared* prepared, const lc_convolution_call* given, const int32_t* cancel, lc_status* status) {
  return guarded(status, [&] {
    const PreparedConvolution& convolution = *prepared->convolution;
    lc_convolution_call call = *given;
    call.threads = threads_for(*prepared, call);
    if (prepared->short_runs.takes(call)) prepared->short_runs.run(call);
    else if (call.sample_type != LC_FLOAT32 || call.history) run_staged(convolution, prepared->shape, call, cancel);
    else parallel_for(convolution.item_count(call), call.threads, cancel, [&](int64_t item) { convolution.run_item(call, item, cancel); });
    stop_if_cancelled(cancel);
  });
}

void release(lc_prepared* prepared) { delete prepared; }

}  // namespace

const lc_backend& cpu_backend() {
  static const lc_backend table{LC_BACKEND_ABI, "cpu", usable, costs, prepare, run, release};
  return table;
}

}  // namespace longconv
