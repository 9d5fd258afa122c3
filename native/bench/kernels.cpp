// Times the CPU kernels in one process with FFTW where it is installed: `longconv_kernels [CHANNELS] [LENGTH ...]`.
//
// LONGCONV_ONLY=TEXT: only the dense kernel and the rows whose names have this text. One thread, filters prepared. All rows of a length are timed in
// turn, kRounds times, and the round with the least median counts: the machine's own speed changes from second to second. Columns: median and MAD in
// ms of thread processor time, microseconds per row, nanoseconds per point, and the ratio to the dense kernel (of FFTW to it).
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>

#include "../src/cpu/dispatch.h"
#include "../src/cpu/masked_filter.h"
#include "fftw.h"
#include "measure.h"

using namespace longconv;

using bench::measure;
using bench::Measured;
using bench::noise;

namespace {

constexpr int kRounds = 3;

/// A row of the table; `filter` is its own where a mask changed it.
struct Case {
  std::string what;
  lc_convolution_spec spec;
  const float* taps;
  std::vector<float> filter;
  std::vector<uint8_t> kept;
  Measured best;
};

void print(const std::string& what, int64_t channels, int64_t length, const bench::Timing& t, double ratio, const lc_plan* plan) {
  std::printf("%-22s H %4lld L %8lld  %9.3f +- %6.3f ms  %9.2f us/row  %6.3f ns/pt  ratio %5.2f", what.c_str(), static_cast<long long>(channels), static_cast<long long>(length),
              t.median_ms, t.mad_ms, 1e3 * t.median_ms / static_cast<double>(channels), 1e6 * t.median_ms / static_cast<double>(channels * length), ratio);
  if (plan) std::printf("  %s n=%lld predicted %.3f ms", plan->name, static_cast<long long>(plan->transform_length), 1e3 * plan->seconds);
  std::printf("\n");
  std::fflush(stdout);
}

void keep_better(bench::Timing& best, const bench::Timing& now) {
  if (best.median_ms == 0 || now.median_ms < best.median_ms) best = now;
}

bool wanted(const std::string& what) {
  const char* only = std::getenv("LONGCONV_ONLY");
  return !only || what.find(only) != std::string::npos;
}

/// Symmetric masks over bins 0..N/2 by a rule on the frequency f and its mirror.
std::vector<uint8_t> kept_bins(int64_t n, const std::function<bool(int64_t)>& keep) {
  std::vector<uint8_t> kept(static_cast<std::size_t>(n / 2 + 1));
  for (int64_t f = 0; f <= n / 2; ++f) kept[static_cast<std::size_t>(f)] = keep(f) || keep((n - f) % n);
  return kept;
}

void add_masked(std::vector<Case>& cases, const std::string& what, int64_t channels, int64_t length, std::vector<uint8_t> kept, const std::vector<float>& dense) {
  if (!wanted(what)) return;
  const int64_t n = 2 * length;
  std::vector<double> gain(kept.begin(), kept.end()), energies(static_cast<std::size_t>(4 * channels));
  std::vector<float> masked(static_cast<std::size_t>(channels * n));
  MaskFilterJob job{dense.data(), channels, length, n, gain.data(), nullptr, 0, MaskedRows::kGrid, masked.data(), &energies[0], &energies[0], &energies[0], &energies[0], 0};
  mask_filters(job, nullptr);
  cases.push_back({what, {LC_GRID, channels, n, length, n, nullptr}, nullptr, std::move(masked), std::move(kept), {}});
}

void measure_in_turn(std::vector<Case>& cases, const std::vector<float>& input, std::vector<float>& output) {
  for (Case& c : cases) {
    const float* taps = c.taps ? c.taps : c.filter.data();
    c.spec.kept = c.kept.empty() ? nullptr : c.kept.data();
    const Measured now = measure(c.spec, taps, input, output);
    keep_better(c.best.timing, now.timing);
    c.best.plan = now.plan;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const int64_t channels = argc > 1 ? std::atoll(argv[1]) : 256;
  std::vector<int64_t> lengths;
  for (int i = 2; i < argc; ++i) lengths.push_back(std::atoll(argv[i]));
  if (lengths.empty()) lengths = {512, 1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072};
  std::printf("%s, %s\n", processor_name().c_str(), select_kernels(bench::variant()).name);
  for (const int64_t length : lengths) {
    const std::vector<float> filter = noise(channels * length), input = noise(channels * length);
    std::vector<float> output(input.size());
    std::vector<Case> cases;
    cases.push_back({"dense", {LC_CAUSAL, channels, length, length, 0, nullptr}, filter.data(), {}, {}, {}});
    const int64_t n = 2 * length;
    add_masked(cases, "comb 4 of 16", channels, length, kept_bins(n, [](int64_t f) { return f % 16 < 2 || f % 16 > 14 || f % 16 == 8; }), filter);
    add_masked(cases, "comb 8 of 32 (n1 < 4)", channels, length, kept_bins(n, [](int64_t f) { return f % 32 < 4; }), filter);
    for (const int64_t part : {4, 8, 16})
      add_masked(cases, "low-pass 1/" + std::to_string(part), channels, length, kept_bins(n, [&](int64_t f) { return f < n / 2 / part; }), filter);
    add_masked(cases, "block 8.8 of 16.16", channels, length, kept_bins(n, [](int64_t f) { return f % 16 < 8 && f / 16 % 16 < 8; }), filter);
    add_masked(cases, "block 4.4 of 16.16", channels, length, kept_bins(n, [](int64_t f) { return f % 16 < 4 && f / 16 % 16 < 4; }), filter);
    for (const int64_t taps : {16, 64, 128, 512, 4096}) {
      const std::string what = "partial " + std::to_string(taps);
      if (taps <= length / 2 && wanted(what)) cases.push_back({what, {LC_CAUSAL, channels, taps, length, 0, nullptr}, filter.data(), {}, {}, {}});
    }
    auto fftw = wanted("FFTW") ? bench::FftwConvolution::create(channels, length, n, filter.data()) : nullptr;
    bench::Timing of_fftw{};
    for (int round = 0; round < kRounds; ++round) {
      if (fftw) keep_better(of_fftw, bench::time_runs([&] { fftw->run(input.data(), output.data(), 1); }));
      measure_in_turn(cases, input, output);
    }
    const double dense_ms = cases[0].best.timing.median_ms;
    if (fftw) print("FFTW", channels, length, of_fftw, of_fftw.median_ms / dense_ms, nullptr);
    for (const Case& c : cases) print(c.what, channels, length, c.best.timing, dense_ms / c.best.timing.median_ms, &c.best.plan);
  }
}
