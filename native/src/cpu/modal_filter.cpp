// Lags are taken in blocks: p^(t0 + j) = p^t0 * p^j, with p^j from a table and p^t0 computed afresh for every block, so that no error
// builds up along the filter. Cost: one complex product for each state and lag; an exponential and a sine pair for each state and block.
#include "modal_filter.h"

#include <algorithm>
#include <cmath>

#include "aligned_buffer.h"
#include "thread_pool.h"

namespace longconv {

namespace {

constexpr int64_t kBlock = 512;
/// The table of powers is filled from products of kBlock / kFine and kFine of them.
constexpr int64_t kFine = 32;
/// Lags that are summed at a time in registers.
constexpr int64_t kTile = 8;
/// Lags that one thread takes at a time: enough to make the table of powers cheap.
constexpr int64_t kSegment = 256 * kBlock;
/// Factors below this are beyond what a float32 sum can hold, and would make the processor slow.
constexpr double kVanished = 1e-200;

struct Power {
  double re, im;
};

/// pole^t. A pole of 0 has log_re = -infinity.
Power power(double log_re, double log_im, double t) {
  if (t == 0) return {1, 0};
  const double size = std::exp(t * log_re);
  return {size * std::cos(t * log_im), size * std::sin(t * log_im)};
}

/// re, im [kBlock]: pole^j.
void fill_powers(double log_re, double log_im, double* re, double* im) {
  Power fine[kFine];
  for (int64_t j = 0; j < kFine; ++j) fine[j] = power(log_re, log_im, static_cast<double>(j));
  for (int64_t j = 0; j < kBlock; j += kFine) {
    const Power coarse = power(log_re, log_im, static_cast<double>(j));
    for (int64_t l = 0; l < kFine; ++l) {
      re[j + l] = coarse.re * fine[l].re - coarse.im * fine[l].im;
      im[j + l] = coarse.re * fine[l].im + coarse.im * fine[l].re;
    }
  }
}

/// sum[j] = sum_s Re(factor[s] * power[s][j]), j in [0, kBlock). Tables [states][kBlock]; kReal: their imaginary parts count as 0.
template <bool kReal>
void sum_states(int64_t states, const Power* factor, const double* re, const double* im, double* sum) {
  for (int64_t j = 0; j < kBlock; j += kTile) {
    double acc[kTile] = {};
    for (int64_t s = 0; s < states; ++s) {
      const double a = factor[s].re, b = factor[s].im;
      const double* r = re + s * kBlock + j;
      const double* i = im + s * kBlock + j;
#pragma GCC unroll 8
      for (int64_t l = 0; l < kTile; ++l) acc[l] += kReal ? a * r[l] : a * r[l] - b * i[l];
    }
    for (int64_t l = 0; l < kTile; ++l) sum[j + l] = acc[l];
  }
}

}  // namespace

void modal_filter(const ModalJob& job, const int32_t* cancel) {
  const int64_t segments = (job.count + kSegment - 1) / kSegment;
  const bool real = !job.log_pole_im && !job.residue_im;
  parallel_for(job.channels * segments, job.threads, cancel, [&](int64_t item) {
    const int64_t c = item / segments;
    const int64_t begin = item % segments * kSegment, end = std::min(job.count, begin + kSegment);
    const int64_t at = c * job.states;
    Scratch scratch(2 * Scratch::padded(job.states * kBlock * 8) + Scratch::padded(kBlock * 8) + Scratch::padded(job.states * 16));
    double* table_re = scratch.take<double>(job.states * kBlock);
    double* table_im = scratch.take<double>(job.states * kBlock);
    double* sum = scratch.take<double>(kBlock);
    Power* factor = scratch.take<Power>(job.states);
    const auto log_im = [&](int64_t s) { return job.log_pole_im ? job.log_pole_im[at + s] : 0.0; };
    for (int64_t s = 0; s < job.states; ++s) fill_powers(job.log_pole_re[at + s], log_im(s), table_re + s * kBlock, table_im + s * kBlock);
    for (int64_t block = begin; block < end && !cancelled(cancel); block += kBlock) {
      const int64_t size = std::min(kBlock, end - block);
      // Exponent of the block's first lag with a sum, and where in the block that lag is.
      const int64_t skipped = std::clamp<int64_t>(job.delay - (job.first + block), 0, size);
      const int64_t t0 = job.first + block + skipped - job.delay;
      for (int64_t s = 0; s < job.states; ++s) {
        const Power p = power(job.log_pole_re[at + s], log_im(s), static_cast<double>(t0));
        const double r = job.residue_re[at + s], i = job.residue_im ? job.residue_im[at + s] : 0;
        factor[s] = {r * p.re - i * p.im, r * p.im + i * p.re};
        if (std::abs(factor[s].re) < kVanished && std::abs(factor[s].im) < kVanished) factor[s] = {0, 0};
      }
      if (real) sum_states<true>(job.states, factor, table_re, table_im, sum);
      else sum_states<false>(job.states, factor, table_re, table_im, sum);
      std::copy_backward(sum, sum + size - skipped, sum + size);
      std::fill_n(sum, skipped, 0.0);
      if (job.direct && job.first + block == 0) sum[0] += job.direct[c];
      float* dst = job.filter + c * job.count + block;
      for (int64_t j = 0; j < size; ++j) dst[j] = static_cast<float>(sum[j]);
    }
  });
}

}  // namespace longconv
