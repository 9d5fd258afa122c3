#include "long_filter.h"

#include <optional>

#include "../status.h"
#include "device_buffer.h"
#include "fft_conv.h"
#include "gpu/check.h"
#include "transform_choice.h"

namespace longconv::cuda {
namespace {

void check(int32_t code, const lc_status& status) {
  if (code != LC_OK) throw Error(static_cast<lc_code>(code), status.message);
}

Element element_of(int32_t element) {
  switch (element) {
    case LC_F16: return Element::kHalf;
    case LC_BF16: return Element::kBfloat16;
    case LC_F32: return Element::kFloat;
    default: fail(LC_INVALID_ARGUMENT, "Convolutions on the GPU take float32, float16 or bfloat16 signals, not element type %d.", element);
  }
}

FftConvSpec fft_spec(const lc_convolution_spec& spec) {
  FftConvSpec wanted{};
  wanted.mode = static_cast<lc_mode>(spec.mode);
  wanted.channels = spec.channels;
  wanted.filter_length = spec.filter_length;
  wanted.max_length = spec.max_length;
  wanted.fft_size = spec.fft_size;
  wanted.kept = spec.kept;
  wanted.overlap_save = overlap_save_pays(wanted);
  wanted.right_angle = right_angle_pays(wanted, 2);
  return wanted;
}

/// As single rows are best computed.
FftConvSpec for_single_rows(FftConvSpec wanted) {
  wanted.right_angle = right_angle_pays(wanted, 1);
  return wanted;
}

class Plan {
 public:
  Plan(const FftConvSpec& spec, const float* filter) {
    lc_status status{};
    check(fft_conv_prepare(spec, filter, gpu::stream(), &plan_, &status), status);
  }
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;
  ~Plan() { fft_conv_free(plan_); }

  /// Rows [first, first + count) of each channel.
  void run(const lc_cuda_convolution_call& call, int64_t first, int64_t count) const {
    // Released in the order of the stream, so the next call's workspace can be the same memory.
    const int64_t bytes = static_cast<int64_t>(fft_conv_workspace_bytes(*plan_));
    const DeviceBuffer workspace = bytes ? DeviceBuffer(bytes) : DeviceBuffer();
    const Element element = element_of(call.element);
    const int64_t skipped = first * call.total_channels * call.length * (element == Element::kFloat ? 4 : 2);
    const auto from = [&](const void* array) { return array ? static_cast<const char*>(array) + skipped : nullptr; };
    const FftConvCall wanted{from(call.input), static_cast<char*>(call.output) + skipped, from(call.pre_gate), from(call.post_gate), call.skip,
                             workspace.data(), count, call.length, call.total_channels, call.first_channel, element};
    lc_status status{};
    check(fft_conv_launch(*plan_, wanted, gpu::stream(), &status), status);
  }

  int64_t prepared_bytes() const { return static_cast<int64_t>(fft_conv_prepared_bytes(*plan_)); }

 private:
  FftConvPlan* plan_ = nullptr;
};

class FftFilter : public LongFilter {
 public:
  FftFilter(const FftConvSpec& spec, const float* filter) : rows_(spec, filter) {
    const FftConvSpec single = for_single_rows(spec);
    if (single.right_angle && !spec.right_angle) single_row_.emplace(single, filter);
  }

  void run(const lc_cuda_convolution_call& call) const override {
    const int64_t single = single_row_ ? call.batch % 2 : 0, others = call.batch - single;
    if (others > 0) rows_.run(call, 0, others);
    if (single > 0) single_row_->run(call, others, 1);
  }

  int64_t prepared_bytes() const override { return rows_.prepared_bytes() + (single_row_ ? single_row_->prepared_bytes() : 0); }

 private:
  Plan rows_;
  std::optional<Plan> single_row_;  ///< for the row that finds no partner, where rows go in pairs and half a pair costs more than this
};

}  // namespace

std::unique_ptr<LongFilter> prepare_long_filter(const lc_convolution_spec& spec, const float* filter) { return std::make_unique<FftFilter>(fft_spec(spec), filter); }

const char* long_filter_name(const lc_convolution_spec& spec) {
  const FftConvSpec wanted = for_single_rows(fft_spec(spec));
  if (spec.mode == LC_GRID && !wanted.right_angle) return "comb-row FFT on tensor cores";
  return wanted.overlap_save ? "overlap-save on tensor cores" : "FFT on tensor cores";
}

double long_filter_seconds(const lc_convolution_spec& spec) { return predicted_seconds(for_single_rows(fft_spec(spec))); }

}  // namespace longconv::cuda
