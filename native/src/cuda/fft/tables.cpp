#include "tables.h"

#include <cuda_fp16.h>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace longconv::cuda {
namespace {

constexpr double kTau = 6.283185307179586476925286766559;

float2 circle(double turns) {
  turns -= std::floor(turns);
  return make_float2(static_cast<float>(std::cos(kTau * turns)), static_cast<float>(-std::sin(kTau * turns)));
}

uint32_t halves(double low, double high) {
  const __half2 pair(__float2half_rn(static_cast<float>(low)), __float2half_rn(static_cast<float>(high)));
  uint32_t out;
  std::memcpy(&out, &pair, sizeof out);
  return out;
}

/// Re, then im, of two numbers on the circle.
void push_pair(std::vector<uint32_t>& out, double turns, double next_turns) {
  const float2 a = circle(turns), b = circle(next_turns);
  out.push_back(halves(a.x, b.x));
  out.push_back(halves(a.y, b.y));
}

/// Sum of squares of the rounding errors, relative to the entries' sum of squares.
double rounding_error(double scale, int radix, double shift) {
  double error = 0, norm = 0;
  for (int a = 0; a < radix; ++a)
    for (int b = 0; b < radix; ++b) {
      const double entry = scale * std::cos(kTau * a * (b - shift) / radix);
      const double rounded = __half2float(__float2half_rn(static_cast<float>(entry)));
      error += (rounded - entry) * (rounded - entry);
      norm += entry * entry;
    }
  return error / norm;
}

}  // namespace

double fragment_gain(int radix, double alpha) {
  const double root = 1 / std::sqrt(static_cast<double>(radix));
  double best = 1, best_error = rounding_error(root, radix, alpha);
  for (int i = -300; i <= 300; ++i) {
    const double gain = 1 + i / 4096.0, error = rounding_error(root * gain, radix, alpha);
    if (error < best_error) best = gain, best_error = error;
  }
  return best;
}

uint32_t most_trusted(int64_t points, double gain) {
  constexpr double kMost = 64;
  const double most = 65504 / (std::sqrt(2.0 * static_cast<double>(points)) * std::max(1.0, gain));
  const __half half = __float2half_rd(static_cast<float>(std::min(kMost, most)));
  uint16_t bits;
  std::memcpy(&bits, &half, sizeof bits);
  return bits;
}

std::vector<uint4> digit_fragments(FragmentKind kind, int radix, double alpha) {
  const bool eight = radix == 8;
  const int tiles = kind == FragmentKind::kToPair ? radix / 8 : eight ? 1 : radix / 16, steps = eight ? 1 : radix / 16, parities = eight ? 1 : 2;
  const double scale = fragment_gain(radix, alpha) / std::sqrt(static_cast<double>(radix));
  std::vector<uint4> out;
  for (int tile = 0; tile < tiles; ++tile)
    for (int parity = 0; parity < parities; ++parity)
      for (int step = 0; step < steps; ++step)
        for (int lane = 0; lane < 32; ++lane) {
          const int g = lane >> 2, t = lane & 3, row = g + 8 * tile;
          // Entries of complex rows: (cos, sin) gives re, (-sin, cos) gives im of exp(-i angle) x.
          auto re = [&](double angle) { return halves(scale * std::cos(angle), scale * std::sin(angle)); };
          auto im = [&](double angle) { return halves(-scale * std::sin(angle), scale * std::cos(angle)); };
          const int k0 = eight ? 2 * t : 2 * t + parity + 16 * step, k1 = eight ? k0 + 1 : k0 + 8;
          uint4 a;
          if (kind == FragmentKind::kComplex) {
            const double f = (row - alpha) / radix, a0 = kTau * f * k0, a1 = kTau * f * k1;
            a = make_uint4(re(a0), im(a0), re(a1), im(a1));
          } else if (kind == FragmentKind::kPairs) {
            const double a0 = kTau * row * k0 / radix, a1 = kTau * row * k1 / radix;
            const uint32_t cosines = halves(scale * std::cos(a0), scale * std::cos(a1));
            const double s0 = scale * std::sin(a0), s1 = scale * std::sin(a1);
            a = make_uint4(cosines, halves(-s0, -s1), halves(s0, s1), cosines);
          } else if (kind == FragmentKind::kToPair) {
            const double a0 = kTau * row * (k0 - alpha) / radix, a1 = kTau * row * (k1 - alpha) / radix;
            a = make_uint4(im(a0), re(a0), im(a1), re(a1));
          } else if (kind == FragmentKind::kToReal) {
            const double f0 = (k0 - alpha) / radix, f1 = (k1 - alpha) / radix;
            const int far = row + radix / 2;
            a = make_uint4(im(kTau * row * f0), eight ? 0 : im(kTau * far * f0), im(kTau * row * f1), eight ? 0 : im(kTau * far * f1));
          } else {
            const double f = (row + parity * (radix / 2) - alpha) / radix;
            const int k = 2 * t + 16 * step;
            auto cosines = [&](int from) { return halves(scale * std::cos(kTau * f * from), scale * std::cos(kTau * f * (from + 1))); };
            auto sines = [&](int from) { return halves(-scale * std::sin(kTau * f * from), -scale * std::sin(kTau * f * (from + 1))); };
            a = make_uint4(cosines(k), sines(k), eight ? 0 : cosines(k + 8), eight ? 0 : sines(k + 8));
          }
          out.push_back(a);
        }
  return out;
}

