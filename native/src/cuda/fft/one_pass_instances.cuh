// Instances of the one-pass kernels for one element type.
#pragma once

#include "kernels.h"
#include "one_pass.cuh"

namespace longconv::cuda {

/// Blocks of a multiprocessor that the registers must suffice for: as many as the kernel can be compiled for without spilling.
template <Signal kSignal, class E, Form kForm>
constexpr int resident_blocks(int q, int warps, int cluster) {
  if (cluster > 2 && sizeof(E) == 4) return 1;
  if (warps > 4) return 16 / warps;
  if (q == 4) return 3;
  if (q == 16 && kSignal == Signal::kPair && kForm == Form::kGated && std::is_same_v<E, __nv_bfloat16>) return 3;
  if (sizeof(E) == 4 || (q == 16 && kSignal == Signal::kPair)) return 4;
  return kSignal == Signal::kComplex || q < 4 ? 5 : 5;
}

template <Signal kSignal, class E, Form kForm, int Q, int M, int kWarps, int kGroup, int kCluster>
__global__ void __launch_bounds__(kWarps * 32, resident_blocks<kSignal, E, kForm>(Q, kWarps, kCluster)) one_pass(const __grid_constant__ OnePass parameters) {
#if __CUDA_ARCH__ >= 900
  constexpr bool kHasClusters = true;
#else
  constexpr bool kHasClusters = false;
#endif
  extern __shared__ uint4 shared[];
  if constexpr (kCluster == 1 || kHasClusters) OnePassKernel<kSignal, E, kForm, Q, M, kWarps, kGroup, kCluster>(parameters, reinterpret_cast<uint32_t*>(shared)).run();
}

template <Signal kSignal, class E, Form kForm, int Q, int M, int kWarps, int kGroup, int kCluster = 1>
KernelLaunch one_pass_instance() {
  using Kernel = OnePassKernel<kSignal, E, kForm, Q, M, kWarps, kGroup, kCluster>;
  return {reinterpret_cast<const void*>(&one_pass<kSignal, E, kForm, Q, M, kWarps, kGroup, kCluster>),
          kWarps * 32, Kernel::kSharedBytes, Kernel::kGateBytes, !Kernel::kStagedStrips || kCluster > 1, kGroup, kCluster};
}

template <Signal kSignal, class E, Form kForm>
KernelLaunch one_pass_instance_of(int points) {
  if constexpr (kSignal != Signal::kComplex) {
    if (points == 65536) return one_pass_instance<kSignal, E, kForm, 16, 16, 16, 1, 2>();
  }
  if constexpr (kSignal == Signal::kReal) {
    if (points == 131072) return one_pass_instance<kSignal, E, kForm, 32, 16, 8, 1, 8>();
  }
  switch (points) {
    case 256: return one_pass_instance<kSignal, E, kForm, 1, 1, 4, 8>();
    case 512: return one_pass_instance<kSignal, E, kForm, 2, 1, 4, 4>();
    case 1024: return one_pass_instance<kSignal, E, kForm, 4, 1, 4, 4>();
    case 2048: return one_pass_instance<kSignal, E, kForm, 8, 1, 4, 1>();
    case 4096: return one_pass_instance<kSignal, E, kForm, 16, 1, 4, 1>();
    case 8192: return one_pass_instance<kSignal, E, kForm, 32, 1, 8, 1>();
    case 16384: return one_pass_instance<kSignal, E, kForm, 8, 8, 8, 1>();
    case 32768: return one_pass_instance<kSignal, E, kForm, 8, 16, 16, 1>();
    default: return {};
  }
}

template <Signal kSignal, class E>
KernelLaunch one_pass_instance_of(Form form, int points) {
  if constexpr (kSignal != Signal::kComplex && sizeof(E) == 2) {
    if (form == Form::kPlain) return one_pass_instance_of<kSignal, E, Form::kPlain>(points);
    if (form == Form::kGated) return one_pass_instance_of<kSignal, E, Form::kGated>(points);
  }
  return one_pass_instance_of<kSignal, E, Form::kAny>(points);
}

}  // namespace longconv::cuda
