#include "kernels.h"

namespace longconv::cuda {
namespace {

template <class E>
KernelLaunch pairs_or_real(Signal signal, Form form, int points) {
  return signal == Signal::kPair ? one_pass_kernel_of<Signal::kPair, E>(form, points) : one_pass_kernel_of<Signal::kReal, E>(form, points);
}

}  // namespace

KernelLaunch one_pass_kernel(Signal signal, Element element, Form form, int points) {
  if (signal == Signal::kComplex) return one_pass_kernel_of<Signal::kComplex, __half>(form, points);
  switch (element) {
    case Element::kHalf: return pairs_or_real<__half>(signal, form, points);
    case Element::kBfloat16: return pairs_or_real<__nv_bfloat16>(signal, form, points);
    case Element::kFloat: return pairs_or_real<float>(signal, form, points);
  }
  return {};
}

}  // namespace longconv::cuda
