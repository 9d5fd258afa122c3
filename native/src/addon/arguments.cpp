#include "arguments.h"

#include <cmath>

#include "../status.h"
#include "longconv/convolution.h"

namespace longconv::addon {

namespace {

/// Elements and fields that the arguments of a call may have altogether; those of typed arrays are not counted.
constexpr uint32_t kMostEntries = 1 << 16;
/// Objects within objects that a function may look at; what is deeper is left out.
constexpr int kDeepest = 4;

/// Throws Error where a value could not be read: an exception of the caller's code must not stay pending when ours is reported.
void read(napi_env env, napi_status status, const std::string& what) {
  if (status == napi_ok) return;
  bool pending = false;
  napi_value dropped;
  if (napi_is_exception_pending(env, &pending) == napi_ok && pending) napi_get_and_clear_last_exception(env, &dropped);
  fail(LC_INVALID_ARGUMENT, "%.200s could not be read.", what.c_str());
}

/// Memory that can shrink while a job reads it cannot be used.
void refuse_resizable(napi_env env, napi_value array, const std::string& what) {
  napi_value buffer, flag;
  napi_valuetype type = napi_undefined;
  bool resizable = false;
  read(env, napi_get_typedarray_info(env, array, nullptr, nullptr, nullptr, &buffer, nullptr), what);
  read(env, napi_get_named_property(env, buffer, "resizable", &flag), what);
  read(env, napi_typeof(env, flag, &type), what);
  if (type == napi_boolean) read(env, napi_get_value_bool(env, flag, &resizable), what);
  if (resizable) fail(LC_INVALID_ARGUMENT, "%.200s lies in memory that can be resized, which a running computation cannot use.", what.c_str());
}

/// Makes plain objects and arrays of what was given: numbers, texts and typed arrays as they are, objects and arrays copied.
class Copier {
 public:
  explicit Copier(napi_env env) : env_(env) {}

  napi_value copy(napi_value value, const std::string& what, int depth = 0) {
    napi_valuetype type = napi_undefined;
    bool is_typed = false, is_array = false;
    read(env_, napi_typeof(env_, value, &type), what);
    if (type != napi_object) return value;
    read(env_, napi_is_typedarray(env_, value, &is_typed), what);
    if (is_typed) {
      refuse_resizable(env_, value, what);
      return value;
    }
    napi_value copy = nullptr;
    read(env_, napi_is_array(env_, value, &is_array), what);
    read(env_, is_array ? napi_create_array(env_, &copy) : napi_create_object(env_, &copy), what);
    if (depth == kDeepest) return copy;
    napi_value names = value;
    uint32_t count = 0;
    if (!is_array) read(env_, napi_get_all_property_names(env_, value, napi_key_include_prototypes, static_cast<napi_key_filter>(napi_key_enumerable | napi_key_skip_symbols), napi_key_numbers_to_strings, &names), what);
    read(env_, napi_get_array_length(env_, names, &count), what);
    if (count > left_) fail(LC_INVALID_ARGUMENT, "%.200s has more than the %u entries that arguments can have.", what.c_str(), kMostEntries);
    left_ -= count;
    for (uint32_t i = 0; i < count; ++i) entry(value, copy, is_array ? nullptr : names, i, what, depth);
    return copy;
  }

 private:
  /// `names`: of the fields; null for an array.
  void entry(napi_value from, napi_value to, napi_value names, uint32_t i, const std::string& what, int depth) {
    napi_value name = nullptr, value = nullptr;
    if (names) read(env_, napi_get_element(env_, names, i, &name), what);
    else read(env_, napi_create_string_utf8(env_, std::to_string(i).c_str(), NAPI_AUTO_LENGTH, &name), what);
    const std::string part = names ? what + "." + Napi::String(env_, name).Utf8Value().substr(0, 40) : what + "[" + std::to_string(i) + "]";
    read(env_, napi_get_property(env_, from, name, &value), part);
    // Defined, not set: setting could call a setter of the prototype.
    napi_property_descriptor property{};
    property.name = name;
    property.value = copy(value, part, depth + 1);
    property.attributes = static_cast<napi_property_attributes>(napi_writable | napi_enumerable | napi_configurable);
    read(env_, napi_define_properties(env_, to, 1, &property), part);
  }

