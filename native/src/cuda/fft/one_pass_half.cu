#include "one_pass_instances.cuh"

namespace longconv::cuda {

template <>
KernelLaunch one_pass_kernel_of<__half>(Signal signal, int points) {
  return signal == Signal::kPair ? one_pass_instance_of<Signal::kPair, __half>(points) : one_pass_instance_of<Signal::kReal, __half>(points);
}

}  // namespace longconv::cuda
