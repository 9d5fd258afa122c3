// CUDA errors as statuses.
#pragma once

#include <cuda_runtime_api.h>

#include "status.h"

namespace longconv::cuda {

inline void check(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  cudaGetLastError();  // the next call starts clean
  fail(error == cudaErrorMemoryAllocation ? LC_OUT_OF_MEMORY : LC_INTERNAL, "The GPU could not %s: %s.", what, cudaGetErrorString(error));
}

}  // namespace longconv::cuda
