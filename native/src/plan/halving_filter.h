// The low-pass filters with which a band [0, edge] survives a halving of the sampling rate, and comes back from one.
//
// Frequencies are in parts of the rate before the halving: f <= edge < 1/4 is kept, and what would fall on it, f >= 1/2 - edge, is stopped.
// In between nothing is asked for, nor is flatness below the edge: the gain there is known and is divided out of the spectrum. So the best
// filter is the one whose ripple is equal and least over the whole stop band: C. L. Dolph's (Proc. IRE 34, 1946), whose response is a
// Chebyshev polynomial, G(f) ~ T_{K-1}(cos(pi f) / sin(pi edge)). It takes half the multiplications of a half-band filter as good.
#pragma once

#include <cstdint>
#include <vector>

namespace longconv {

/// More pairs of taps than any band needs that passes kLeastGain.
constexpr int kMostHalvingPairs = 8;

/// A longer chain saves nothing any more.
constexpr int kMostHalvings = 16;

/// Half the number of taps (it is even) of the filter for this edge; 0 where no short filter serves.
int halving_pairs(double edge);

/// Its taps g[i] = g[2 pairs - 1 - i], of sum 1.
std::vector<double> halving_taps(double edge, int pairs);

/// One way from a rate to a lower one, as a chain of halvings: those for a low-pass of `band` of the bins of a grid of `fft_size` points.
struct HalvingStage {
  double edge;
  int pairs;
};
/// `decimation`: a power of two, at least 2. Empty where one of the halvings has no filter, or of
/// more than kMostHalvings. The band counts bins 0 .. band - 1.
std::vector<HalvingStage> halving_chain(int64_t fft_size, int64_t band, int64_t decimation);

/// Samples that `length` samples, with zeros around them, give behind a chain of halvings.
int64_t halved_length(const std::vector<HalvingStage>& chain, int64_t length);

}  // namespace longconv
