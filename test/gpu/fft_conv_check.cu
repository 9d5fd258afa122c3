// Checks the CUDA FFT convolution against float64 and times it. One JSON line for each case on stdout; exit 1 if one is wrong.
//   fft_conv_check check          many small and odd shapes
//   fft_conv_check bench [plain|gated] [N]   the shapes of FlashFFTConv's benchmark, overlap-save and sparse ones (with N: those of one N)
//   fft_conv_check once [plain|gated] [N]    the same shapes, one call each, for profilers
// Timing: CUDA events, filters prepared, warm, median; inputs rotate through more memory than the L2 cache holds.
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "fft_conv.h"
#include "reference.h"

namespace {

using namespace longconv::cuda;

void must(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  std::fprintf(stderr, "%s: %s\n", what, cudaGetErrorString(error));
  std::exit(2);
}

/// Unit normal numbers from a hash of (seed, i).
__device__ float normal(uint64_t seed, int64_t i) {
  uint64_t z = (seed << 40) + static_cast<uint64_t>(i) + 0x9e3779b97f4a7c15ull;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  z ^= z >> 31;
  const float a = (static_cast<uint32_t>(z) >> 8) * (1.0f / 16777216) + 1.0f / 33554432, b = static_cast<float>(z >> 40) * (1.0f / 16777216);
  return sqrtf(-2 * logf(a)) * cospif(2 * b);
}

/// uneven: every second stretch of 4096 numbers is so much larger.
template <class E>
__global__ void fill(E* out, int64_t count, uint64_t seed, float amplitude, float uneven) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i < count) out[i] = static_cast<E>(normal(seed, i) * (i / 4096 % 2 ? amplitude * uneven : amplitude));
}

__global__ void fill_filter(float* out, int64_t channels, int64_t taps, uint64_t seed, float decay) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i < channels * taps) out[i] = normal(seed, i) * expf(-decay * static_cast<float>(i % taps) / static_cast<float>(taps));
}

template <class E>
__global__ void count_bad(const E* y, int64_t count, unsigned long long* bad) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i < count && !isfinite(static_cast<float>(y[i]))) atomicAdd(bad, 1ull);
}

unsigned blocks(int64_t count) { return static_cast<unsigned>((count + 255) / 256); }

struct Case {
  const char* name;
  lc_mode mode;
  bool overlap_save;
  int64_t n, taps, length, batch, channels;  // n: circle, or transform of the peer it is compared with
  bool gated, skip;
  Element element;
  int64_t comb, comb_kept;  // keep classes f mod comb < comb_kept and their mirrors; 0: all
  float amplitude;
  bool timed;
  float uneven = 1;  // fill()
  bool right_angle = false;  // grid: rows on their own
  float decay = 3;           // of the filter, to exp(-decay)
};

