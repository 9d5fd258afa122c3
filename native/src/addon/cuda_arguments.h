// Arguments of the functions of `cuda`: device addresses are numbers, which are exact up to 2^53.
#pragma once

#include <napi.h>

#include "arguments.h"
#include "cuda_library.h"
#include "job.h"

namespace longconv::addon {

/// Throws the Error of a call of the table that failed.
template <class Call>
void cuda_call(Call&& call) {
  lc_status status{};
  call(&status);
  check(status);
}

inline void* address(const Arguments& arguments, const char* field) {
  return reinterpret_cast<void*>(static_cast<std::uintptr_t>(arguments.size(field)));
}
/// Null where the field is absent.
inline void* address_or_null(const Arguments& arguments, const char* field) { return arguments.has(field) ? address(arguments, field) : nullptr; }

/// 'f32', 'f16', 'bf16' or 'i32'.
int32_t element(const Arguments& arguments, const char* field);
bool flag(const Arguments& arguments, const char* field);

/// A job made of two functions: one for the job thread, one that makes the result.
Napi::Value start_cuda_job(Napi::Env env, std::function<void()> work, std::function<Napi::Value(Napi::Env)> result, std::initializer_list<Napi::Value> kept);

}  // namespace longconv::addon
