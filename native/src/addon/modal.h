// Modal filters: the exported function modalFilter of engine.ts.
#pragma once

#include <napi.h>

namespace longconv::addon {

Napi::Value modal_filter(const Napi::CallbackInfo& info);

}  // namespace longconv::addon
