// Numbers that leave the device: sums over whole arrays, in float64.
#pragma once

#include <cstdint>

#include "longconv/cuda.h"

namespace longconv::cuda {

lc_cuda_metrics token_metrics(const float* logits, const float* dense, const int32_t* targets, int64_t rows, int64_t classes);
/// sums[0] = sum (a - b)^2, sums[1] = sum b^2.
void difference_energy(const void* a, const void* b, int32_t element, int64_t count, double* sums);

}  // namespace longconv::cuda
