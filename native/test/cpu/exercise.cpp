// Low-rank filters, then random convolutions against direct sums in float64: `longconv_exercise [SECONDS] [SEED]`. Exit code 1 on the first wrong
// answer.
//
// Run under sanitizers and on emulated processors, where Node does not go. Some runs are cancelled from another thread half-way.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <thread>

#include "../../src/cpu/dispatch.h"
#include "../../src/status.h"
#include "cases.h"
#include "filters.h"

using namespace longconv;
using namespace longconv::test;

namespace {

constexpr int64_t kLongest = 1500;
/// By sample type: float32 arithmetic, and the rounding of 16-bit results.
constexpr double kAllowed[] = {2e-6, 1e-3, 8e-3};

int fail(const char* what, int64_t number, const Case& c) {
  std::fprintf(stderr, "case %lld: %s (%s)\n", static_cast<long long>(number), what, describe(c).c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (const char* wrong = check_low_rank_filters()) {
    std::fprintf(stderr, "low-rank filters: %s\n", wrong);
    return 1;
  }
  const double seconds = argc > 1 ? std::atof(argv[1]) : 10;
  std::mt19937_64 random(argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1);
  const Choose choose = [&](int64_t below) { return static_cast<int64_t>(random() % static_cast<uint64_t>(below)); };
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  int64_t cases = 0, cancelled = 0;
  double worst[3] = {};
  while (std::chrono::steady_clock::now() < end) {
    Case c;
    make_case(choose, kLongest, c);
    lc_status status{};
    ++cases;
    if (choose(8) == 0) {
      int32_t flag = 0;
      std::thread other([&] { __atomic_store_n(&flag, 1, __ATOMIC_RELAXED); });
      const int32_t code = run_case(c, &flag, &status);
      other.join();
      if (code != LC_OK && code != LC_CANCELLED) return fail(status.message, cases, c);
      cancelled += code == LC_CANCELLED;
      continue;
    }
    const int32_t code = run_case(c, nullptr, &status);
    if (code != LC_OK) return fail(status.message, cases, c);
    const double error = error_of(c);
    const int type = c.call.sample_type;
    worst[type] = std::max(worst[type], error);
    if (!(error <= kAllowed[type])) {
      char what[100];
      std::snprintf(what, sizeof what, "relative error %.2e", error);
      return fail(what, cases, c);
    }
  }
  std::printf("%lld convolutions (%lld cancelled) on", static_cast<long long>(cases), static_cast<long long>(cancelled));
  for (const KernelTable* table : available_kernels()) std::printf(" %s", table->name);
  std::printf("; worst relative error: float32 %.1e, float16 %.1e, bfloat16 %.1e\n", worst[0], worst[1], worst[2]);
  return cases > 0 ? 0 : 1;
}
