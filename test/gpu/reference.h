// Float64 convolutions on the host, which the GPU's results are compared with.
#pragma once

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstdint>
#include <vector>

namespace longconv::check {

/// In place, natural order, sign -1 forward or +1 inverse (not divided by n). x.size(): a power of two.
inline void fft(std::vector<std::complex<double>>& x, int sign) {
  const size_t n = x.size();
  for (size_t i = 1, j = 0; i < n; ++i) {
    size_t bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) std::swap(x[i], x[j]);
  }
  std::vector<std::complex<double>> w(n / 2 + 1);
  for (size_t i = 0; i < n / 2; ++i) w[i] = std::polar(1.0, sign * 6.283185307179586 * static_cast<double>(i) / static_cast<double>(n));
  for (size_t half = 1; half < n; half *= 2)
    for (size_t from = 0; from < n; from += 2 * half)
      for (size_t i = 0; i < half; ++i) {
        const std::complex<double> a = x[from + i], b = x[from + i + half] * w[i * (n / 2 / half)];
        x[from + i] = a + b;
        x[from + i + half] = a - b;
      }
}

/// Circular convolution of u with k on `circle` points (a power of two, at least both lengths); bins f with kept[min(f, n - f)] == 0 removed.
inline std::vector<double> convolve(const std::vector<double>& u, const std::vector<double>& k, size_t circle, const uint8_t* kept) {
  // Both in one complex transform; u scaled to about 1, so that the filter keeps its digits beside it.
  double scale = 0;
  for (const double v : u) scale = std::max(scale, std::abs(v));
  if (scale == 0) scale = 1;
  std::vector<std::complex<double>> a(circle);
  for (size_t i = 0; i < u.size(); ++i) a[i].real(u[i] / scale);
  for (size_t i = 0; i < k.size(); ++i) a[i].imag(k[i]);
  fft(a, -1);
  std::vector<std::complex<double>> product(circle);
  for (size_t f = 0; f < circle; ++f) {
    const size_t mirror = (circle - f) % circle;
    const std::complex<double> x = 0.5 * (a[f] + std::conj(a[mirror])), y = std::complex<double>(0, -0.5) * (a[f] - std::conj(a[mirror]));
    product[f] = kept && !kept[std::min(f, circle - f)] ? 0 : x * y * scale;
  }
  fft(product, 1);
  std::vector<double> out(circle);
  for (size_t i = 0; i < circle; ++i) out[i] = product[i].real() / static_cast<double>(circle);
  return out;
}

}  // namespace longconv::check
