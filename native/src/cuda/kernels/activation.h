// The activations of lc_activation on float32 values, shared by the matrix product's epilogue and the element-wise kernel.
#pragma once

#include <gpu/device.h>

#include "longconv/cuda.h"

namespace longconv::cuda {

/// x / (1 + exp(-z)): right at both ends, where exp becomes infinite or 0.
__device__ __forceinline__ float times_sigmoid(float x, float z) { return gpu::fast_divide(x, 1.0f + gpu::fast_exp(-z)); }

__device__ __forceinline__ float hyperbolic_tangent(float x) {
  const float e = gpu::fast_exp(-2.0f * fabsf(x));
  return copysignf(gpu::fast_divide(1.0f - e, 1.0f + e), x);
}

__device__ __forceinline__ float activate(float x, int activation) {
  switch (activation) {
    case LC_GELU_TANH: return times_sigmoid(x, 1.5957691216f * (x + 0.044715f * x * x * x));  // (1 + tanh z) / 2 is the sigmoid of 2 z
    case LC_GELU_ERF: return 0.5f * x * (1.0f + erff(0.7071067812f * x));
    case LC_SILU: return times_sigmoid(x, x);
    case LC_RELU: return x < 0.0f ? 0.0f : x;  // keeps NaN
    case LC_SIGMOID: return times_sigmoid(1.0f, x);
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
