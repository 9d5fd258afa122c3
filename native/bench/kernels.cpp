// Times the CPU kernels one by one, in one process with FFTW where it is installed: `longconv_kernels [CHANNELS] [LENGTH ...]`.
//
// LONGCONV_ONLY=TEXT: only the dense kernel and the rows whose names have this text. One thread, filters prepared. Columns: median and MAD in ms of
// thread processor time, microseconds per row, nanoseconds per point, and the ratio to the dense kernel or to FFTW.
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

void print(const char* what, int64_t channels, int64_t length, const bench::Timing& t, double baseline_ms, const lc_plan* plan) {
  std::printf("%-22s H %4lld L %8lld  %9.3f +- %6.3f ms  %9.2f us/row  %6.3f ns/pt  ratio %5.2f", what, static_cast<long long>(channels), static_cast<long long>(length), t.median_ms,
              t.mad_ms, 1e3 * t.median_ms / static_cast<double>(channels), 1e6 * t.median_ms / static_cast<double>(channels * length), baseline_ms / t.median_ms);
  if (plan) std::printf("  %s n=%lld predicted %.3f ms", plan->name, static_cast<long long>(plan->transform_length), 1e3 * plan->seconds);
  std::printf("\n");
  std::fflush(stdout);
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

void measure_masked(const std::string& what, int64_t channels, int64_t length, const std::vector<uint8_t>& kept, const std::vector<float>& dense, const std::vector<float>& input,
                    std::vector<float>& output, double dense_ms) {
  if (!wanted(what)) return;
  const int64_t n = 2 * length;
  std::vector<double> gain(kept.begin(), kept.end()), energies(static_cast<std::size_t>(4 * channels));
  std::vector<float> masked(static_cast<std::size_t>(channels * n));
  MaskFilterJob job{dense.data(), channels, length, n, gain.data(), nullptr, 0, MaskedRows::kGrid, masked.data(), &energies[0], &energies[0], &energies[0], &energies[0], 0};
  mask_filters(job, nullptr);
  lc_convolution_spec spec{LC_GRID, channels, n, length, n, kept.data()};
  const Measured m = measure(spec, masked.data(), input, output);
  print(what.c_str(), channels, length, m.timing, dense_ms, &m.plan);
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
    lc_convolution_spec spec{LC_CAUSAL, channels, length, length, 0, nullptr};
    const Measured dense = measure(spec, filter.data(), input, output);
    auto fftw = wanted("FFTW") ? bench::FftwConvolution::create(channels, length, 2 * length, filter.data()) : nullptr;
    if (fftw) {
      const bench::Timing t = bench::time_runs([&] { fftw->run(input.data(), output.data(), 1); });
      print("FFTW", channels, length, t, t.median_ms, nullptr);
      print("dense", channels, length, dense.timing, t.median_ms, &dense.plan);
    } else {
      print("dense", channels, length, dense.timing, dense.timing.median_ms, &dense.plan);
    }
    const int64_t n = 2 * length;
    measure_masked("comb 4 of 16", channels, length, kept_bins(n, [](int64_t f) { return f % 16 < 2 || f % 16 > 14 || f % 16 == 8; }), filter, input, output, dense.timing.median_ms);
    measure_masked("comb 8 of 32 (n1 < 4)", channels, length, kept_bins(n, [](int64_t f) { return f % 32 < 4; }), filter, input, output, dense.timing.median_ms);
    for (const int64_t part : {4, 8, 16})
      measure_masked("low-pass 1/" + std::to_string(part), channels, length, kept_bins(n, [&](int64_t f) { return f < n / 2 / part; }), filter, input, output, dense.timing.median_ms);
    measure_masked("block 8.8 of 16.16", channels, length, kept_bins(n, [](int64_t f) { return f % 16 < 8 && f / 16 % 16 < 8; }), filter, input, output, dense.timing.median_ms);
    for (const int64_t taps : {int64_t{16}, int64_t{64}, int64_t{128}, int64_t{512}, int64_t{4096}, length / 64}) {
      const std::string what = "partial " + std::to_string(taps);
      if (taps < 1 || taps > length / 2 || !wanted(what)) continue;
      lc_convolution_spec partial{LC_CAUSAL, channels, taps, length, 0, nullptr};
      const Measured m = measure(partial, filter.data(), input, output);
      print(what.c_str(), channels, length, m.timing, dense.timing.median_ms, &m.plan);
    }
  }
}
