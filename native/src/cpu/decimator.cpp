#include "decimator.h"

#include <cmath>
#include <numbers>

namespace longconv {

namespace {

/// Samples of the higher rate that a piece has at least.
constexpr int64_t kLeastPiece = 4096;
/// Samples of the lower rate that a piece has at least: each one reads a filter's length more at every rate.
constexpr int64_t kLeastHalved = 128;

constexpr int kernel_of(int pairs) { return pairs - kLeastHalvingPairs; }
static_assert(kernel_of(kMostHalvingPairs) == kHalvingKernels - 1);

}  // namespace

Decimator::Decimator(int64_t fft_size, int64_t band, int64_t decimation)
    : fft_size_(fft_size), chain_(halving_chain(fft_size, band, decimation)), piece_points_(std::max(kLeastPiece, kLeastHalved * decimation)) {
  for (int64_t step = 1; const HalvingStage& stage : chain_) {
    const std::vector<double> taps = halving_taps(stage.edge, stage.pairs);
    Stage& made = stages_.emplace_back(Stage{stage.pairs, scratch_floats_, {}});
    std::copy(taps.begin(), taps.end(), made.taps);
    // Beyond a piece the filters read 2 pairs - 2 samples for one halving to come, twice as many more for the second, and so on.
    scratch_floats_ += piece_points_ / step + 2 * kMostHalvingPairs * (decimation / step) + kBeyond;
    step *= 2;
  }
}

double Decimator::gain(int64_t f) const {
  double gain = 1.0, turns = static_cast<double>(f) / static_cast<double>(fft_size_);
  for (const Stage& stage : stages_) {
    double sum = 0.0;
    for (int i = 0; i < 2 * stage.pairs; ++i) sum += stage.taps[i] * std::cos(2 * std::numbers::pi * turns * (i + 0.5 - stage.pairs));
    gain *= sum * sum;
    turns *= 2;
  }
  return gain;
}

void Decimator::down(const KernelTable& kernels, const Row& row, float* v, float* scratch, const int32_t* cancel) const {
  const std::size_t stages = stages_.size();
  const int64_t count = halved(row.length), step = piece_points_ >> stages;
  Piece pieces[kMostHalvings + 1];
  for (int64_t begin = 0; begin < count && !cancelled(cancel); begin += step) {
    pieces[stages] = {begin, std::min(begin + step, count)};
    for (std::size_t s = stages; s-- > 0;) pieces[s] = {2 * pieces[s + 1].begin - 2 * stages_[s].pairs + 1, 2 * pieces[s + 1].end - 1};
    const Piece& first = pieces[0];
    const float *from = scratch, *gate = nullptr;
    if (first.begin >= 0 && first.end <= row.length) {
      from = row.input + first.begin;
      gate = row.pre ? row.pre + first.begin : nullptr;
    } else {
      const int64_t inside = std::clamp<int64_t>(first.begin, 0, row.length), end = std::clamp<int64_t>(first.end, inside, row.length);
      float* staged = scratch;
      std::fill(staged, staged + (inside - first.begin), 0.0f);
      kernels.gate_copy(staged + (inside - first.begin), row.input + inside, row.pre ? row.pre + inside : nullptr, end - inside);
      std::fill(staged + (end - first.begin), staged + first.size(), 0.0f);
    }
    for (std::size_t s = 0; s < stages; ++s) {
      float* to = s + 1 == stages ? v + begin : scratch + stages_[s + 1].samples_at;
      kernels.halving.halve[kernel_of(stages_[s].pairs)](stages_[s].taps, from, gate, to, pieces[s + 1].size());
      from = to;
      gate = nullptr;
    }
  }
}

void Decimator::up(const KernelTable& kernels, const float* w, const Row& row, float* scratch, const int32_t* cancel) const {
  const std::size_t stages = stages_.size();
  const int64_t step = piece_points_;
  Piece pieces[kMostHalvings + 1];
  for (int64_t begin = 0; begin < row.length && !cancelled(cancel); begin += step) {
    pieces[0] = {begin, std::min(begin + step, row.length)};
    for (std::size_t s = 0; s < stages; ++s) pieces[s + 1] = {pieces[s].begin / 2, (pieces[s].end + 1) / 2 + stages_[s].pairs};
    const float* from = w + pieces[stages].begin;
    for (std::size_t s = stages; s-- > 0;) {
      float* to = s == 0 ? row.output + begin : scratch + stages_[s].samples_at;
      kernels.halving.twice[kernel_of(stages_[s].pairs)](stages_[s].taps, from, to, pieces[s].size(), s == 0 ? row.epilogue(begin) : Epilogue<float>{});
      from = to;
    }
  }
}

}  // namespace longconv
