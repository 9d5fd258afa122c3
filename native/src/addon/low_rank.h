// Filters of layers with a low-rank state matrix: the exported function lowRankFilter of engine.ts.
#pragma once

#include <napi.h>

namespace longconv::addon {

Napi::Value low_rank_filter(const Napi::CallbackInfo& info);

}  // namespace longconv::addon