template <class E>
bool run(const Case& c) {
  const int64_t count = c.batch * c.channels * c.length;
  const int64_t bytes = count * static_cast<int64_t>(sizeof(E)) * (c.gated ? 4 : 2);
  const int sets = c.timed ? static_cast<int>(std::max<int64_t>(1, (int64_t{400} << 20) / bytes)) : 1;
  std::vector<E*> u(sets), pre(sets), post(sets), y(sets);
  for (int i = 0; i < sets; ++i) {
    E** arrays[] = {&u[i], &pre[i], &post[i]};
    for (int a = 0; a < (c.gated ? 3 : 1); ++a) {
      must(cudaMalloc(arrays[a], count * sizeof(E)), "memory");
      fill<<<blocks(count), 256>>>(*arrays[a], count, 17 * i + a + 1, a == 0 ? c.amplitude : 1.0f, a == 0 ? c.uneven : 1.0f);
    }
    must(cudaMalloc(&y[i], count * sizeof(E)), "memory");
    must(cudaMemset(y[i], 0xff, count * sizeof(E)), "poison");
  }
  const int64_t taps = c.taps;
  float *filter = nullptr, *skip = nullptr;
  must(cudaMalloc(&filter, c.channels * taps * sizeof(float)), "memory");
  fill_filter<<<blocks(c.channels * taps), 256>>>(filter, c.channels, taps, 99, c.decay);
  must(cudaMalloc(&skip, c.channels * sizeof(float)), "memory");
  fill<<<blocks(c.channels), 256>>>(skip, c.channels, 77, 1.0f, 1.0f);
  std::vector<uint8_t> kept;
  if (c.comb) {
    kept.assign(c.n / 2 + 1, 0);
    for (int64_t f = 0; f <= c.n / 2; ++f) kept[f] = f % c.comb < c.comb_kept || (c.n - f) % c.comb < c.comb_kept;
  }
  FftConvSpec spec = {c.mode, c.channels, taps, c.length, c.mode == LC_GRID ? c.n : 0, c.comb ? kept.data() : nullptr, std::getenv("CHUNK_MB") ? std::atoll(std::getenv("CHUNK_MB")) << 20 : 0, c.overlap_save, c.right_angle};
  FftConvPlan* plan = nullptr;
  lc_status status = {};
  cudaEvent_t begin, end;
  must(cudaEventCreate(&begin), "event");
  must(cudaEventCreate(&end), "event");
  cudaEventRecord(begin);
  if (fft_conv_prepare(spec, filter, nullptr, &plan, &status) != LC_OK) {
    std::printf("{\"name\":\"%s\",\"failed\":\"%s\"}\n", c.name, status.message);
    return false;
  }
  cudaEventRecord(end);
  must(cudaEventSynchronize(end), "prepare");
  float prepare_ms = 0;
  cudaEventElapsedTime(&prepare_ms, begin, end);
  void* workspace = nullptr;
  if (fft_conv_workspace_bytes(*plan)) must(cudaMalloc(&workspace, fft_conv_workspace_bytes(*plan)), "memory");
  auto launch = [&](int set) {
    FftConvCall call = {u[set], y[set], c.gated ? pre[set] : nullptr, c.gated ? post[set] : nullptr, c.skip ? skip : nullptr, workspace,
                        c.batch, c.length, c.channels, 0, c.element};
    if (fft_conv_launch(*plan, call, nullptr, &status) == LC_OK) return true;
    std::printf("{\"name\":\"%s\",\"failed\":\"%s\"}\n", c.name, status.message);
    return false;
  };
  if (!launch(0)) return false;
  must(cudaDeviceSynchronize(), c.name);
  unsigned long long* bad = nullptr;
  must(cudaMalloc(&bad, 8), "memory");
  must(cudaMemset(bad, 0, 8), "clear");
  count_bad<<<blocks(count), 256>>>(y[0], count, bad);
  unsigned long long host_bad = 0;
  must(cudaMemcpy(&host_bad, bad, 8, cudaMemcpyDeviceToHost), "count");

  // Rows compared: first, last, one in between (all of them in small cases).
  double error = 0, norm = 0, worst = 0;
  std::vector<int64_t> rows;
  const int64_t all = c.batch * c.channels;
  if (all <= 12) for (int64_t r = 0; r < all; ++r) rows.push_back(r);
  else rows = {0, all / 2 + 1, all - 1};
  if (c.length > (1 << 20) && rows.size() > 2) rows = {all - 1};
  std::vector<float> k(taps), d(c.channels);
  must(cudaMemcpy(d.data(), skip, c.channels * sizeof(float), cudaMemcpyDeviceToHost), "copy");
  for (const int64_t row : rows) {
    std::vector<E> hu(c.length), hp(c.length), hq(c.length), hy(c.length);
    must(cudaMemcpy(hu.data(), u[0] + row * c.length, c.length * sizeof(E), cudaMemcpyDeviceToHost), "copy");
    must(cudaMemcpy(hy.data(), y[0] + row * c.length, c.length * sizeof(E), cudaMemcpyDeviceToHost), "copy");
    if (c.gated) {
      must(cudaMemcpy(hp.data(), pre[0] + row * c.length, c.length * sizeof(E), cudaMemcpyDeviceToHost), "copy");
      must(cudaMemcpy(hq.data(), post[0] + row * c.length, c.length * sizeof(E), cudaMemcpyDeviceToHost), "copy");
    }
    const int64_t channel = row % c.channels;
    must(cudaMemcpy(k.data(), filter + channel * taps, taps * sizeof(float), cudaMemcpyDeviceToHost), "copy");
    std::vector<double> du(c.length), dk(k.begin(), k.end());
    for (int64_t i = 0; i < c.length; ++i) du[i] = static_cast<double>(static_cast<float>(hu[i])) * (c.gated ? static_cast<float>(hp[i]) : 1.0f);
    size_t circle = c.mode == LC_CAUSAL ? 1 : c.mode == LC_GRID ? c.n : c.length;
    if (c.mode == LC_CAUSAL) {
      if (static_cast<int64_t>(dk.size()) > c.length) dk.resize(c.length);
      while (circle < du.size() + dk.size()) circle *= 2;
    }
    const std::vector<double> want = longconv::check::convolve(du, dk, circle, c.comb ? kept.data() : nullptr);
    double row_error = 0, row_norm = 0;
    for (int64_t i = 0; i < c.length; ++i) {
      double w = want[i] + (c.skip ? static_cast<double>(d[channel]) * du[i] : 0);
      if (c.gated) w *= static_cast<float>(hq[i]);
      const double e = static_cast<float>(hy[i]) - w;
      row_error += e * e;
      row_norm += w * w;
    }
    error += row_error;
    norm += row_norm;
    worst = std::max(worst, std::sqrt(row_error / row_norm));
  }
  const double relative = std::sqrt(error / norm);
  const double limit = c.element == Element::kBfloat16 ? 2.5e-3 : 1e-3;
  const bool good = host_bad == 0 && relative <= limit && worst <= limit;

  double median = 0, spread = 0;
  int repeats = 0;
  if (c.timed) {
    for (int i = 0; i < 3; ++i) launch(i % sets);
    cudaEventRecord(begin);
    launch(0);
    cudaEventRecord(end);
    must(cudaEventSynchronize(end), c.name);
    float once = 0;
    cudaEventElapsedTime(&once, begin, end);
    repeats = std::max(5, std::min(60, static_cast<int>(60 / std::max(0.01f, once))));
    std::vector<cudaEvent_t> events(repeats + 1);
    for (auto& e : events) must(cudaEventCreate(&e), "event");
    cudaEventRecord(events[0]);
    for (int i = 0; i < repeats; ++i) {
      launch(i % sets);
      cudaEventRecord(events[i + 1]);
    }
    must(cudaDeviceSynchronize(), c.name);
    std::vector<float> times(repeats);
    for (int i = 0; i < repeats; ++i) cudaEventElapsedTime(&times[i], events[i], events[i + 1]);
    for (auto& e : events) cudaEventDestroy(e);
    std::sort(times.begin(), times.end());
    median = times[repeats / 2];
    spread = times[repeats * 3 / 4] - times[repeats / 4];
  }
  std::printf("{\"name\":\"%s\",\"plan\":\"%s\",\"N\":%lld,\"L\":%lld,\"B\":%lld,\"H\":%lld,\"K\":%lld,\"gated\":%d,\"dtype\":%d,\"error\":%.2e,\"worst\":%.2e,"
              "\"bad\":%llu,\"ok\":%d,\"ms\":%.4f,\"iqr\":%.4f,\"repeats\":%d,\"sets\":%d,\"moved_bytes\":%lld,\"prepare_ms\":%.2f,\"plan_bytes\":%zu,\"workspace\":%zu}\n",
              c.name, fft_conv_describe(*plan), static_cast<long long>(c.n), static_cast<long long>(c.length), static_cast<long long>(c.batch),
              static_cast<long long>(c.channels), static_cast<long long>(c.taps), c.gated, static_cast<int>(c.element), relative, worst, host_bad, good,
              median, spread, repeats, sets, static_cast<long long>(bytes), prepare_ms, fft_conv_prepared_bytes(*plan), fft_conv_workspace_bytes(*plan));
  std::fflush(stdout);
  fft_conv_free(plan);
  for (int i = 0; i < sets; ++i) {
    cudaFree(u[i]);
    cudaFree(y[i]);
    if (c.gated) cudaFree(pre[i]), cudaFree(post[i]);
  }
  cudaFree(filter);
  cudaFree(skip);
  cudaFree(workspace);
  cudaFree(bad);
  cudaEventDestroy(begin);
  cudaEventDestroy(end);
  return good;
}

