// The operations of a model that are bound by memory: each reads its inputs once and writes its output once.
#pragma once

#include "longconv/cuda.h"

namespace longconv::cuda {

void run_elementwise(const lc_cuda_elementwise& call);
void run_gather(const int32_t* index, int64_t rows, const float* table, int64_t table_rows, int64_t width, void* y, int32_t y_element);
void run_depthwise(const lc_cuda_depthwise& call);
void run_norm(const lc_cuda_norm& call);

}  // namespace longconv::cuda
