#include "long_filter.h"

#include <algorithm>

#include "../status.h"
#include "device_buffer.h"
#include "fft_conv.h"
#include "gpu/check.h"

namespace longconv::cuda {
namespace {

/// Longest filter that runs block by block with history on chip, in one pass over the signal at any length.
constexpr int64_t kOverlapSaveTaps = 16384;
/// Inputs at least this many times as long as the filter run block by block.
constexpr int64_t kOverlapSaveRatio = 4;
/// First digits of the transforms (fft_conv.h): rows of f modulo these can be left out.
constexpr int64_t kLongTransform = 65536, kLongDigit = 256, kOnChipDigit = 16;

bool overlaps(const lc_convolution_spec& spec) {
  return spec.mode == LC_CAUSAL && spec.filter_length <= kOverlapSaveTaps && spec.max_length >= kOverlapSaveRatio * spec.filter_length;
}

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

class FftFilter : public LongFilter {
 public:
  FftFilter(const lc_convolution_spec& spec, const float* filter) {
    const FftConvSpec wanted{static_cast<lc_mode>(spec.mode), spec.channels, spec.filter_length, spec.max_length, spec.fft_size,
                             spec.kept, overlaps(spec)};
    lc_status status{};
    check(fft_conv_prepare(wanted, filter, gpu::stream(), &plan_, &status), status);
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
  return overlaps(spec) ? "overlap-save on tensor cores" : "FFT on tensor cores";
}

double long_filter_executed_fraction(const lc_convolution_spec& spec) {
  if (spec.mode != LC_GRID || !spec.kept) return 1;
  // Classes of f modulo the first digit without a kept bin are left out.
  const int64_t digit = std::min(spec.fft_size, spec.fft_size >= kLongTransform ? kLongDigit : kOnChipDigit);
  int64_t rows = 0;
  for (int64_t r = 0; r < digit; ++r) {
    bool kept = false;
    for (int64_t f = r; f < spec.fft_size && !kept; f += digit) kept = spec.kept[f <= spec.fft_size / 2 ? f : spec.fft_size - f] != 0;
    rows += kept;
  }
  return static_cast<double>(rows) / static_cast<double>(digit);
}

}  // namespace longconv::cuda