  napi_env env_;
  uint32_t left_ = kMostEntries;
};

}  // namespace

int64_t product(std::initializer_list<int64_t> factors) {
  int64_t result = 1;
  for (const int64_t factor : factors)
    if (__builtin_mul_overflow(result, factor, &result) || result > (int64_t{1} << 53)) fail(LC_INVALID_ARGUMENT, "The sizes of an argument multiply to more elements than can be addressed.");
  return result;
}

Arguments::Arguments(Napi::Value value, const char* what) : Arguments(Copied{}, {value.Env(), Copier(value.Env()).copy(value, what)}, what) {}

Arguments::Arguments(Copied, Napi::Value value, std::string what) : what_(std::move(what)) {
  if (value.Type() != napi_object) fail(LC_INVALID_ARGUMENT, "%s must be an object.", what_.c_str());
  object_ = value.As<Napi::Object>();
}

Napi::Value Arguments::get(const char* field) const {
  const napi_env env = object_.Env();
  napi_value name = nullptr, value = nullptr;
  bool own = false;
  // Only what was copied: what the prototype of all objects has is nobody's argument.
  read(env, napi_create_string_utf8(env, field, NAPI_AUTO_LENGTH, &name), what_);
  read(env, napi_has_own_property(env, object_, name, &own), what_);
  read(env, own ? napi_get_property(env, object_, name, &value) : napi_get_undefined(env, &value), what_);
  return {env, value};
}

bool Arguments::has(const char* field) const {
  const Napi::Value value = get(field);
  return !value.IsUndefined() && !value.IsNull();
}

Arguments Arguments::object(const char* field) const { return {Copied{}, get(field), what_ + "." + field}; }

std::vector<Arguments> Arguments::objects(const char* field) const {
  const Napi::Value value = get(field);
  if (!value.IsArray()) fail(LC_INVALID_ARGUMENT, "%s.%s must be an array.", what_.c_str(), field);
  const auto array = value.As<Napi::Array>();
  std::vector<Arguments> result;
  for (uint32_t i = 0; i < array.Length(); ++i) result.push_back({Copied{}, array.Get(i), what_ + "." + field + "[" + std::to_string(i) + "]"});
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

int64_t Arguments::whole(const char* field, double value, int64_t least) const {
  if (!(value >= static_cast<double>(least) && value < 9007199254740992.0 && std::floor(value) == value))
    fail(LC_INVALID_ARGUMENT, "%s.%s is %.17g; it must be a whole number of at least %lld.", what_.c_str(), field, value, static_cast<long long>(least));
  return static_cast<int64_t>(value);
}

int64_t Arguments::size(const char* field, int64_t least) const { return whole(field, number(field), least); }

std::vector<int64_t> Arguments::sizes(const char* field) const {
  const Napi::Value value = get(field);
  if (!value.IsArray()) fail(LC_INVALID_ARGUMENT, "%s.%s must be an array.", what_.c_str(), field);
  const auto array = value.As<Napi::Array>();
  std::vector<int64_t> result;
  for (uint32_t i = 0; i < array.Length(); ++i) {
    const Napi::Value element = array.Get(i);
    if (!element.IsNumber()) fail(LC_INVALID_ARGUMENT, "%s.%s must hold numbers.", what_.c_str(), field);
    result.push_back(whole(field, element.As<Napi::Number>().DoubleValue(), 1));
  }
  return result;
}

int64_t Arguments::size_or(const char* field, int64_t otherwise, int64_t least) const { return has(field) ? size(field, least) : otherwise; }

template <class T>
Span<T> Arguments::array(const char* field, napi_typedarray_type type, const char* name) const {
  const Napi::Value value = get(field);
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != type) fail(LC_INVALID_ARGUMENT, "%s.%s must be a %s.", what_.c_str(), field, name);
  void* data = nullptr;
  std::size_t length = 0;
  napi_value buffer = nullptr;
  if (napi_get_typedarray_info(object_.Env(), value, nullptr, &length, &data, &buffer, nullptr) != napi_ok)
    fail(LC_INVALID_ARGUMENT, "%s.%s could not be read.", what_.c_str(), field);
  bool detached = false;
  if (napi_is_detached_arraybuffer(object_.Env(), buffer, &detached) == napi_ok && detached)
    fail(LC_INVALID_ARGUMENT, "The memory of %s.%s was transferred away.", what_.c_str(), field);
  // An empty array has no memory; a pointer that is never followed stands for it.
  static T nothing;
  return {data && length ? static_cast<T*>(data) : &nothing, data ? static_cast<int64_t>(length) : 0};
}

template <class T>
Span<T> Arguments::sized(Span<T> span, const char* field, int64_t size) const {
  if (span.size != size)
    fail(LC_INVALID_ARGUMENT, "%s.%s has %lld elements where %lld are needed.", what_.c_str(), field, static_cast<long long>(span.size), static_cast<long long>(size));
  return span;
}

void* Arguments::samples(const char* field, int32_t sample_type, int64_t size) const {
  if (sample_type == LC_FLOAT32) return floats(field, size).data;
  return sized(array<uint16_t>(field, napi_uint16_array, "Uint16Array"), field, size).data;
}

int32_t Arguments::sample_type(const char* field) const {
  if (!has(field)) return LC_FLOAT32;
  const std::string name = text(field);
  if (name == "f32") return LC_FLOAT32;
  if (name == "f16") return LC_FLOAT16;
  if (name == "bf16") return LC_BFLOAT16;
  fail(LC_INVALID_ARGUMENT, "%s.%s is \"%.32s\"; it is f32, f16 or bf16.", what_.c_str(), field, name.c_str());
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
  refuse_resizable(value.Env(), value, "The cancel flag");
  return value.As<Napi::Int32Array>().Data();
}

}  // namespace longconv::addon