std::vector<float2> twiddle_base(int64_t n, int rows, int columns, double alpha) {
  std::vector<float2> out;
  for (int row = 0; row < rows; ++row)
    for (int c = 0; c < columns / 8; ++c) out.push_back(circle((row - alpha) * 8 * c / static_cast<double>(n)));
  return out;
}

std::vector<float2> twiddle_steps(int64_t n, int rows, double alpha) {
  std::vector<float2> out;
  for (int row = 0; row < rows; ++row)
    for (const int step : {1, 4, 8, 128}) out.push_back(circle((row - alpha) * step / static_cast<double>(n)));
  return out;
}

std::vector<float4> core_twiddles() {
  std::vector<float4> out;
  for (int half = 0; half < 2; ++half)
    for (int odd = 0; odd < 2; ++odd)
      for (int lane = 0; lane < 32; ++lane) {
        const int row = (lane >> 2) + 8 * half, column = 2 * (lane & 3) + odd;
        const float2 a = circle(row * column / 256.0), b = circle(row * (column + 8) / 256.0);
        out.push_back(make_float4(a.x, a.y, b.x, b.y));
      }
  return out;
}

std::vector<uint32_t> row_twiddles(int64_t n, int rows, double alpha) {
  std::vector<uint32_t> out;
  for (int row = 0; row < rows; ++row)
    for (int half = 0; half < 2; ++half)
      for (int lane = 0; lane < 32; ++lane)
        for (int far = 0; far < 2; ++far) {
          const int point = 16 * ((lane >> 2) + 8 * far) + 2 * (lane & 3) + 8 * half;
          push_pair(out, (row - alpha) * point / static_cast<double>(n), (row - alpha) * (point + 1) / static_cast<double>(n));
        }
  return out;
}

std::vector<float2> twiddle_circle(int64_t period, int64_t stride, int count) {
  std::vector<float2> out;
  for (int i = 0; i < count; ++i) out.push_back(circle(static_cast<double>(stride * i) / static_cast<double>(period)));
  return out;
}

std::vector<RowBin> row_bins(const std::vector<int32_t>& frequencies, int shift4, int64_t period, int points) {
  const Geometry g = geometry_of(points);
  const int far = points / g.first * (g.first / 2);  // half the first digit
  std::vector<RowBin> out;
  for (const int32_t f : frequencies) {
    const int64_t bin4 = 4 * static_cast<int64_t>(f) - shift4;
    const auto at = [&](int64_t columns) { return circle(static_cast<double>(bin4 * columns % period) / static_cast<double>(period)); };
    out.push_back({static_cast<uint32_t>(bin4), at(1), at(4), at(far)});
  }
  return out;
}

std::vector<float2> twiddle_inner(double alpha) {
  std::vector<float2> out;
  for (int fa = 0; fa < 16; ++fa)
    for (int rb = 0; rb < 16; ++rb) out.push_back(circle((fa - alpha) * rb / 256));
  return out;
}

}  // namespace longconv::cuda
