// Kernels for x86-64 with AVX2 and FMA.
#define LC_ISA_NAMESPACE avx2
#include "../kernels/make_table.h"

namespace longconv {
extern const KernelTable kAvx2Kernels;
const KernelTable kAvx2Kernels = avx2::make_table<8, 4>("avx2");
}  // namespace longconv
