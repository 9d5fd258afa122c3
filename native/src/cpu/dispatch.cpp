#include "dispatch.h"

#include <cstring>
#include <fstream>

#include "../status.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace longconv {

extern const KernelTable kPortableKernels;
#if defined(__x86_64__)
extern const KernelTable kAvx2Kernels;
extern const KernelTable kAvx512Kernels;
#elif defined(__aarch64__)
extern const KernelTable kNeonKernels;
#endif

#if defined(__x86_64__)
namespace {

/// Register state that the operating system saves (XCR0); 0 where it saves none beyond SSE.
uint64_t enabled_state() {
  unsigned a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE)) return 0;
  unsigned low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return static_cast<uint64_t>(high) << 32 | low;
}

struct Features {
  bool avx2 = false, avx512 = false;
  Features() {
    unsigned a, b, c, d, b7 = 0, c7 = 0, d7 = 0;
    if (!__get_cpuid(1, &a, &b, &c, &d)) return;
    const bool fma = (c & bit_FMA) && (c & bit_AVX);
    if (!__get_cpuid_count(7, 0, &a, &b7, &c7, &d7)) return;
    const uint64_t state = enabled_state();
    avx2 = fma && (b7 & bit_AVX2) && (state & 0x6) == 0x6;
    const unsigned wanted = bit_AVX512F | bit_AVX512DQ | bit_AVX512BW | bit_AVX512VL;
    avx512 = avx2 && (b7 & wanted) == wanted && (state & 0xe6) == 0xe6;
  }
};

}  // namespace
#endif

const std::vector<const KernelTable*>& available_kernels() {
  static const auto* tables = [] {
    auto* list = new std::vector<const KernelTable*>{&kPortableKernels};
#if defined(__x86_64__)
    const Features features;
    if (features.avx2) list->push_back(&kAvx2Kernels);
    if (features.avx512) list->push_back(&kAvx512Kernels);
#elif defined(__aarch64__)
    list->push_back(&kNeonKernels);
#endif
    return list;
  }();
  return *tables;
}

const KernelTable& select_kernels(const char* name) {
  const auto& tables = available_kernels();
  if (!name || !*name) return *tables.back();
  std::string names;
  for (const KernelTable* table : tables) {
    if (std::strcmp(table->name, name) == 0) return *table;
    names += (names.empty() ? "" : ", ") + std::string(table->name);
  }
  fail(LC_NOT_SUPPORTED, "The instruction set \"%.32s\" cannot run here: this processor and build have %s.", name, names.c_str());
}

std::string processor_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.rfind("model name", 0) != 0) continue;
    const auto at = line.find(": ");
    if (at != std::string::npos) return line.substr(at + 2);
  }
#if defined(__x86_64__)
  return "x86-64 processor";
#elif defined(__aarch64__)
  return "64-bit Arm processor";
#else
  return "processor";
#endif
}

}  // namespace longconv
