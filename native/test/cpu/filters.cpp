#include "filters.h"

#include <cmath>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

#include "../../src/cpu/dispatch.h"
#include "../../src/cpu/low_rank_filter.h"

namespace longconv::test {

namespace {

std::vector<double> uniform(std::mt19937_64& random, int64_t count, double from, double to) {
  std::vector<double> values(count);
  for (double& value : values) value = std::uniform_real_distribution<double>(from, to)(random);
  return values;
}

bool products_agree(std::mt19937_64& random) {
  for (const int64_t rows : {1, 3, 4, 9})
    for (const int64_t inner : {1, 5, 32})
      for (const int64_t columns : {kMatrixColumns, 3 * kMatrixColumns}) {
        const std::vector<double> a = uniform(random, rows * inner, -1, 1), b = uniform(random, inner * columns, -1, 1);
        for (const KernelTable* table : available_kernels()) {
          std::vector<double> c(rows * columns, NAN);
          table->matrix_product(a.data(), b.data(), c.data(), rows, inner, columns);
          for (int64_t r = 0; r < rows; ++r)
            for (int64_t j = 0; j < columns; ++j) {
              double sum = 0;
              for (int64_t i = 0; i < inner; ++i) sum += a[r * inner + i] * b[i * columns + j];
              if (!(std::abs(sum - c[r * columns + j]) < 1e-13)) return false;
            }
        }
      }
  return true;
}

}  // namespace

const char* check_low_rank_filters() {
  std::mt19937_64 random(1);
  if (!products_agree(random)) return "a product of matrices";
  LowRankJob job{};
  job.channels = 5;
  job.states = 3;
  job.rank = 2;
  const int64_t all = job.channels * job.states;
  const auto pole_re = uniform(random, all, -1, -0.1), pole_im = uniform(random, all, 0, 30);
  const auto p_re = uniform(random, all * job.rank, -1, 1), p_im = uniform(random, all * job.rank, -1, 1);
  const auto b_re = uniform(random, all, -1, 1), b_im = uniform(random, all, -1, 1), c_re = uniform(random, all, -1, 1), c_im = uniform(random, all, -1, 1);
  const auto dt = uniform(random, job.channels, 0.001, 0.1);
  job.poles = {pole_re.data(), pole_im.data()};
  job.low_rank = {p_re.data(), p_im.data()};
  job.input = {b_re.data(), b_im.data()};
  job.output = {c_re.data(), c_im.data()};
  job.dt = dt.data();
  job.tuned = 100;
  const int64_t count = 17'000, first = 16'300, part = 500;
  std::vector<float> alone(job.channels * count, NAN), shared = alone, range(job.channels * part, NAN);
  const auto run = [&](std::vector<float>& filter, int64_t from, int64_t size, int threads, const int32_t* cancel) {
    job.first = from;
    job.count = size;
    job.threads = threads;
    job.filter = filter.data();
    low_rank_filter(job, cancel);
  };
  run(alone, 0, count, 1, nullptr);
  for (const float value : alone)
    if (!std::isfinite(value)) return "a tap that is not finite";
  run(shared, 0, count, 3, nullptr);
  if (std::memcmp(alone.data(), shared.data(), alone.size() * sizeof(float)) != 0) return "other bits from several threads";
  run(range, first, part, 2, nullptr);
  for (int64_t c = 0; c < job.channels; ++c)
    if (std::memcmp(range.data() + c * part, alone.data() + c * count + first, part * sizeof(float)) != 0) return "other bits from a range of lags";
  int32_t flag = 0;
  std::thread other([&] { __atomic_store_n(&flag, 1, __ATOMIC_RELAXED); });
  run(shared, 0, count, 2, &flag);
  other.join();
  return nullptr;
}

}  // namespace longconv::test
