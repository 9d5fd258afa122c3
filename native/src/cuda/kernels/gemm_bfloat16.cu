// The bfloat16 products; see gemm_half.cu.
#include "gemm_kernel.h"

namespace longconv::cuda::gemm {

void start_bfloat16(const Parameters& p, dim3 grid) { start_layout<gpu::bf16_t>(p, grid); }

}  // namespace longconv::cuda::gemm
