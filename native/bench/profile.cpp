// Runs one prepared kernel a given number of times, for tools that count: `longconv_profile OPERATION CHANNELS LENGTH RUNS`, with dense,
// comb (bins f with f mod 16 in 0, 1, 8, 15), lowpass (a quarter of the bins) or a number of taps. See profile.sh.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "measure.h"

using namespace longconv;

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: longconv_profile dense|comb|lowpass|TAPS CHANNELS LENGTH RUNS\n");
    return 2;
  }
  const char* const operation = argv[1];
  const int64_t channels = std::atoll(argv[2]), length = std::atoll(argv[3]), n = 2 * length;
  const bool comb = std::strcmp(operation, "comb") == 0, masked = comb || std::strcmp(operation, "lowpass") == 0;
  lc_convolution_spec spec{LC_CAUSAL, channels, length, length, 0, nullptr};
  std::vector<uint8_t> kept(static_cast<std::size_t>(n / 2 + 1));
  if (masked) {
    for (int64_t f = 0; f <= n / 2; ++f) kept[static_cast<std::size_t>(f)] = comb ? f % 16 < 2 || f % 16 == 15 || f % 16 == 8 : f < n / 8;
    spec = {LC_GRID, channels, n, length, n, kept.data()};
  } else if (std::strcmp(operation, "dense") != 0) {
    spec.filter_length = std::atoll(operation);
  }
  const std::vector<float> filter = bench::noise(channels * spec.filter_length), input = bench::noise(channels * length);
  std::vector<float> output(input.size());
  bench::run(spec, filter.data(), input, output, std::atoi(argv[4]));
}
