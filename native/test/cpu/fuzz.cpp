// Fuzz target: bytes become the sizes, modes, masks and pointers of a call through the C table, hostile ones included. Anything may be
// refused; nothing may crash, hang or touch memory that is not its own.
#include <cstddef>
#include <cstring>

#include "../../src/plan/planner.h"
#include "../../src/cpu/backend.h"
#include "../../src/status.h"
#include "cases.h"

using namespace longconv;
using namespace longconv::test;

namespace {

constexpr int64_t kLongest = 400;

struct Bytes {
  const uint8_t* at;
  const uint8_t* end;

  int64_t below(int64_t limit) {
    uint64_t value = 0;
    for (int i = 0; i < 4 && at < end; ++i) value = value << 8 | *at++;
    return static_cast<int64_t>(value % static_cast<uint64_t>(limit));
  }
  int64_t any() {
    int64_t value = 0;
    const std::size_t count = std::min<std::size_t>(sizeof value, static_cast<std::size_t>(end - at));
    std::memcpy(&value, at, count);
    at += count;
    return value;
  }
};

/// Sizes of any kind go to the checks and the planner, which must refuse or plan them without looking at data.
void plan_anything(Bytes& bytes) {
  lc_convolution_spec spec{};
  spec.mode = static_cast<int32_t>(bytes.any());
  if (bytes.below(4) > 0) spec.mode = static_cast<int32_t>(bytes.below(3));
  spec.channels = bytes.any();
  spec.filter_length = bytes.any();
  spec.max_length = bytes.any();
  spec.fft_size = bytes.any();
  std::vector<uint8_t> kept;
  if (spec.mode == LC_GRID) {
    spec.fft_size = bytes.below(4) > 0 ? int64_t{1} << bytes.below(12) : spec.fft_size;
    if (bytes.below(4) > 0) spec.filter_length = spec.fft_size;
    if (spec.fft_size > 0 && spec.fft_size <= 1 << 12) {
      for (int64_t f = 0; f <= spec.fft_size / 2; ++f) kept.push_back(static_cast<uint8_t>(bytes.below(2)));
      spec.kept = kept.data();
    }
    if (bytes.below(4) > 0 && spec.fft_size > 1) spec.max_length = 1 + bytes.below(std::max<int64_t>(1, spec.fft_size / 2));
  }
  lc_status status{};
  lc_costs costs{};
  cpu_backend().costs(nullptr, &costs, &status);
  guarded(&status, [&] {
    check_spec(spec);
    plan_convolution(spec, costs, 1 + bytes.below(1 << 20), spec.max_length, static_cast<int32_t>(1 + bytes.below(64)));
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  Bytes bytes{data, data + size};
  if (bytes.below(2) == 0) {
    plan_anything(bytes);
    return 0;
  }
  Case c;
  make_case([&](int64_t below) { return bytes.below(below); }, kLongest, c);
  lc_status status{};
  if (run_case(c, nullptr, &status) == LC_OK && c.call.sample_type == LC_FLOAT32 && !(error_of(c) < 1e-5)) {
    std::fprintf(stderr, "wrong answer: %s\n", describe(c).c_str());
    __builtin_trap();
  }
  return 0;
}
