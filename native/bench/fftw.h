// FFTW as a yardstick: opened at run time where it is installed, never linked and never shipped.
#pragma once

#include <cstdint>
#include <memory>

namespace longconv::bench {

/// Causal convolution of rows of `length` points by FFTW's single-precision real transforms of 2 * length points (FFTW_MEASURE), one thread.
class FftwConvolution {
 public:
  /// Null where libfftw3f is not installed.
  static std::unique_ptr<FftwConvolution> create(int64_t channels, int64_t length, const float* filter);
  virtual ~FftwConvolution() = default;
  /// input, output: [batch, channels, length]
  virtual void run(const float* input, float* output, int64_t batch) = 0;
};

}  // namespace longconv::bench
