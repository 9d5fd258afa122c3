// Instances of the one-pass kernels for one element type.
#pragma once

#include "kernels.h"
#include "one_pass.cuh"

#ifndef LONGCONV_WARPS
#define LONGCONV_WARPS 16
#endif

namespace longconv::cuda {

template <Signal kSignal, class E, int Q, int M, int kWarps, int kGroup>
__global__ void __launch_bounds__(kWarps * 32, LONGCONV_WARPS / kWarps) one_pass(const __grid_constant__ OnePass parameters) {
  extern __shared__ uint4 shared[];
  OnePassKernel<kSignal, E, Q, M, kWarps, kGroup>(parameters, reinterpret_cast<uint32_t*>(shared)).run();
}

template <Signal kSignal, class E, int Q, int M, int kWarps, int kGroup>
KernelLaunch one_pass_instance() {
  return {reinterpret_cast<const void*>(&one_pass<kSignal, E, Q, M, kWarps, kGroup>), kWarps * 32,
          OnePassKernel<kSignal, E, Q, M, kWarps, kGroup>::kSharedBytes, OnePassKernel<kSignal, E, Q, M, kWarps, kGroup>::kStagedBytes, kGroup};
}

template <Signal kSignal, class E>
KernelLaunch one_pass_instance_of(int points) {
  switch (points) {
    case 256: return one_pass_instance<kSignal, E, 1, 1, 4, 8>();
    case 512: return one_pass_instance<kSignal, E, 2, 1, 4, 4>();
    case 1024: return one_pass_instance<kSignal, E, 4, 1, 4, 4>();
    case 2048: return one_pass_instance<kSignal, E, 8, 1, 4, 1>();
    case 4096: return one_pass_instance<kSignal, E, 16, 1, 4, 1>();
    case 8192: return one_pass_instance<kSignal, E, 32, 1, 8, 1>();
    case 16384: return one_pass_instance<kSignal, E, 8, 8, 8, 1>();
    case 32768: return one_pass_instance<kSignal, E, 8, 16, 16, 1>();
    default: return {};
  }
}

}  // namespace longconv::cuda
