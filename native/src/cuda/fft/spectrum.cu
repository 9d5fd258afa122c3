#include "spectrum.h"

#include <cuda_fp16.h>

#include <algorithm>

#include "geometry.h"

namespace longconv::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int64_t kScratchBytes = int64_t{256} << 20;

/// x[c][i] = (k[c][i] + i k[c][n + i]) exp(2 pi i alpha i / n), 0 from `taps` on: in the ring of alpha = 1/4, z^n = i. On a circle the second
/// is -i k[c][i - n], the lags below 0. Grid (n / 256, channels), as in all kernels here.
__global__ void load_twisted(const float* filter, int64_t filter_length, int64_t taps, int64_t circle, double turns, float2* x, int64_t n) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x, c = blockIdx.y;
  if (i >= n) return;
  const float* const row = filter + c * filter_length;
  const float re = i < taps ? row[i] : 0, im = circle ? (i > 0 ? -row[circle - n + i] : 0) : n + i < taps ? row[n + i] : 0;
  double s, co;
  sincospi(2 * turns * static_cast<double>(i), &s, &co);
  const float2 twist = make_float2(static_cast<float>(co), static_cast<float>(s));
  x[c * n + i] = make_float2(re * twist.x - im * twist.y, re * twist.y + im * twist.x);
}

/// One radix-2 stage, natural order in, bit-reversed out: pairs `half` apart.
__global__ void stage(float2* x, int64_t n, int64_t half) {
  const int64_t pair = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (pair >= n / 2) return;
  const int64_t inner = pair & (half - 1), i = 2 * (pair - inner) + inner;
  float2* row = x + blockIdx.y * n;
  const float2 a = row[i], b = row[i + half];
  float s, c;
  sincospif(-static_cast<float>(inner) / static_cast<float>(half), &s, &c);
  const float2 d = make_float2(a.x - b.x, a.y - b.y);
  row[i] = make_float2(a.x + b.x, a.y + b.y);
  row[i + half] = make_float2(d.x * c - d.y * s, d.x * s + d.y * c);
}

__device__ int64_t reversed(int64_t f, int bits) { return __brevll(static_cast<unsigned long long>(f)) >> (64 - bits); }

/// out[c][f] = the bins of x that are kept, in natural order, and 0.
__global__ void keep_bins(const float2* x, int64_t n, int bits, const uint8_t* kept, float2* out) {
  const int64_t f = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (f < n) out[blockIdx.y * n + f] = kept[min(f, n - f)] ? x[blockIdx.y * n + reversed(f, bits)] : make_float2(0, 0);
}

/// out[c][t] = real part of what x is the transform of: the transform of the bins, with t turned round, is n times their inverse transform.
__global__ void load_inverse(const float2* x, int64_t n, int bits, float* out) {
  const int64_t t = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (t < n) out[blockIdx.y * n + t] = x[blockIdx.y * n + reversed((n - t) & (n - 1), bits)].x / static_cast<float>(n);
}

/// Zeroes bins that are not kept; maximum[c] = largest |re| or |im|, as bits.
__global__ void mask_and_measure(float2* x, int64_t n, int bits, const uint8_t* kept, unsigned* maximum) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= n) return;
  float2* at = x + blockIdx.y * n + i;
  const int64_t f = reversed(i, bits);
  if (kept && !kept[min(f, n - f)]) *at = make_float2(0, 0);
  const float2 v = *at;
  atomicMax(maximum + blockIdx.y, __float_as_uint(fmaxf(fabsf(v.x), fabsf(v.y))));
}

