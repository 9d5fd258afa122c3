// Filters in float64: masks, spectra, implicit filters. The exported functions of engine.ts with these names.
#pragma once

#include <napi.h>

namespace longconv::addon {

Napi::Value mask_filter(const Napi::CallbackInfo& info);
Napi::Value spectrum(const Napi::CallbackInfo& info);
Napi::Value siren_filter(const Napi::CallbackInfo& info);

}  // namespace longconv::addon
