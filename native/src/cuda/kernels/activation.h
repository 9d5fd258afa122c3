// The activations of lc_activation on float32 values, shared by the matrix product's epilogue and the element-wise kernel.
#pragma once

#include <gpu/device.h>

#include "longconv/cuda.h"

namespace longconv::cuda {

__device__ __forceinline__ float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }

/// tanh to about 1e-6 for all x: through exp, which is exact at both ends.
__device__ __forceinline__ float hyperbolic_tangent(float x) {
  const float e = expf(-2.0f * fabsf(x));
  return copysignf((1.0f - e) / (1.0f + e), x);
}

__device__ __forceinline__ float activate(float x, int activation) {
  switch (activation) {
    case LC_GELU_TANH: return 0.5f * x * (1.0f + hyperbolic_tangent(0.7978845608f * (x + 0.044715f * x * x * x)));
    case LC_GELU_ERF: return 0.5f * x * (1.0f + erff(0.7071067812f * x));
    case LC_SILU: return x * sigmoid(x);
    case LC_RELU: return x < 0.0f ? 0.0f : x;  // keeps NaN
    case LC_SIGMOID: return sigmoid(x);
    case LC_TANH: return hyperbolic_tangent(x);
    default: return x;
  }
}

/// The same for four values; the choice is made once.
__device__ __forceinline__ void activate_four(float (&x)[4], int activation) {
  switch (activation) {
#define LC_CASE(which)                                     \
  case which:                                              \
    _Pragma("unroll") for (int e = 0; e < 4; ++e) x[e] = activate(x[e], which); \
    return;
    LC_CASE(LC_GELU_TANH)
    LC_CASE(LC_GELU_ERF)
    LC_CASE(LC_SILU)
    LC_CASE(LC_RELU)
    LC_CASE(LC_SIGMOID)
    LC_CASE(LC_TANH)
#undef LC_CASE
  }
}

}  // namespace longconv::cuda
