// Filter spectra, computed on the GPU in float32 and stored in fp16 with one power-of-two scale for each channel.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>
#include <vector>

#include "device_memory.h"

namespace longconv::cuda {

struct SpectrumRequest {
  const float* filter;  // device, [channels][filter_length]
  int64_t channels, filter_length;
  int64_t taps;  // of each row, the rest of the transform is 0; more than `transform` (up to twice) only for alpha = 1/4
  int64_t transform;  // points, a power of two
  double alpha;       // frequencies f - alpha
  int64_t circle;     // not 0: the filter's lags lie on a circle of so many points, a power of two, and those from -transform to -1 count, too
  const uint8_t* kept;  // device, or null: bins of the circle, or else of the transform, [points / 2 + 1]; others count as 0
  // Order of the result: [channel][row][on-chip order of `points` frequencies]: f = row's frequency + rows * filter_frequency(position).
  int32_t rows;  // transform / points
  int32_t points;
  const int32_t* frequency;  // device, [kept_rows]
  int32_t kept_rows;
  float gain;  // of everything else that the kernels do; taken out of the scales
};

/// out: 4 bytes for each point, [channels][kept_rows][points]; scale: float32 [channels], what the result is to be multiplied by. Waits for the stream.
void compute_spectrum(const SpectrumRequest& request, uint32_t* out, float* scale, cudaStream_t stream);

}  // namespace longconv::cuda
