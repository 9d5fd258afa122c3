// The CPU behind the table that every device fills.
#pragma once

#include "longconv/backend.h"

namespace longconv {

const lc_backend& cpu_backend();

}  // namespace longconv
