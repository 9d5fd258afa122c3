#include "siren_filter.h"

#include <algorithm>
#include <cmath>

#include "aligned_buffer.h"
#include "dispatch.h"
#include "thread_pool.h"

namespace longconv {

namespace {

/// Tiles of positions that one thread takes at a time.
constexpr int64_t kTilesPerItem = 8;

}  // namespace

void siren_filter(const SirenJob& job, const int32_t* cancel) {
  const KernelTable& kernels = select_kernels(nullptr);
  std::vector<std::vector<double>> values;
  const auto doubles = [&](const float* from, int64_t count) {
    values.emplace_back(from, from + count);
    return values.back().data();
  };
  values.reserve(2 * job.layers.size() + 3);
  std::vector<SirenLayer> layers;
  int64_t widest = job.features;
  for (const SirenJob::Layer& layer : job.layers) {
    layers.push_back({doubles(layer.weight, layer.width * layer.in), doubles(layer.bias, layer.width), layer.in, layer.width});
    widest = std::max(widest, layer.width);
  }
  const int64_t width = job.layers.empty() ? job.features : job.layers.back().width;
  SirenTables tables{};
  tables.layers = layers.data();
  tables.layer_count = static_cast<int64_t>(layers.size());
  tables.output = {doubles(job.output, job.channels * width), nullptr, width, job.channels};
  tables.freq = layers.empty() ? nullptr : doubles(job.freq, width);
  if (job.deltas) {
    values.emplace_back(job.deltas, job.deltas + job.channels);
    for (double& delta : values.back()) delta = std::abs(delta);
    tables.decay = values.back().data();
  }
  tables.shift = job.shift;
  tables.max_width = widest;
  const int64_t step = kTilesPerItem * kSirenTile;
  parallel_for((job.positions + step - 1) / step, job.threads, cancel, [&](int64_t item) {
    Scratch scratch(Scratch::padded(2 * widest * kSirenTile * 8));
    double* work = scratch.take<double>(2 * widest * kSirenTile);
    const int64_t end = std::min(job.positions, (item + 1) * step);
    for (int64_t p = item * step; p < end; p += kSirenTile) {
      if (cancelled(cancel)) return;
      kernels.siren(tables, job.z + p * job.features, job.t + p, job.features, std::min(kSirenTile, end - p), job.filter + p, job.stride, work);
    }
  });
}

}  // namespace longconv
