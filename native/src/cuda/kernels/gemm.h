// Matrix products on the matrix units with what a model does right after them: bias, activation, residual sum.
#pragma once

#include "longconv/cuda.h"

namespace longconv::cuda {

/// See lc_cuda_gemm. 16-bit operands, sums in float32. Throws LC_INVALID_ARGUMENT for element types it does not have.
void run_gemm(const lc_cuda_gemm& call);

}  // namespace longconv::cuda
