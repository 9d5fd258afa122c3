// With D = (1 - dt/2 pole)^-1, Woodbury's formula gives S = (I - dt/2 A)^-1 = D - D P (2/dt + P^H D P)^-1 P^H D, and dA = 2 S - I, dB = S dt B.
// A product over all states, stored and conjugate, is twice the real part of the product over the stored ones; so everything is real.
#include "discrete_system.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "aligned_buffer.h"

namespace longconv {

void solve(double* matrix, int64_t n, double* right) {
  for (int64_t c = 0; c < n; ++c) {
    int64_t pivot = c;
    for (int64_t r = c + 1; r < n; ++r)
      if (std::abs(matrix[r * n + c]) > std::abs(matrix[pivot * n + c])) pivot = r;
    if (pivot != c) {
      std::swap_ranges(matrix + c * n, matrix + (c + 1) * n, matrix + pivot * n);
      std::swap(right[c], right[pivot]);
    }
    for (int64_t r = c + 1; r < n; ++r) {
      const double factor = matrix[r * n + c] / matrix[c * n + c];
      for (int64_t j = c; j < n; ++j) matrix[r * n + j] -= factor * matrix[c * n + j];
      right[r] -= factor * right[c];
    }
  }
  for (int64_t r = n - 1; r >= 0; --r) {
    for (int64_t j = r + 1; j < n; ++j) right[r] -= matrix[r * n + j] * right[j];
    right[r] /= matrix[r * n + r];
  }
}

void DiscreteSystem::fill(const LowRankJob& job, int64_t channel) const {
  const int64_t n = job.states, rank = job.rank, m = 2 * n, at = channel * n;
  const double dt = job.dt[channel];
  Scratch scratch(2 * Scratch::padded(n * 8) + 3 * Scratch::padded(rank * m * 8) + 2 * Scratch::padded(rank * rank * 8) + Scratch::padded(rank * 8));
  double* d_re = scratch.take<double>(n);
  double* d_im = scratch.take<double>(n);
  double* left = scratch.take<double>(rank * m);     // D P
  double* right = scratch.take<double>(rank * m);    // conj(D) P
  double* weights = scratch.take<double>(rank * m);  // rows of (2/dt + P^H D P)^-1 P^H D, as they act on [Re x, Im x]
  double* inner = scratch.take<double>(rank * rank);
  double* work = scratch.take<double>(rank * rank);
  double* column = scratch.take<double>(rank);

  std::fill_n(transposed_step, size * size, 0.0);
  std::fill_n(readout, size, 0.0);
  std::fill_n(start, size, 0.0);
  for (int64_t i = 0; i < n; ++i) {
    const double re = 1 - dt / 2 * job.poles.re[at + i], im = -dt / 2 * job.poles.im[at + i], norm = re * re + im * im;
    d_re[i] = re / norm;
    d_im[i] = -im / norm;
    transposed_step[i * size + i] = transposed_step[(n + i) * size + n + i] = 2 * d_re[i] - 1;
    transposed_step[i * size + n + i] = 2 * d_im[i];
    transposed_step[(n + i) * size + i] = -2 * d_im[i];
    readout[i] = 2 * job.output.re[at + i];
    readout[n + i] = -2 * job.output.im[at + i];
    const double b_re = dt * job.input.re[at + i], b_im = dt * job.input.im[at + i];
    start[i] = d_re[i] * b_re - d_im[i] * b_im;
    start[n + i] = d_re[i] * b_im + d_im[i] * b_re;
  }
  const double* p_re = job.low_rank.re + channel * rank * n;
  const double* p_im = job.low_rank.im + channel * rank * n;
  for (int64_t r = 0; r < rank; ++r)
    for (int64_t i = 0; i < n; ++i) {
      const double re = p_re[r * n + i], im = p_im[r * n + i];
      left[r * m + i] = d_re[i] * re - d_im[i] * im;
      left[r * m + n + i] = d_re[i] * im + d_im[i] * re;
      right[r * m + i] = d_re[i] * re + d_im[i] * im;
      right[r * m + n + i] = d_re[i] * im - d_im[i] * re;
    }
  for (int64_t r = 0; r < rank; ++r)
    for (int64_t s = 0; s < rank; ++s) {
      double sum = 0;
      for (int64_t i = 0; i < n; ++i) sum += p_re[r * n + i] * left[s * m + i] + p_im[r * n + i] * left[s * m + n + i];
      inner[r * rank + s] = 2 * sum + (r == s ? 2 / dt : 0);
    }
  std::fill_n(weights, rank * m, 0.0);
  for (int64_t s = 0; s < rank; ++s) {
    std::copy_n(inner, rank * rank, work);
    std::fill_n(column, rank, 0.0);
    column[s] = 1;
    solve(work, rank, column);
    for (int64_t r = 0; r < rank; ++r)
      for (int64_t j = 0; j < m; ++j) weights[r * m + j] += 2 * column[r] * right[s * m + j];
  }
  for (int64_t r = 0; r < rank; ++r) {
    double from_input = 0;
    for (int64_t i = 0; i < n; ++i)
      from_input += dt * (weights[r * m + i] * job.input.re[at + i] + weights[r * m + n + i] * job.input.im[at + i]);
    for (int64_t i = 0; i < m; ++i) start[i] -= left[r * m + i] * from_input;
    for (int64_t j = 0; j < m; ++j)
      for (int64_t i = 0; i < m; ++i) transposed_step[j * size + i] -= 2 * weights[r * m + j] * left[r * m + i];
  }
}

}  // namespace longconv
