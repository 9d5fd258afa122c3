// FFTW as a yardstick: opened at run time where it is installed, never linked and never shipped.
#pragma once

#include <cstdint>
#include <memory>

namespace longconv::bench {

/// Convolution of rows of `length` points by FFTW's single-precision real transforms (FFTW_MEASURE), one thread.
class FftwConvolution {
 public:
  /// Transforms of `points` points: 2 * length for causal convolutions, length for circular ones. Null where libfftw3f is not installed.
  static std::unique_ptr<FftwConvolution> create(int64_t channels, int64_t length, int64_t points, const float* filter);
  virtual ~FftwConvolution() = default;
  /// input, output, gates: [batch, channels, length]; gates may be null.
  virtual void run(const float* input, float* output, int64_t batch, const float* pre_gate = nullptr, const float* post_gate = nullptr) = 0;
};

}  // namespace longconv::bench
