// Implicit Hyena filters: a sine multilayer perceptron over positions, with an exponential window.
#pragma once

#include <cstdint>
#include <vector>

namespace longconv {

struct SirenJob {
  struct Layer {
    const float* weight;  ///< [width, in]
    const float* bias;    ///< [width]
    int64_t in;
    int64_t width;
  };
  const float* z;  ///< [positions, features]
  const float* t;  ///< [positions]
  int64_t positions;
  int64_t features;
  std::vector<Layer> layers;  ///< hidden layers, each followed by sin(freq * x)
  const float* freq;          ///< [width of every hidden layer]
  const float* output;        ///< [channels, width]
  int64_t channels;
  const float* deltas;  ///< [channels]: the result is multiplied by exp(-t |delta|) + shift; null: no window
  double shift;
  float* filter;    ///< channel c at c * stride
  int64_t stride;  ///< at least positions
  int32_t threads;
};

/// Evaluates in float64 and rounds once. Throws Error.
void siren_filter(const SirenJob& job, const int32_t* cancel);

}  // namespace longconv
