// NVIDIA's cuBLASLt for matrix products, opened at run time where it is installed; nothing of it is linked or shipped.
#pragma once

#include "longconv/cuda.h"

namespace longconv::cuda {

/// Runs the product with cuBLASLt. False, and nothing done, where there is no cuBLASLt or it has no kernel for this call: then the product is
/// for our own kernel. The environment variable LONGCONV_CUBLASLT=off turns it off.
bool run_library_gemm(const lc_cuda_gemm& call);

}  // namespace longconv::cuda
