// Errors of the CUDA runtime as exceptions of ours, and the one stream that everything runs on.
#pragma once

#include <cuda_runtime.h>

#include "../../status.h"

namespace longconv::gpu {

/// Throws Error with the runtime's own words: `what` completes "CUDA could not ...".
inline void check(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  const lc_code code = error == cudaErrorMemoryAllocation ? LC_OUT_OF_MEMORY : LC_INTERNAL;
  fail(code, "CUDA could not %s: %s (%s).", what, cudaGetErrorString(error), cudaGetErrorName(error));
}

/// Created on first use on the device that lc_cuda_api.open chose.
cudaStream_t stream();

}  // namespace longconv::gpu
