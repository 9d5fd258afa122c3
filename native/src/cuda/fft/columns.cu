// Instances of the column kernels of long transforms.
#include "columns.cuh"
#include "kernels.h"

namespace longconv::cuda {
namespace {

template <Signal kSignal, class E, bool kInverse>
__global__ void __launch_bounds__(256, kInverse && sizeof(E) == 2 ? 3 : 2) columns(const __grid_constant__ Columns parameters) {
  extern __shared__ uint4 shared[];
  ColumnsKernel<kSignal, E> kernel(parameters, reinterpret_cast<uint32_t*>(shared), blockIdx.y);
  if constexpr (kInverse)
    kernel.inverse(blockIdx.x);
  else
    kernel.forward(blockIdx.x);
}

template <Signal kSignal, class E>
KernelLaunch columns_of(bool inverse) {
  const void* function = inverse ? reinterpret_cast<const void*>(&columns<kSignal, E, true>) : reinterpret_cast<const void*>(&columns<kSignal, E, false>);
  return {function, 256, ColumnsKernel<kSignal, E>::kSharedBytes, 0, true, 1, 1};
}

template <class E>
KernelLaunch columns_for(Signal signal, bool inverse) {
  return signal == Signal::kPair ? columns_of<Signal::kPair, E>(inverse) : columns_of<Signal::kReal, E>(inverse);
}

}  // namespace

KernelLaunch columns_kernel(Signal signal, Element element, bool inverse) {
  switch (element) {
    case Element::kHalf: return columns_for<__half>(signal, inverse);
    case Element::kBfloat16: return columns_for<__nv_bfloat16>(signal, inverse);
    case Element::kFloat: return columns_for<float>(signal, inverse);
  }
  return {};
}

}  // namespace longconv::cuda
