// The fp16 products, apart from the bfloat16 ones so that both compile at the same time.
#include "gemm_kernel.h"

namespace longconv::cuda::gemm {

void start_half(const Parameters& p, dim3 grid) { start_layout<gpu::half_t>(p, grid); }

}  // namespace longconv::cuda::gemm
