// Kernels for x86-64 with AVX-512 F, DQ, VL and BW.
#define LC_ISA_NAMESPACE avx512
#include "../kernels/make_table.h"

namespace longconv {
extern const KernelTable kAvx512Kernels;
const KernelTable kAvx512Kernels = avx512::make_table<16, 8>("avx512");
}  // namespace longconv
