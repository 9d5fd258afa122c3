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

/// Starts a job J made from the call's options object; `what` names the object in messages.
template <class J>
Napi::Value start_with(const Napi::CallbackInfo& info, const char* what) {
  return call_async(info, [&]() -> Napi::Value {
    const Arguments arguments(info[0], what);
    auto job = std::make_unique<J>(arguments);
    job->keep(arguments.kept());
    return start(info.Env(), std::move(job));
  });
}

}  // namespace longconv::addon
