#include "one_pass_instances.cuh"

namespace longconv::cuda {

template <>
KernelLaunch one_pass_kernel_of<Signal::kPair, __half>(Form form, int points) {
  return one_pass_instance_of<Signal::kPair, __half>(form, points);
}

}  // namespace longconv::cuda
