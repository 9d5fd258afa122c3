#include "one_pass_instances.cuh"

namespace longconv::cuda {

template <>
KernelLaunch one_pass_kernel_of<float>(Signal signal, int points) {
  return signal == Signal::kPair ? one_pass_instance_of<Signal::kPair, float>(points) : one_pass_instance_of<Signal::kReal, float>(points);
}

}  // namespace longconv::cuda
