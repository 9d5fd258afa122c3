#include "long_filter.h"

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
  return wanted;
}

class FftFilter : public LongFilter {
 public:
  FftFilter(const lc_convolution_spec& spec, const float* filter) {
    lc_status status{};
    check(fft_conv_prepare(fft_spec(spec), filter, gpu::stream(), &plan_, &status), status);
  }
  FftFilter(const FftFilter&) = delete;
  FftFilter& operator=(const FftFilter&) = delete;
  ~FftFilter() override { fft_conv_free(plan_); }

  void run(const lc_cuda_convolution_call& call) const override {
    // Released in the order of the stream, so the next call's workspace can be the same memory.
    const int64_t bytes = static_cast<int64_t>(fft_conv_workspace_bytes(*plan_));
    const DeviceBuffer workspace = bytes ? DeviceBuffer(bytes) : DeviceBuffer();
    const FftConvCall wanted{call.input, call.output, call.pre_gate, call.post_gate, call.skip, workspace.data(),
                             call.batch, call.length, call.total_channels, call.first_channel, element_of(call.element)};
    lc_status status{};
    check(fft_conv_launch(*plan_, wanted, gpu::stream(), &status), status);
  }

  int64_t prepared_bytes() const override { return static_cast<int64_t>(fft_conv_prepared_bytes(*plan_)); }

 private:
  FftConvPlan* plan_ = nullptr;
};

}  // namespace

std::unique_ptr<LongFilter> prepare_long_filter(const lc_convolution_spec& spec, const float* filter) { return std::make_unique<FftFilter>(spec, filter); }

const char* long_filter_name(const lc_convolution_spec& spec) {
  if (spec.mode == LC_GRID) return "comb-row FFT on tensor cores";
  return fft_spec(spec).overlap_save ? "overlap-save on tensor cores" : "FFT on tensor cores";
}

double long_filter_seconds(const lc_convolution_spec& spec) { return predicted_seconds(fft_spec(spec)); }

}  // namespace longconv::cuda
