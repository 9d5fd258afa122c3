// Measured rates of the CPU kernels, by instruction set.
#pragma once

#include "kernel_table.h"
#include "longconv/backend.h"

namespace longconv {

/// What the planner reckons with for these kernels. `native/bench/calibrate.cpp` measures them anew.
lc_costs cpu_costs(const KernelTable& kernels);

}  // namespace longconv
