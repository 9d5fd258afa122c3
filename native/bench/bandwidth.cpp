// What one thread moves between the processor and memory: `longconv_bandwidth [MIB]` (two arrays of so many MiB, default 128). What the kernels move is
// held against these rates in docs/performance.md.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "../src/cpu/aligned_buffer.h"
#include "../src/cpu/dispatch.h"
#include "measure.h"

using namespace longconv;

namespace {

void print(const char* what, double bytes, const bench::Timing& t) {
  std::printf("%-40s %6.1f +- %.1f GB/s\n", what, 1e-6 * bytes / t.median_ms, 1e-6 * bytes * t.mad_ms / (t.median_ms * t.median_ms));
}

}  // namespace

int main(int argc, char** argv) {
  const int64_t count = (argc > 1 ? std::atoll(argv[1]) : 128) * (1 << 20) / 4;
  const double bytes = static_cast<double>(4 * count);
  const KernelTable& kernels = select_kernels(bench::variant());
  AlignedBuffer<float> a(count), b(count);
  a.clear();
  b.clear();
  volatile float sum;  // the product is needed, says this to the compiler
  print("read (dot product of both arrays)", 2 * bytes, bench::time_runs([&] { sum = kernels.dot(a.data(), b.data(), nullptr, count); }));
  print("write", bytes, bench::time_runs([&] { std::memset(b.data(), 1, static_cast<std::size_t>(4 * count)); }));
  print("copy (bytes read and bytes written)", 2 * bytes, bench::time_runs([&] { std::memcpy(b.data(), a.data(), static_cast<std::size_t>(4 * count)); }));
}