__global__ void store(const float2* x, int64_t n, int bits, const unsigned* maximum, SpectrumRequest r, uint32_t* out, float* scale) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x, c = blockIdx.y;
  const int64_t words = static_cast<int64_t>(r.kept_rows) * r.points;
  if (i >= words) return;
  const float top = __uint_as_float(maximum[c]);
  int exponent = 0;
  if (top > 0 && !isinf(top)) frexpf(top, &exponent);
  exponent = max(-120, min(120, exponent));
  const float factor = ldexpf(1.0f, -exponent);
  if (i == 0) scale[c] = ldexpf(1.0f, exponent) / r.gain;
  const int slot = static_cast<int>(i / r.points), position = static_cast<int>(i - static_cast<int64_t>(slot) * r.points);
  float part[2];  // re or im of two frequencies
  for (int half = 0; half < 2; ++half) {
    const int64_t f = r.frequency[slot] + static_cast<int64_t>(r.rows) * filter_frequency(geometry_of(r.points), position, half);
    const float2 v = x[c * n + reversed(f, bits)];
    part[half] = (position & 1 ? v.y : v.x) * factor;
  }
  const __half2 pair = __floats2half2_rn(part[0], part[1]);
  memcpy(out + c * words + i, &pair, 4);
}

unsigned blocks_for(int64_t count) { return static_cast<unsigned>((count + kThreads - 1) / kThreads); }

int bits_of(int64_t n) {
  int bits = 0;
  while (int64_t{1} << bits < n) ++bits;
  return bits;
}

/// Natural order in, bit-reversed out.
void transform(float2* x, int64_t n, unsigned channels, cudaStream_t stream) {
  for (int64_t half = n / 2; half >= 1; half /= 2) stage<<<dim3(blocks_for(n / 2), channels), kThreads, 0, stream>>>(x, n, half);
}

/// Filters on a circle without what the bins that are not kept hold. x and bins: complex, [channels][circle]; the result lies in x.
const float* without_dropped_bins(const SpectrumRequest& r, const float* filter, unsigned channels, float2* x, float2* bins, cudaStream_t stream) {
  const int64_t n = r.circle;
  const dim3 grid(blocks_for(n), channels);
  load_twisted<<<grid, kThreads, 0, stream>>>(filter, r.filter_length, r.taps, 0, 0, x, n);
  transform(x, n, channels, stream);
  keep_bins<<<grid, kThreads, 0, stream>>>(x, n, bits_of(n), r.kept, bins);
  transform(bins, n, channels, stream);
  float* const out = reinterpret_cast<float*>(x);
  load_inverse<<<grid, kThreads, 0, stream>>>(bins, n, bits_of(n), out);
  return out;
}

}  // namespace

void compute_spectrum(const SpectrumRequest& request, uint32_t* out, float* scale, cudaStream_t stream) {
  const int64_t n = request.transform, room = 8 * std::max(n, request.circle);  // bytes of a channel
  const int bits = bits_of(n);
  const bool masked = request.circle && request.kept;
  const int64_t at_once = std::min<int64_t>({request.channels, std::max<int64_t>(1, kScratchBytes / room), 65535});
  DeviceMemory scratch(room * at_once), more(masked ? room * at_once : 0), maximum(4 * at_once);
  for (int64_t first = 0; first < request.channels; first += at_once) {
    const unsigned count = static_cast<unsigned>(std::min(at_once, request.channels - first));
    check(cudaMemsetAsync(maximum.as<unsigned>(), 0, 4 * count, stream), "clear memory");
    const float* filter = request.filter + first * request.filter_length;
    if (masked) filter = without_dropped_bins(request, filter, count, scratch.as<float2>(), more.as<float2>(), stream);
    float2* const x = (masked ? more : scratch).as<float2>();
    load_twisted<<<dim3(blocks_for(n), count), kThreads, 0, stream>>>(filter, request.filter_length, request.taps, request.circle, request.alpha / n, x, n);
    transform(x, n, count, stream);
    mask_and_measure<<<dim3(blocks_for(n), count), kThreads, 0, stream>>>(x, n, bits, masked ? nullptr : request.kept, maximum.as<unsigned>());
    const int64_t words = static_cast<int64_t>(request.kept_rows) * request.points;
    if (words > 0)
      store<<<dim3(blocks_for(words), count), kThreads, 0, stream>>>(x, n, bits, maximum.as<unsigned>(), request,
                                                                     out + first * words, scale + first);
    check(cudaGetLastError(), "prepare the filters");
  }
  check(cudaStreamSynchronize(stream), "prepare the filters");
}

}  // namespace longconv::cuda
