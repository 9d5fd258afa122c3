// In place of the FFT kernels, which use the GPU directly: the definition of the convolution, summed in float64.
#include "../../src/cuda/long_filter.h"

#include <vector>

#include <gpu/device.h>

namespace longconv::cuda {
namespace {

double load(const void* data, int32_t element, int64_t index) {
  if (element == LC_F32) return static_cast<const float*>(data)[index];
  if (element == LC_F16) return static_cast<const gpu::half_t*>(data)[index].value();
  return static_cast<const gpu::bf16_t*>(data)[index].value();
}

void store(void* data, int32_t element, int64_t index, double value) {
  const float rounded = static_cast<float>(value);
  if (element == LC_F32) static_cast<float*>(data)[index] = rounded;
  else if (element == LC_F16) static_cast<gpu::half_t*>(data)[index] = gpu::half_t(rounded);
  else static_cast<gpu::bf16_t*>(data)[index] = gpu::bf16_t(rounded);
}

class DirectSum : public LongFilter {
 public:
  DirectSum(const lc_convolution_spec& spec, const float* filter) : spec_(spec), filter_(filter, filter + spec.channels * spec.filter_length) {}

  void run(const lc_cuda_convolution_call& call) const override {
    const int64_t length = call.length, taps = spec_.filter_length;
    std::vector<double> gated(static_cast<std::size_t>(length));
    for (int64_t row = 0; row < call.batch * spec_.channels; ++row) {
      const int64_t channel = row % spec_.channels, total = call.first_channel + channel;
      const int64_t base = (row / spec_.channels * call.total_channels + total) * length;
      const float* const k = filter_.data() + channel * taps;
      for (int64_t t = 0; t < length; ++t) {
        gated[static_cast<std::size_t>(t)] = load(call.input, call.element, base + t) * (call.pre_gate ? load(call.pre_gate, call.element, base + t) : 1);
      }
      for (int64_t t = 0; t < length; ++t) {
        double sum = call.skip ? call.skip[total] * gated[static_cast<std::size_t>(t)] : 0;
        for (int64_t s = 0; s < (spec_.mode == LC_CAUSAL ? t + 1 : length); ++s) {
          int64_t lag = t - s;
          if (spec_.mode == LC_GRID) lag = (lag + spec_.fft_size) % spec_.fft_size;
          if (spec_.mode == LC_CIRCULAR) lag = (lag + length) % length;
          if (lag < taps) sum += k[lag] * gated[static_cast<std::size_t>(s)];
        }
        store(call.output, call.element, base + t, sum * (call.post_gate ? load(call.post_gate, call.element, base + t) : 1));
      }
    }
  }

  int64_t prepared_bytes() const override { return static_cast<int64_t>(filter_.size() * sizeof(float)); }

 private:
  lc_convolution_spec spec_;
  std::vector<float> filter_;
};

}  // namespace

std::unique_ptr<LongFilter> prepare_long_filter(const lc_convolution_spec& spec, const float* filter) { return std::make_unique<DirectSum>(spec, filter); }
const char* long_filter_name(const lc_convolution_spec&) { return "direct sum (emulated GPU)"; }
double long_filter_seconds(const lc_convolution_spec& spec) { return 1e-9 * static_cast<double>(spec.channels * spec.max_length * spec.filter_length); }

}  // namespace longconv::cuda
