// Softmax metrics: one warp per row of logits, which it reads twice (once for its maximum, once for the sums; the second time from the cache).
// Differences in float32 per element. Block sums are added up in float64 by atomics, so the last bits may differ from run to run.
#include "reductions.h"

#include <gpu/device.h>
#include <gpu/runtime.h>

#include "../device_buffer.h"
#include "typed.h"

namespace longconv::cuda {
namespace {

using namespace gpu;

constexpr int kWarps = 8;
constexpr int kMostBlocks = 2048;

__device__ __forceinline__ double warp_sum(double value) {
  for (int mask = 16; mask > 0; mask /= 2) value += shuffle_xor(value, mask);
  return value;
}
__device__ __forceinline__ float warp_sum(float value) {
  for (int mask = 16; mask > 0; mask /= 2) value += shuffle_xor(value, mask);
  return value;
}

struct MetricsParameters {
  const float* logits;
  const float* dense;
  const int32_t* targets;
  int64_t rows, classes;
  double* sums;  // as lc_cuda_metrics
};

/// Largest logit of a row and the first place where it stands.
__device__ __forceinline__ void row_maximum(const float* row, int64_t classes, int lane, float& largest, int& place) {
  largest = -INFINITY;
  place = 0x7fffffff;
  for (int64_t v = lane; v < classes; v += 32) {
    if (row[v] > largest) largest = row[v], place = static_cast<int>(v);
  }
  for (int mask = 16; mask > 0; mask /= 2) {
    const float other = shuffle_xor(largest, mask);
    const int other_place = static_cast<int>(shuffle_xor(static_cast<uint32_t>(place), mask));
    if (other > largest || (other == largest && other_place < place)) largest = other, place = other_place;
  }
}

__global__ void __launch_bounds__(32 * kWarps) metrics_kernel(MetricsParameters p) {
  const int lane = threadIdx.x % 32;
  double nll = 0, correct = 0, divergence = 0, finite = 0;
  for (int64_t r = static_cast<int64_t>(blockIdx.x) * kWarps + threadIdx.x / 32; r < p.rows; r += static_cast<int64_t>(gridDim.x) * kWarps) {
    if (p.targets[r] == LC_NOT_SCORED) continue;
    const float* const row = p.logits + r * p.classes;
    float largest, dense_largest = 0;
    int best, dense_best;
    row_maximum(row, p.classes, lane, largest, best);
    float sum = 0;
    for (int64_t v = lane; v < p.classes; v += 32) sum += expf(row[v] - largest);
    const float log_sum = logf(warp_sum(sum)) + largest;
    const int32_t target = p.targets[r];
    const float own = target >= 0 && target < p.classes ? row[target] : nanf("");
    if (p.dense) {
      const float* const other = p.dense + r * p.classes;
      row_maximum(other, p.classes, lane, dense_largest, dense_best);
      float dense_sum = 0;
      for (int64_t v = lane; v < p.classes; v += 32) dense_sum += expf(other[v] - dense_largest);
      const float dense_log_sum = logf(warp_sum(dense_sum)) + dense_largest;
      float kl = 0;
      for (int64_t v = lane; v < p.classes; v += 32) {
        const float dense_log = other[v] - dense_log_sum;
        kl += expf(dense_log) * (dense_log - (row[v] - log_sum));
      }
      kl = warp_sum(kl);
      if (lane == 0) divergence += static_cast<double>(kl);
    }
    if (lane == 0) {
      nll += static_cast<double>(log_sum - own);
      correct += best == target ? 1 : 0;
      finite += fabsf(log_sum) < INFINITY ? 1 : 0;
    }
  }
  if (lane == 0) {
    atomicAdd(p.sums, nll);
    atomicAdd(p.sums + 1, correct);
    atomicAdd(p.sums + 2, divergence);
    atomicAdd(p.sums + 3, finite);
  }
}

struct DifferenceParameters {
  const void* a;
  const void* b;
  int element;
  int64_t count;
  double* sums;
};

__global__ void __launch_bounds__(32 * kWarps) difference_kernel(DifferenceParameters p) {
  double difference = 0, reference = 0;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < p.count; i += static_cast<int64_t>(gridDim.x) * blockDim.x) {
    const float a = load_element(p.a, p.element, i), b = load_element(p.b, p.element, i);
    difference += static_cast<double>((a - b) * (a - b));
    reference += static_cast<double>(b * b);
  }
  difference = warp_sum(difference);
  reference = warp_sum(reference);
  if (threadIdx.x % 32 == 0) {
    atomicAdd(p.sums, difference);
    atomicAdd(p.sums + 1, reference);
  }
}

unsigned few_blocks(int64_t count, int64_t each) {
  const unsigned blocks = blocks_for(count, each);
  return blocks < kMostBlocks ? blocks : kMostBlocks;
}

}  // namespace

lc_cuda_metrics token_metrics(const float* logits, const float* dense, const int32_t* targets, int64_t rows, int64_t classes) {
  const DeviceBuffer sums(sizeof(lc_cuda_metrics));
  fill_zero(sums.data(), sizeof(lc_cuda_metrics));
  const MetricsParameters p{logits, dense, targets, rows, classes, static_cast<double*>(sums.data())};
  launch(metrics_kernel, dim3(few_blocks(rows, kWarps)), 32 * kWarps, 0, p);
  lc_cuda_metrics metrics{};
  download(&metrics, sums.data(), sizeof metrics);
  return metrics;
}

void difference_energy(const void* a, const void* b, int32_t element, int64_t count, double* sums) {
  check_signal_element(element, "A comparison");
  const DeviceBuffer device(2 * sizeof(double));
  fill_zero(device.data(), 2 * sizeof(double));
  const DifferenceParameters p{a, b, element, count, static_cast<double*>(device.data())};
  launch(difference_kernel, dim3(few_blocks(count, 32 * kWarps)), 32 * kWarps, 0, p);
  download(sums, device.data(), 2 * sizeof(double));
}

}  // namespace longconv::cuda
