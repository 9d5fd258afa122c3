// k[b T + j] = (C dA^j) (dA^(b T) dB): a product of the matrix of the first T readouts with that of every T-th state. Both matrices are
// filled by doubling, from the squares of dA, which also bring C back from its tuned form. |dA| <= 1 in these models, so that squaring
// adds up errors no faster than stepping would. Cost: about 2 (2N) multiply-adds for each tap, in products of matrices.
#include "low_rank_filter.h"

#include <algorithm>
#include <bit>

#include "aligned_buffer.h"
#include "discrete_system.h"
#include "dispatch.h"
#include "thread_pool.h"

namespace longconv {

namespace {

/// T, and its logarithm.
constexpr int kBlockBits = 8;
constexpr int64_t kBlock = 1 << kBlockBits;
/// Blocks that are computed together. States are found anew at the beginning of each such segment.
constexpr int kBlocksBits = 6;
constexpr int64_t kBlocks = 1 << kBlocksBits;
constexpr int kSegmentBits = kBlockBits + kBlocksBits;
constexpr int64_t kSegment = 1 << kSegmentBits;

/// [rows][columns] -> [columns][rows]
void transpose(const double* from, int64_t rows, int64_t columns, double* to) {
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c) to[c * rows + r] = from[r * columns + c];
}

/// One channel's filter. Rows are states x or readouts C; squares[i] is dA^(2^i) transposed, so that a row x times it is 2^i steps of x.
class Channel {
 public:
  Channel(const LowRankJob& job, int64_t channel, const int32_t* cancel)
      : job_(job), cancel_(cancel), product_(select_kernels(nullptr).matrix_product),
        size_((2 * job.states + kMatrixColumns - 1) / kMatrixColumns * kMatrixColumns),
        levels_(std::max({kSegmentBits, static_cast<int>(std::bit_width(static_cast<uint64_t>(job.first + job.count))), static_cast<int>(std::bit_width(static_cast<uint64_t>(job.tuned)))})),
        squares_(levels_ * size_ * size_), work_(2 * size_ * size_), readout_(size_), start_(size_), row_(size_), readouts_(size_ * kBlock),
        states_(kBlocks * size_), taps_(kBlocks * kBlock) {
    DiscreteSystem{size_, square(0), readout_.data(), start_.data()}.fill(job, channel);
    for (int i = 1; i < levels_ && !cancelled(cancel); ++i) product_(square(i - 1), square(i - 1), square(i), size_, size_, size_);
    if (job.tuned > 0 && !cancelled(cancel)) untune();
    if (!cancelled(cancel)) fill_readouts();
  }

  /// Writes the job's lags.
  void write(float* out) {
    const int64_t end = job_.first + job_.count;
    for (int64_t begin = job_.first / kSegment * kSegment; begin < end && !cancelled(cancel_); begin += kSegment) {
      const int64_t from = std::max(begin, job_.first) - begin, to = std::min(begin + kSegment, end) - begin;
      const int64_t first_block = from / kBlock, end_block = (to + kBlock - 1) / kBlock;
      fill_states(begin, end_block);
      product_(states_.data() + first_block * size_, readouts_.data(), taps_.data(), end_block - first_block, size_, kBlock);
      const double* taps = taps_.data() - first_block * kBlock;
      for (int64_t t = from; t < to; ++t) out[begin + t - job_.first] = static_cast<float>(taps[t]);
    }
  }

 private:
  double* square(int i) { return squares_.data() + i * size_ * size_; }

  /// row <- row after `steps` steps.
  void advance(double* row, int64_t steps) {
    for (int i = 0; steps >> i; ++i) {
      if (!(steps >> i & 1)) continue;
      product_(row, square(i), row_.data(), 1, size_, size_);
      std::copy_n(row_.data(), size_, row);
    }
  }

  /// C from C (I - dA^tuned), by solving (I - dA^tuned) transposed.
  void untune() {
    double* power = work_.data();
    double* next = power + size_ * size_;
    std::fill_n(power, size_ * size_, 0.0);
    for (int64_t i = 0; i < size_; ++i) power[i * size_ + i] = 1;
    for (int i = 0; job_.tuned >> i && !cancelled(cancel_); ++i) {
      if (!(job_.tuned >> i & 1)) continue;
      product_(power, square(i), next, size_, size_, size_);
      std::swap(power, next);
    }
    for (int64_t i = 0; i < size_ * size_; ++i) power[i] = (i % (size_ + 1) == 0 ? 1 : 0) - power[i];
    solve(power, size_, readout_.data());
  }

  /// readouts [size][kBlock]: column j is C dA^j.
  void fill_readouts() {
    AlignedBuffer<double> rows(kBlock * size_);
    std::copy_n(readout_.data(), size_, rows.data());
    for (int i = 0; i < kBlockBits; ++i) {
      const int64_t known = int64_t{1} << i;
      transpose(square(i), size_, size_, work_.data());
      product_(rows.data(), work_.data(), rows.data() + known * size_, known, size_, size_);
    }
    transpose(rows.data(), kBlock, size_, readouts_.data());
  }

  /// states [kBlocks][size]: row b is the state at lag begin + b kBlock; at least the first `count` of them.
  void fill_states(int64_t begin, int64_t count) {
    std::copy_n(start_.data(), size_, states_.data());
    advance(states_.data(), begin);
    for (int i = 0; int64_t{1} << i < count; ++i) {
      const int64_t known = int64_t{1} << i;
      product_(states_.data(), square(kBlockBits + i), states_.data() + known * size_, known, size_, size_);
    }
  }

  const LowRankJob& job_;
  const int32_t* cancel_;
  void (*product_)(const double*, const double*, double*, int64_t, int64_t, int64_t);
  int64_t size_;
  int levels_;
  AlignedBuffer<double> squares_;
  AlignedBuffer<double> work_;
  AlignedBuffer<double> readout_;
  AlignedBuffer<double> start_;
  AlignedBuffer<double> row_;
  AlignedBuffer<double> readouts_;
  AlignedBuffer<double> states_;
  AlignedBuffer<double> taps_;
};

}  // namespace

void low_rank_filter(const LowRankJob& job, const int32_t* cancel) {
  parallel_for(job.channels, job.threads, cancel, [&](int64_t c) { Channel(job, c, cancel).write(job.filter + c * job.count); });
}

}  // namespace longconv
