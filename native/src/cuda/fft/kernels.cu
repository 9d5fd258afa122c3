#include "kernels.h"

namespace longconv::cuda {
namespace {

template <class E>
KernelLaunch pairs_or_real(Signal signal, int points) {
  return signal == Signal::kPair ? one_pass_kernel_of<Signal::kPair, E>(points) : one_pass_kernel_of<Signal::kReal, E>(points);
}

}  // namespace

KernelLaunch one_pass_kernel(Signal signal, Element element, int points) {
  if (signal == Signal::kComplex) return one_pass_kernel_of<Signal::kComplex, __half>(points);
  switch (element) {
    case Element::kHalf: return pairs_or_real<__half>(signal, points);
    case Element::kBfloat16: return pairs_or_real<__nv_bfloat16>(signal, points);
    case Element::kFloat: return pairs_or_real<float>(signal, points);
  }
  return {};
}

}  // namespace longconv::cuda
