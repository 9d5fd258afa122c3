// Instances of the column kernels of long transforms.
#include "columns.cuh"
#include "kernels.h"

namespace longconv::cuda {
namespace {

/// Blocks of a multiprocessor that the registers must suffice for: as many as the kernel can be compiled for without spilling.
template <class E, Form kForm>
constexpr int resident_blocks(ColumnsStep step) {
  switch (step) {
    case ColumnsStep::kForward: return std::is_same_v<E, __half> && kForm == Form::kPlain ? 3 : 2;
    case ColumnsStep::kSettle: return 1;
    case ColumnsStep::kInverse: return sizeof(E) == 2 ? 3 : 2;
  }
  return 1;
}

template <Signal kSignal, class E, Form kForm, ColumnsStep kStep>
__global__ void __launch_bounds__(256, resident_blocks<E, kForm>(kStep)) columns(const __grid_constant__ Columns parameters) {
  extern __shared__ uint4 shared[];
  ColumnsKernel<kSignal, E, kForm> kernel(parameters, reinterpret_cast<uint32_t*>(shared), blockIdx.y);
  if constexpr (kStep == ColumnsStep::kForward) kernel.forward(blockIdx.x);
  if constexpr (kStep == ColumnsStep::kSettle) kernel.settle();
  if constexpr (kStep == ColumnsStep::kInverse) kernel.inverse(blockIdx.x);
}

template <Signal kSignal, class E, Form kForm>
KernelLaunch columns_of(ColumnsStep step) {
  const auto launch = [](const void* function) { return KernelLaunch{function, 256, ColumnsKernel<kSignal, E, kForm>::kSharedBytes, 0, true, 1, 1}; };
  switch (step) {
    case ColumnsStep::kForward: return launch(reinterpret_cast<const void*>(&columns<kSignal, E, kForm, ColumnsStep::kForward>));
    // Rare: any form will do.
    case ColumnsStep::kSettle: return launch(reinterpret_cast<const void*>(&columns<kSignal, E, Form::kAny, ColumnsStep::kSettle>));
    case ColumnsStep::kInverse: return launch(reinterpret_cast<const void*>(&columns<kSignal, E, kForm, ColumnsStep::kInverse>));
  }
  return {};
}

template <Signal kSignal, class E>
KernelLaunch columns_of(Form form, ColumnsStep step) {
  if constexpr (sizeof(E) == 2) {
    if (form == Form::kPlain) return columns_of<kSignal, E, Form::kPlain>(step);
    if (form == Form::kGated) return columns_of<kSignal, E, Form::kGated>(step);
  }
  return columns_of<kSignal, E, Form::kAny>(step);
}

template <class E>
KernelLaunch columns_for(Signal signal, Form form, ColumnsStep step) {
  return signal == Signal::kPair ? columns_of<Signal::kPair, E>(form, step) : columns_of<Signal::kReal, E>(form, step);
}

}  // namespace

KernelLaunch columns_kernel(Signal signal, Element element, Form form, ColumnsStep step) {
  switch (element) {
    case Element::kHalf: return columns_for<__half>(signal, form, step);
    case Element::kBfloat16: return columns_for<__nv_bfloat16>(signal, form, step);
    case Element::kFloat: return columns_for<float>(signal, form, step);
  }
  return {};
}

}  // namespace longconv::cuda
