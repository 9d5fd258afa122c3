#include "arguments.h"

#include <cmath>

#include "../status.h"

namespace longconv::addon {

int64_t product(std::initializer_list<int64_t> factors) {
  int64_t result = 1;
  for (const int64_t factor : factors)
    if (__builtin_mul_overflow(result, factor, &result) || result > (int64_t{1} << 53)) fail(LC_INVALID_ARGUMENT, "The sizes of an argument multiply to more elements than can be addressed.");
  return result;
}

Arguments::Arguments(Napi::Value value, const char* what) : what_(what) {
  if (!value.IsObject()) fail(LC_INVALID_ARGUMENT, "%s must be an object.", what);
  object_ = value.As<Napi::Object>();
}

Napi::Value Arguments::get(const char* field) const {
  napi_value value = nullptr;
  // A getter may throw: its exception must not stay pending when ours is reported.
  if (napi_get_named_property(object_.Env(), object_, field, &value) != napi_ok) {
    bool pending = false;
    napi_value dropped;
    if (napi_is_exception_pending(object_.Env(), &pending) == napi_ok && pending) napi_get_and_clear_last_exception(object_.Env(), &dropped);
    fail(LC_INVALID_ARGUMENT, "%s.%s could not be read.", what_.c_str(), field);
  }
  return {object_.Env(), value};
}

bool Arguments::has(const char* field) const {
  const Napi::Value value = get(field);
  return !value.IsUndefined() && !value.IsNull();
}

Arguments Arguments::object(const char* field) const { return {get(field), (what_ + "." + field).c_str()}; }

std::vector<Arguments> Arguments::objects(const char* field) const {
  const Napi::Value value = get(field);
  if (!value.IsArray()) fail(LC_INVALID_ARGUMENT, "%s.%s must be an array.", what_.c_str(), field);
  const auto array = value.As<Napi::Array>();
  std::vector<Arguments> result;
  for (uint32_t i = 0; i < array.Length(); ++i) result.emplace_back(array.Get(i), (what_ + "." + field + "[" + std::to_string(i) + "]").c_str());
  return result;
}

std::string Arguments::text(const char* field) const {
  const Napi::Value value = get(field);
  if (!value.IsString()) fail(LC_INVALID_ARGUMENT, "%s.%s must be a string.", what_.c_str(), field);
  return value.As<Napi::String>().Utf8Value();
}

double Arguments::number(const char* field) const {
  const Napi::Value value = get(field);
  if (!value.IsNumber()) fail(LC_INVALID_ARGUMENT, "%s.%s must be a number.", what_.c_str(), field);
  return value.As<Napi::Number>().DoubleValue();
}

int64_t Arguments::size(const char* field, int64_t least) const {
  const double value = number(field);
  if (!(value >= static_cast<double>(least) && value < 9007199254740992.0 && std::floor(value) == value))
    fail(LC_INVALID_ARGUMENT, "%s.%s is %.17g; it must be a whole number of at least %lld.", what_.c_str(), field, value, static_cast<long long>(least));
  return static_cast<int64_t>(value);
}

int64_t Arguments::size_or(const char* field, int64_t otherwise, int64_t least) const { return has(field) ? size(field, least) : otherwise; }

template <class T>
Span<T> Arguments::array(const char* field, napi_typedarray_type type, const char* name) const {
  const Napi::Value value = get(field);
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != type) fail(LC_INVALID_ARGUMENT, "%s.%s must be a %s.", what_.c_str(), field, name);
  void* data = nullptr;
  std::size_t length = 0;
  if (napi_get_typedarray_info(object_.Env(), value, nullptr, &length, &data, nullptr, nullptr) != napi_ok)
    fail(LC_INVALID_ARGUMENT, "%s.%s could not be read.", what_.c_str(), field);
  // An empty or detached array has no memory; a pointer that is never followed stands for it.
  static T nothing;
  return {data && length ? static_cast<T*>(data) : &nothing, data ? static_cast<int64_t>(length) : 0};
}

template <class T>
Span<T> Arguments::sized(Span<T> span, const char* field, int64_t size) const {
  if (span.size != size)
    fail(LC_INVALID_ARGUMENT, "%s.%s has %lld elements where %lld are needed.", what_.c_str(), field, static_cast<long long>(span.size), static_cast<long long>(size));
  return span;
}

template Span<float> Arguments::array(const char*, napi_typedarray_type, const char*) const;
template Span<double> Arguments::array(const char*, napi_typedarray_type, const char*) const;
template Span<uint8_t> Arguments::array(const char*, napi_typedarray_type, const char*) const;
template Span<float> Arguments::sized(Span<float>, const char*, int64_t) const;
template Span<double> Arguments::sized(Span<double>, const char*, int64_t) const;
template Span<uint8_t> Arguments::sized(Span<uint8_t>, const char*, int64_t) const;

const int32_t* cancel_flag(Napi::Value value) {
  if (value.IsUndefined() || value.IsNull()) return nullptr;
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_int32_array || value.As<Napi::TypedArray>().ElementLength() != 1)
    fail(LC_INVALID_ARGUMENT, "The cancel flag must be an Int32Array of one element.");
  return value.As<Napi::Int32Array>().Data();
}

}  // namespace longconv::addon
