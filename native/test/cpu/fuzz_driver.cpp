// Where there is no libFuzzer: random inputs for the same target, `longconv_fuzz -max_total_time=SECONDS -seed=N`, flags as libFuzzer's.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size);

int main(int argc, char** argv) {
  double seconds = 10;
  uint64_t seed = 1;
  for (int i = 1; i < argc; ++i) {
    if (std::strncmp(argv[i], "-max_total_time=", 16) == 0) seconds = std::atof(argv[i] + 16);
    if (std::strncmp(argv[i], "-seed=", 6) == 0) seed = std::strtoull(argv[i] + 6, nullptr, 10);
  }
  std::mt19937_64 random(seed);
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  int64_t runs = 0;
  std::vector<uint8_t> input;
  for (; std::chrono::steady_clock::now() < end; ++runs) {
    input.resize(random() % 600);
    // Few different bytes in some inputs: small numbers and edges come up more often.
    const uint64_t mask = random() % 3 == 0 ? 0x03 : 0xff;
    for (uint8_t& byte : input) byte = static_cast<uint8_t>(random() & mask);
    LLVMFuzzerTestOneInput(input.data(), input.size());
  }
  std::printf("%lld random inputs\n", static_cast<long long>(runs));
  return 0;
}
