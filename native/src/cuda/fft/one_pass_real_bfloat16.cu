#include "one_pass_instances.cuh"

namespace longconv::cuda {

template <>
KernelLaunch one_pass_kernel_of<Signal::kReal, __nv_bfloat16>(Form form, int points) {
  return one_pass_instance_of<Signal::kReal, __nv_bfloat16>(form, points);
}

}  // namespace longconv::cuda