bool run_case(const Case& c) {
  switch (c.element) {
    case Element::kHalf: return run<__half>(c);
    case Element::kBfloat16: return run<__nv_bfloat16>(c);
    case Element::kFloat: return run<float>(c);
  }
  return false;
}

std::vector<Case> check_cases() {
  std::vector<Case> out;
  const Element elements[] = {Element::kHalf, Element::kBfloat16, Element::kFloat};
  int turn = 0;
  for (int64_t n = 256; n <= 524288; n *= 2)
    for (int kind = 0; kind < 4; ++kind) {
      const Element e = elements[turn++ % 3];
      const int64_t batch = kind + 1, channels = 3;
      if (kind < 2) out.push_back({"circular", LC_CIRCULAR, false, n, n, n, batch, channels, kind == 1, kind == 1, e, 0, 0, 1, false});
      else out.push_back({"causal", LC_CAUSAL, false, 2 * n, n, kind == 2 ? n : n - n / 5 + 1, batch, channels, kind == 3, kind == 3, e, 0, 0, 1, false});
      if (kind == 2) out.push_back({"grid", LC_GRID, false, n, n, n / 2, batch, channels, false, true, e, 8, 2, 1, false});
      if (kind == 3) out.push_back({"grid", LC_GRID, false, n, n, n / 2 - 3, batch, channels, false, false, e, 32, 8, 1, false});
      if (kind == 1) out.push_back({"grid, rows on their own", LC_GRID, false, n, n, n / 2, batch, channels, true, true, e, 8, 2, 1, false, 1, true});
      if (kind == 0) out.push_back({"grid, rows on their own", LC_GRID, false, n, n, n / 4 + 3, batch, channels, false, false, e, 32, 8, 1, false, 1, true});
    }
  for (int64_t taps : {2, 100, 513, 2048, 4096, 16384, 32768})
    for (int64_t length : {1000, 8192, 100001, 200000})
      out.push_back({"overlap-save", LC_CAUSAL, true, 2 * length, taps, length, 3, 2, taps % length < 1000, true, elements[turn++ % 3], 0, 0, 1, false});
  out.push_back({"overlap-save, history of more than half a block", LC_CAUSAL, true, 12000, 5000, 6001, 2, 2, true, true, Element::kHalf, 0, 0, 1, false});
  out.push_back({"overlap-save, history of more than half a block", LC_CAUSAL, true, 24000, 9000, 12000, 2, 2, false, false, Element::kFloat, 0, 0, 1, false});
  out.push_back({"overlap-save in clusters", LC_CAUSAL, true, 1 << 21, 32768, 1 << 20, 1, 2, true, false, Element::kHalf, 0, 0, 1, false});
  for (int64_t taps : {256, 4096, 16384})
    out.push_back({"overlap-save, filters of noise", LC_CAUSAL, true, 1 << 21, taps, 1 << 20, 1, 256, false, false, Element::kHalf, 0, 0, 1, false, 1, false, 0});
  out.push_back({"overlap-save, one row", LC_CAUSAL, true, 200000, 513, 100000, 1, 1, true, false, Element::kHalf, 0, 0, 1, false});
  for (int64_t taps : {100, 4096, 16384}) {
    out.push_back({"overlap-save, large values", LC_CAUSAL, true, 200000, taps, 100000, 2, 2, false, false, Element::kFloat, 0, 0, 1e30f, false});
    out.push_back({"overlap-save, small values", LC_CAUSAL, true, 200000, taps, 100000, 2, 2, false, true, Element::kBfloat16, 0, 0, 1e-20f, false});
    out.push_back({"overlap-save, uneven", LC_CAUSAL, true, 200000, taps, 100000, 2, 2, false, true, Element::kBfloat16, 0, 0, 1e30f, false, 1e-30f});
    out.push_back({"overlap-save, uneven", LC_CAUSAL, true, 200000, taps, 100000, 2, 2, true, true, Element::kHalf, 0, 0, 1.0f / 64, false, 64});
  }
  out.push_back({"causal, one point", LC_CAUSAL, false, 2, 1, 1, 5, 4, false, true, Element::kHalf, 0, 0, 1, false});
  out.push_back({"large values", LC_CIRCULAR, false, 4096, 4096, 4096, 2, 2, false, false, Element::kFloat, 0, 0, 1e30f, false});
  out.push_back({"small values", LC_CIRCULAR, false, 8192, 8192, 8192, 3, 2, false, false, Element::kBfloat16, 0, 0, 1e-20f, false});
  out.push_back({"long, large values", LC_CAUSAL, false, 131072, 65536, 65536, 3, 2, false, false, Element::kFloat, 0, 0, 1e8f, false});
  out.push_back({"long, small values", LC_CIRCULAR, false, 65536, 65536, 65536, 3, 2, false, false, Element::kBfloat16, 0, 0, 1e-9f, false});
  out.push_back({"grid, rows on their own, of more than half the circle", LC_GRID, false, 4096, 4096, 3000, 3, 2, false, true, Element::kHalf, 32, 8, 1, false, 1, true});
  out.push_back({"grid, rows on their own, all bins", LC_GRID, false, 8192, 8192, 4096, 1, 2, false, true, Element::kHalf, 0, 0, 1, false, 1, true});
  out.push_back({"long", LC_CAUSAL, false, 1 << 21, 1 << 20, (1 << 20) - 8, 1, 2, true, true, Element::kHalf, 0, 0, 1, false});
  out.push_back({"long", LC_CIRCULAR, false, 1 << 22, 1 << 22, 1 << 22, 2, 1, false, false, Element::kHalf, 0, 0, 1, false});
  return out;
}

