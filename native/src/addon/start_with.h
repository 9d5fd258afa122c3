// What the filter jobs share: one options object in, a promise out.
#pragma once

#include <napi.h>

#include <algorithm>
#include <memory>

#include "arguments.h"
#include "job.h"

namespace longconv::addon {

/// Results are made outside the JavaScript heap and copied once: external buffers are not allowed in every host.
template <class Array, class T>
Array to_array(Napi::Env env, const T* values, int64_t count) {
  Array array = Array::New(env, static_cast<std::size_t>(count));
  std::copy_n(values, count, array.Data());
  return array;
}

/// Keeps every array that `value` holds, at any depth: the job reads them on another thread.
inline void keep_arrays(Job& job, Napi::Value value) {
  if (value.IsTypedArray()) {
    job.keep(value);
  } else if (value.IsArray()) {
    const auto array = value.As<Napi::Array>();
    for (uint32_t i = 0; i < array.Length(); ++i) keep_arrays(job, array.Get(i));
  } else if (value.IsObject()) {
    const auto object = value.As<Napi::Object>();
    const Napi::Array names = object.GetPropertyNames();
    for (uint32_t i = 0; i < names.Length(); ++i) keep_arrays(job, object.Get(names.Get(i)));
  }
}

/// Starts a job J made from the call's options object; `what` names the object in messages.
template <class J>
Napi::Value start_with(const Napi::CallbackInfo& info, const char* what) {
  return call_async(info, [&]() -> Napi::Value {
    auto job = std::make_unique<J>(Arguments(info[0], what));
    keep_arrays(*job, info[0]);
    return start(info.Env(), std::move(job));
  });
}

}  // namespace longconv::addon
