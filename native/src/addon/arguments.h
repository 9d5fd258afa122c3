// Reading JavaScript arguments: every value is checked before a kernel sees it, and a wrong one is named in one sentence.
#pragma once

#include <napi.h>

#include <cstdint>
#include <string>
#include <vector>

namespace longconv::addon {

/// A view into a typed array; see Arguments::kept.
template <class T>
struct Span {
  T* data = nullptr;
  int64_t size = 0;
  explicit operator bool() const { return data != nullptr; }
};

/// a * b * ...; throws Error where the product does not fit.
int64_t product(std::initializer_list<int64_t> factors);

/// Fields of one options object. Throws Error (never a JavaScript exception) for what is missing or of the wrong kind.
///
/// The object is copied when it is given, arrays of numbers aside: reading a field may run code of the caller (getters, proxies), which may change
/// or free what was read before. Afterwards no such code runs, so pointers into arrays are asked for once everything of a call has been copied.
class Arguments {
 public:
  /// `value` must be an object; `what` names it in messages.
  Arguments(Napi::Value value, const char* what);

  /// The copy, which keeps the arrays alive as long as it is kept.
  Napi::Value kept() const { return object_; }

  bool has(const char* field) const;
  Arguments object(const char* field) const;
  std::vector<Arguments> objects(const char* field) const;
  std::string text(const char* field) const;
  double number(const char* field) const;
  /// A whole number in [least, 2^53).
  int64_t size(const char* field, int64_t least = 1) const;
  /// An array of such numbers, each at least 1.
  std::vector<int64_t> sizes(const char* field) const;
  int64_t size_or(const char* field, int64_t otherwise, int64_t least = 1) const;

  Span<float> floats(const char* field) const { return array<float>(field, napi_float32_array, "Float32Array"); }
  Span<double> doubles(const char* field) const { return array<double>(field, napi_float64_array, "Float64Array"); }
  Span<uint8_t> bytes(const char* field) const { return array<uint8_t>(field, napi_uint8_array, "Uint8Array"); }
  /// Samples of signals: a Float32Array, or a Uint16Array of bit patterns for the 16-bit types (lc_sample_type).
  void* samples(const char* field, int32_t sample_type, int64_t size) const;
  /// The sample type that the field names; float32 where it is absent.
  int32_t sample_type(const char* field) const;
  /// With exactly so many elements.
  Span<float> floats(const char* field, int64_t size) const { return sized(floats(field), field, size); }
  Span<double> doubles(const char* field, int64_t size) const { return sized(doubles(field), field, size); }
  Span<uint8_t> bytes(const char* field, int64_t size) const { return sized(bytes(field), field, size); }

 private:
  struct Copied {};
  /// A part of a copy.
  Arguments(Copied, Napi::Value value, std::string what);

  Napi::Value get(const char* field) const;
  int64_t whole(const char* field, double value, int64_t least) const;
  template <class T>
  Span<T> array(const char* field, napi_typedarray_type type, const char* name) const;
  template <class T>
  Span<T> sized(Span<T> span, const char* field, int64_t size) const;

  Napi::Object object_;
  std::string what_;
};

/// The cancel flag of a call: an Int32Array of one element, or undefined (null).
const int32_t* cancel_flag(Napi::Value value);

}  // namespace longconv::addon
