// The module: what `require` gives. Its functions are described in extension/core/engine/engine.ts.
#include <napi.h>

#include "cuda_memory.h"
#include "devices.h"
#include "filters.h"
#include "low_rank.h"
#include "modal.h"
#include "prepared.h"

namespace longconv::addon {

static Napi::Object init(Napi::Env env, Napi::Object exports) {
  Prepared::define(env);
  exports.Set("devices", Napi::Function::New(env, devices, "devices"));
  exports.Set("prepare", Napi::Function::New(env, prepare, "prepare"));
  exports.Set("predict", Napi::Function::New(env, predict, "predict"));
  exports.Set("maskFilter", Napi::Function::New(env, mask_filter, "maskFilter"));
  exports.Set("spectrum", Napi::Function::New(env, spectrum, "spectrum"));
  exports.Set("sirenFilter", Napi::Function::New(env, siren_filter, "sirenFilter"));
  exports.Set("modalFilter", Napi::Function::New(env, modal_filter, "modalFilter"));
  exports.Set("lowRankFilter", Napi::Function::New(env, low_rank_filter, "lowRankFilter"));
  exports.Set("cuda", cuda_object(env));
  return exports;
}

}  // namespace longconv::addon

static Napi::Object init_module(Napi::Env env, Napi::Object exports) { return longconv::addon::init(env, exports); }
NODE_API_MODULE(longconv, init_module)
