// Finds and opens liblongconv_cuda beside the addon. Nothing of CUDA is linked into the addon.
#pragma once

#include "longconv/cuda.h"

namespace longconv::addon {

/// The table of the library, its device opened. Throws LC_NOT_SUPPORTED with the reason where CUDA is not usable; the same every time.
const lc_cuda_api& cuda();
const lc_cuda_device& cuda_device();

}  // namespace longconv::addon
