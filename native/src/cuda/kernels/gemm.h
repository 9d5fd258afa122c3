// Matrix products on the matrix units with what a model does right after them: bias, activation, residual sum.
#pragma once

#include "longconv/cuda.h"

namespace longconv::cuda {

/// See lc_cuda_gemm. Sums in float32. Throws LC_INVALID_ARGUMENT for element types it does not have.
/// By NVIDIA's library where it is installed and has a kernel for the call (16-bit operands), else by our own.
void run_gemm(const lc_cuda_gemm& call);
/// By our own kernel.
void run_own_gemm(const lc_cuda_gemm& call);

}  // namespace longconv::cuda
