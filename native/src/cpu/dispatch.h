// Which instruction sets this build has kernels for and this processor (and its operating system) runs.
#pragma once

#include <string>
#include <vector>

#include "kernel_table.h"

namespace longconv {

/// Best last; never empty.
const std::vector<const KernelTable*>& available_kernels();
/// By name ("portable", "neon", "avx2", "avx512"), the best one for null. Throws Error with a sentence where it cannot run here.
const KernelTable& select_kernels(const char* name);
/// Marketing name of the processor.
std::string processor_name();

}  // namespace longconv