std::vector<Case> bench_cases(bool gated) {
  struct Shape { int64_t n, b, h; };
  const Shape shapes[] = {{256, 64, 768}, {1024, 64, 768}, {2048, 64, 768}, {4096, 64, 768}, {8192, 64, 768}, {16384, 32, 768}, {32768, 16, 768},
                          {65536, 8, 768}, {131072, 8, 384}, {262144, 8, 192}, {524288, 8, 96}, {1048576, 8, 48}, {2097152, 8, 32}, {4194304, 8, 16}};
  std::vector<Case> out;
  for (const Shape& s : shapes) {
    out.push_back({"circular", LC_CIRCULAR, false, s.n, s.n, s.n, s.b, s.h, gated, false, Element::kHalf, 0, 0, 1, true});
    out.push_back({"causal", LC_CAUSAL, false, s.n, s.n / 2, s.n / 2, s.b, s.h, gated, false, Element::kHalf, 0, 0, 1, true});
  }
  if (gated) return out;
  out.push_back({"circular", LC_CIRCULAR, false, 4096, 4096, 4096, 64, 768, false, false, Element::kBfloat16, 0, 0, 1, true});
  for (const Shape& s : {shapes[7], shapes[9], shapes[10], shapes[11], shapes[13]}) {
    out.push_back({"grid, all rows", LC_GRID, false, s.n, s.n, s.n, s.b, s.h, false, false, Element::kHalf, 0, 0, 1, true});
    out.push_back({"grid, 75% dropped", LC_GRID, false, s.n, s.n, s.n, s.b, s.h, false, false, Element::kHalf, 128, 17, 1, true});
  }
  // One row to a channel: in pairs on the circle, of which half is empty, and on its own.
  for (const int64_t length : {8192, 65536, 131072, 1 << 20})
    for (const bool alone : {false, true})
      out.push_back({alone ? "grid, one row, right angle" : "grid, one row, pair", LC_GRID, false, 2 * length, 2 * length, length, 1, 256, false, false, Element::kHalf,
                     128, 17, 1, true, 1, alone});
  for (int64_t taps : {256, 1024, 4096, 16384})
    for (int64_t length : {1 << 20, 1 << 22})
      out.push_back({"overlap-save", LC_CAUSAL, true, 2 * length, taps, length, 8, length == 1 << 20 ? 32 : 8, false, false, Element::kHalf, 0, 0, 1, true});
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "check";
  cudaDeviceProp properties = {};
  must(cudaGetDeviceProperties(&properties, 0), "device");
  std::printf("{\"device\":\"%s\",\"multiprocessors\":%d,\"l2_bytes\":%d}\n", properties.name, properties.multiProcessorCount, properties.l2CacheSize);
  int wrong = 0, all = 0;
  const int64_t only = argc > 3 ? std::atoll(argv[3]) : 0;
  for (Case c : what == "check" ? check_cases() : bench_cases(argc > 2 && std::strcmp(argv[2], "gated") == 0)) {
    if (only && c.n != only) continue;
    if (what == "once") c.timed = false;
    ++all;
    wrong += !run_case(c);
  }
  std::printf("{\"cases\":%d,\"wrong\":%d}\n", all, wrong);
  return wrong != 0;
}
