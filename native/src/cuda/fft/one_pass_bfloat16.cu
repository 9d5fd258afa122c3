#include "one_pass_instances.cuh"

namespace longconv::cuda {

template <>
KernelLaunch one_pass_kernel_of<__nv_bfloat16>(Signal signal, int points) {
  return signal == Signal::kPair ? one_pass_instance_of<Signal::kPair, __nv_bfloat16>(points) : one_pass_instance_of<Signal::kReal, __nv_bfloat16>(points);
}

}  // namespace longconv::cuda
