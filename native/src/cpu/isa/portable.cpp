// Kernels for any processor of the architecture: 128-bit vectors, which the compiler maps to whatever the baseline has.
#define LC_ISA_NAMESPACE portable
#include "../kernels/make_table.h"

namespace longconv {
extern const KernelTable kPortableKernels;
const KernelTable kPortableKernels = portable::make_table<4, 2>("portable");
}  // namespace longconv
