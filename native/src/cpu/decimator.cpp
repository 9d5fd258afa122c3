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

Decimator::Decimator(int64_t fft_size, int64_t band, int64_t decimation) : fft_size_(fft_size), chain_(halving_chain(fft_size, band, decimation)) {
  for (const HalvingStage& stage : chain_) {
    const std::vector<double> taps = halving_taps(stage.edge, stage.pairs);
    Stage& made = stages_.emplace_back(Stage{stage.pairs, {}});
    std::copy(taps.begin(), taps.end(), made.taps);
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

/// Samples of the higher rate in a piece: a multiple of the decimation.
int64_t Decimator::piece_points() const {
  const int64_t decimation = int64_t{1} << stages_.size();
  return std::max(kLeastPiece, kLeastHalved * decimation);
}

/// A piece after so many halvings, and what the filters from there on read beyond it: of one sample 2 pairs - 2 more for the first, twice as
/// many for the second, and so on.
int64_t Decimator::samples_at(std::size_t halvings) const {
  const int64_t left = int64_t{1} << (stages_.size() - halvings);
  return (piece_points() >> halvings) + 2 * kMostHalvingPairs * left + kBeyond;
}

int64_t Decimator::scratch_bytes() const {
  int64_t bytes = 0;
  for (std::size_t rate = 0; rate < stages_.size(); ++rate) bytes += Scratch::padded(4 * samples_at(rate));
  return bytes;
}

std::vector<float*> Decimator::take_rates(Scratch& scratch) const {
  std::vector<float*> rates;
  for (std::size_t rate = 0; rate < stages_.size(); ++rate) rates.push_back(scratch.take<float>(samples_at(rate)));
  return rates;
}

void Decimator::down(const KernelTable& kernels, const Row& row, float* v, Scratch& scratch, const int32_t* cancel) const {
  const std::size_t stages = stages_.size();
  const std::vector<float*> rates = take_rates(scratch);
  const int64_t count = halved(row.length), step = piece_points() >> stages;
  std::vector<Piece> pieces(stages + 1);
  for (int64_t begin = 0; begin < count && !cancelled(cancel); begin += step) {
    pieces[stages] = {begin, std::min(begin + step, count)};
    for (std::size_t s = stages; s-- > 0;) pieces[s] = {2 * pieces[s + 1].begin - 2 * stages_[s].pairs + 1, 2 * pieces[s + 1].end - 1};
    const Piece& first = pieces[0];
    const float *from = rates[0], *gate = nullptr;
    if (first.begin >= 0 && first.end <= row.length) {
      from = row.input + first.begin;
      gate = row.pre ? row.pre + first.begin : nullptr;
    } else {
      const int64_t inside = std::clamp<int64_t>(first.begin, 0, row.length), end = std::clamp<int64_t>(first.end, inside, row.length);
      float* staged = rates[0];
      std::fill(staged, staged + (inside - first.begin), 0.0f);
      kernels.gate_copy(staged + (inside - first.begin), row.input + inside, row.pre ? row.pre + inside : nullptr, end - inside);
      std::fill(staged + (end - first.begin), staged + first.size(), 0.0f);
    }
    for (std::size_t s = 0; s < stages; ++s) {
      float* to = s + 1 == stages ? v + begin : rates[s + 1];
      kernels.halving.halve[kernel_of(stages_[s].pairs)](stages_[s].taps, from, gate, to, pieces[s + 1].size());
      from = to;
      gate = nullptr;
    }
  }
}

void Decimator::up(const KernelTable& kernels, const float* w, const Row& row, Scratch& scratch, const int32_t* cancel) const {
  const std::size_t stages = stages_.size();
  const std::vector<float*> rates = take_rates(scratch);
  const int64_t step = piece_points();
  std::vector<Piece> pieces(stages + 1);
  for (int64_t begin = 0; begin < row.length && !cancelled(cancel); begin += step) {
    pieces[0] = {begin, std::min(begin + step, row.length)};
    for (std::size_t s = 0; s < stages; ++s) pieces[s + 1] = {pieces[s].begin / 2, (pieces[s].end + 1) / 2 + stages_[s].pairs};
    const float* from = w + pieces[stages].begin;
    for (std::size_t s = stages; s-- > 0;) {
      float* to = s == 0 ? row.output + begin : rates[s];
      kernels.halving.twice[kernel_of(stages_[s].pairs)](stages_[s].taps, from, to, pieces[s].size(), s == 0 ? row.epilogue(begin) : Epilogue<float>{});
      from = to;
    }
  }
}

}  // namespace longconv
