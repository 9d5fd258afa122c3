// Kernels for 64-bit Arm, where NEON with fused multiply-add is part of the baseline.
#define LC_ISA_NAMESPACE neon
#include "../kernels/make_table.h"

namespace longconv {
extern const KernelTable kNeonKernels;
const KernelTable kNeonKernels = neon::make_table<4, 2>("neon");
}  // namespace longconv
