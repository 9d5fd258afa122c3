// The functions of `cuda` in the module: device memory, time and convolutions. Described in extension/core/engine/gpu.ts.
#pragma once

#include <napi.h>

namespace longconv::addon {

/// The object `cuda`: everything that core/engine/gpu.ts calls Gpu, with addresses as numbers.
Napi::Object cuda_object(Napi::Env env);

/// Adds one group of its functions; see cuda_operations.cpp and cuda_convolution.cpp.
void define_cuda_operations(Napi::Env env, Napi::Object object);
void define_cuda_convolutions(Napi::Env env, Napi::Object object);

}  // namespace longconv::addon
