#include "convolution.h"

#include <algorithm>

#include "../status.h"
#include "exact_filter.h"
#include "kernels/toeplitz.h"

namespace longconv::cuda {
namespace {

void check_spec(const lc_convolution_spec& spec) {
  if (spec.channels < 1 || spec.filter_length < 1 || spec.max_length < 1) {
    fail(LC_INVALID_ARGUMENT, "A convolution of %lld channels, %lld taps and inputs of %lld samples is empty.", static_cast<long long>(spec.channels),
         static_cast<long long>(spec.filter_length), static_cast<long long>(spec.max_length));
  }
}

/// On an H100, as in transform_choice.h.
constexpr double kToeplitzSecondsPerPoint = 1.8e-12;

/// Taps that can act on inputs of at most max_length samples.
int64_t acting_taps(const lc_convolution_spec& spec) { return std::min(spec.filter_length, spec.max_length); }

bool is_short(const lc_convolution_spec& spec) { return spec.mode == LC_CAUSAL && acting_taps(spec) <= kToeplitzTaps; }

/// [channels, taps] of [channels, filter_length] on the device.
DeviceBuffer upload_taps(const lc_convolution_spec& spec, const float* filter, int64_t taps) {
  DeviceBuffer device(spec.channels * taps * 4);
  if (taps == spec.filter_length) {
    gpu::upload(device.data(), filter, spec.channels * taps * 4);
    return device;
  }
  const std::unique_ptr<float[]> rows(new float[static_cast<std::size_t>(spec.channels * taps)]);
  for (int64_t c = 0; c < spec.channels; ++c) std::copy_n(filter + c * spec.filter_length, taps, rows.get() + c * taps);
  gpu::upload(device.data(), rows.get(), spec.channels * taps * 4);
  return device;
}

}  // namespace

lc_cuda_plan plan_convolution(const lc_convolution_spec& spec, bool exact) {
  check_spec(spec);
  if (exact) return {kExactName, exact_filter_bytes(spec), exact_filter_seconds(spec)};
  if (is_short(spec)) return {"Toeplitz on tensor cores", spec.channels * acting_taps(spec) * 4, kToeplitzSecondsPerPoint * static_cast<double>(spec.channels * spec.max_length)};
  return {long_filter_name(spec), 0, long_filter_seconds(spec)};
}

std::unique_ptr<lc_cuda_convolution> prepare_convolution(const lc_convolution_spec& spec, bool exact, const float* filter) {
  check_spec(spec);
  auto prepared = std::make_unique<lc_cuda_convolution>();
  prepared->channels = spec.channels;
  prepared->max_length = spec.max_length;
  prepared->mode = spec.mode;
  if (!exact && is_short(spec)) {
    prepared->taps = acting_taps(spec);
    prepared->filter = upload_taps(spec, filter, prepared->taps);
    return prepared;
  }
  // A causal filter longer than every input is cut to what can act.
  lc_convolution_spec cut = spec;
  if (spec.mode == LC_CAUSAL) cut.filter_length = acting_taps(spec);
  prepared->taps = cut.filter_length;
  const DeviceBuffer device = upload_taps(spec, filter, cut.filter_length);
  const auto* const taps = static_cast<const float*>(device.data());
  prepared->long_filter = exact ? prepare_exact_filter(cut, taps) : prepare_long_filter(cut, taps);
  return prepared;
}

void run_convolution(const lc_cuda_convolution& prepared, const lc_cuda_convolution_call& call) {
  if (call.batch < 1 || call.length < 1) return;
  if (call.first_channel < 0 || call.first_channel + prepared.channels > call.total_channels) {
    fail(LC_INVALID_ARGUMENT, "Channels %lld to %lld are not all among the %lld of the signal.", static_cast<long long>(call.first_channel),
         static_cast<long long>(call.first_channel + prepared.channels - 1), static_cast<long long>(call.total_channels));
  }
  const bool circular = prepared.mode == LC_CIRCULAR;
  if (call.length > prepared.max_length || (circular && call.length != prepared.max_length)) {
    fail(LC_INVALID_ARGUMENT, "The input has %lld samples, but the convolution was prepared for %s%lld.", static_cast<long long>(call.length),
         circular ? "exactly " : "at most ", static_cast<long long>(prepared.max_length));
  }
  if (prepared.long_filter) prepared.long_filter->run(call);
  else run_toeplitz(static_cast<const float*>(prepared.filter.data()), prepared.channels, prepared.taps, call);
}

}  // namespace longconv::cuda
