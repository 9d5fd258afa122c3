#include "library.h"

#include <dlfcn.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "numbers.h"

namespace check {
namespace {

using longconv::emulated::bf16_t;
using longconv::emulated::half_t;

const lc_cuda_api* loaded = nullptr;

double rounded(double value, int32_t element) {
  const auto single = static_cast<float>(value);
  if (element == LC_F16) return half_t(single).value();
  if (element == LC_BF16) return bf16_t(single).value();
  if (element == LC_I32) return std::round(value);
  return single;
}

void encode(unsigned char* to, double value, int32_t element) {
  const auto single = static_cast<float>(value);
  if (element == LC_F32) std::memcpy(to, &single, 4);
  else if (element == LC_I32) {
    const auto integer = static_cast<int32_t>(value);
    std::memcpy(to, &integer, 4);
  } else {
    const uint16_t bits = element == LC_F16 ? half_t(single).bits : bf16_t(single).bits;
    std::memcpy(to, &bits, 2);
  }
}

double decode(const unsigned char* from, int32_t element) {
  if (element == LC_F32) {
    float value;
    std::memcpy(&value, from, 4);
    return value;
  }
  uint16_t bits;
  std::memcpy(&bits, from, 2);
  return element == LC_F16 ? half_t::from_bits(bits).value() : bf16_t::from_bits(bits).value();
}

}  // namespace

const lc_cuda_api& load(const char* path) {
  void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    std::fprintf(stderr, "%s cannot be loaded: %s\n", path, dlerror());
    std::exit(1);
  }
  const auto entry = reinterpret_cast<lc_cuda_entry_function>(dlsym(library, LC_CUDA_ENTRY));
  if (!entry || entry()->abi != LC_CUDA_ABI) {
    std::fprintf(stderr, "%s has no table of version %d.\n", path, LC_CUDA_ABI);
    std::exit(1);
  }
  loaded = entry();
  return *loaded;
}

const lc_cuda_api& api() { return *loaded; }

void require(int32_t code, const lc_status& status) {
  if (code == LC_OK) return;
  std::fprintf(stderr, "A call failed: %s\n", status.message);
  std::exit(1);
}

int64_t element_bytes(int32_t element) { return element == LC_F16 || element == LC_BF16 ? 2 : 4; }
const char* element_name(int32_t element) { return element == LC_F16 ? "f16" : element == LC_BF16 ? "bf16" : element == LC_F32 ? "f32" : "i32"; }

Array::Array(int32_t element, std::vector<double> values) : element_(element), values_(std::move(values)), count_(static_cast<int64_t>(values_.size())) {
  const int64_t each = element_bytes(element);
  std::vector<unsigned char> bytes(static_cast<std::size_t>(count_ * each));
  for (std::size_t i = 0; i < values_.size(); ++i) {
    encode(bytes.data() + i * static_cast<std::size_t>(each), values_[i], element);
    values_[i] = rounded(values_[i], element);
  }
  lc_status status{};
  require(api().allocate(count_ * each, &data_, &status), status);
  require(api().upload(data_, bytes.data(), count_ * each, &status), status);
}

Array::Array(int32_t element, int64_t count) : Array(element, std::vector<double>(static_cast<std::size_t>(count), std::numeric_limits<double>::quiet_NaN())) {}

Array::~Array() { api().release(data_); }

std::vector<double> Array::download() const {
  const int64_t each = element_bytes(element_);
  std::vector<unsigned char> bytes(static_cast<std::size_t>(count_ * each));
  lc_status status{};
  require(api().download(bytes.data(), data_, count_ * each, &status), status);
  std::vector<double> values(static_cast<std::size_t>(count_));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = decode(bytes.data() + i * static_cast<std::size_t>(each), element_);
  return values;
}

std::mt19937_64& generator() {
  static std::mt19937_64 engine(20261125);
  return engine;
}

std::vector<double> random_values(int64_t count, double scale) {
  std::normal_distribution<double> normal(0, scale);
  std::vector<double> values(static_cast<std::size_t>(count));
  for (double& value : values) value = normal(generator());
  return values;
}

std::vector<Result>& results() {
  static std::vector<Result> list;
  return list;
}

void record(const std::string& name, double error, double limit) {
  const bool passed = error <= limit;
  results().push_back({name, error, limit, passed});
  std::printf("%s %-78s %.3e (limit %.1e)\n", passed ? "ok  " : "FAIL", name.c_str(), error, limit);
  std::fflush(stdout);
}

void compare(const std::string& name, const std::vector<double>& got, const std::vector<double>& want, double limit) {
  double difference = 0, reference = 0;
  for (std::size_t i = 0; i < want.size(); ++i) {
    difference += (got[i] - want[i]) * (got[i] - want[i]);
    reference += want[i] * want[i];
  }
  record(name, reference > 0 ? std::sqrt(difference / reference) : std::numeric_limits<double>::quiet_NaN(), limit);
}

}  // namespace check
