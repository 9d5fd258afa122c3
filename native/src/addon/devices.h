// What can run here.
#pragma once

#include <napi.h>

namespace longconv::addon {

/// DeviceReport of engine.ts.
Napi::Value devices(const Napi::CallbackInfo& info);

}  // namespace longconv::addon
