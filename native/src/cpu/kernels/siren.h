// Sine multilayer perceptron of an implicit Hyena filter, in float64, for a tile of positions.
//
// Reference: a = z; for each hidden layer a = sin(freq * (W a + b)); k = (W_out a) * (exp(-t |delta|) + shift).
// Layout: activations [row][kSirenTile], positions in lanes. Cost: sum(rows * in) multiply-adds per position, plus one sine per hidden
// value and one exponential per output value. sin and exp: Cody-Waite reduction and Taylor polynomials on [-pi/4, pi/4] and
// [-ln2/2, ln2/2], below 2 units in the last place; arguments beyond 1e6 go to the C library one by one.
#pragma once

#include "../kernel_table.h"
#include "vector.h"

namespace longconv::LC_ISA_NAMESPACE {

template <int W>
struct Siren {
  using V = Vec<double, W>;
  using I = Vec<int64_t, W>;

  /// Adding and subtracting it rounds to an integer, which is then in the low bits of the sum.
  static constexpr double kRound = 6755399441055744.0;

  static LC_INLINE V sine(V x) {
    const V limit = broadcast<double, W>(1e6);
    const I inside = (x < limit) & (x > -limit);
    int64_t all = -1;
#pragma GCC unroll 16
    for (int i = 0; i < W; ++i) all &= inside[i];
    if (!all) {
      V y{};
      for (int i = 0; i < W; ++i) y[i] = __builtin_sin(x[i]);
      return y;
    }
    const V shifted = x * 0.63661977236758134308 + kRound;
    const V q = shifted - kRound;
    const I quadrant = reinterpret_cast<I>(shifted);
    V r = x - q * 0x1.921fb544p+0;
    r = r - q * 0x1.0b4611a6p-34;
    r = r - q * 0x1.3198a2e037073p-69;
    const V r2 = r * r;
    V s = r2 * (1.0 / 355687428096000.0) - 1.0 / 1307674368000.0;
    s = s * r2 + 1.0 / 6227020800.0;
    s = s * r2 - 1.0 / 39916800.0;
    s = s * r2 + 1.0 / 362880.0;
    s = s * r2 - 1.0 / 5040.0;
    s = s * r2 + 1.0 / 120.0;
    s = s * r2 - 1.0 / 6.0;
    s = r + r * r2 * s;
    V c = r2 * (1.0 / 20922789888000.0) - 1.0 / 87178291200.0;
    c = c * r2 + 1.0 / 479001600.0;
    c = c * r2 - 1.0 / 3628800.0;
    c = c * r2 + 1.0 / 40320.0;
    c = c * r2 - 1.0 / 720.0;
    c = c * r2 + 1.0 / 24.0;
    c = c * r2 - 0.5;
    c = c * r2 + 1.0;
    const V y = (quadrant & 1) != 0 ? c : s;
    const I sign = (quadrant & 2) << 62;
    return reinterpret_cast<V>(reinterpret_cast<I>(y) ^ sign);
  }

  static LC_INLINE V exponential(V x) {
    x = x < -708.0 ? broadcast<double, W>(-708.0) : x;
    x = x > 709.0 ? broadcast<double, W>(709.0) : x;
    const V shifted = x * 1.44269504088896340736 + kRound;
    const V n = shifted - kRound;
    const V r = (x - n * 0x1.62e42feep-1) - n * 0x1.a39ef35793c76p-33;
    V p = r * (1.0 / 6227020800.0) + 1.0 / 479001600.0;
    p = p * r + 1.0 / 39916800.0;
    p = p * r + 1.0 / 3628800.0;
    p = p * r + 1.0 / 362880.0;
    p = p * r + 1.0 / 40320.0;
    p = p * r + 1.0 / 5040.0;
    p = p * r + 1.0 / 720.0;
    p = p * r + 1.0 / 120.0;
    p = p * r + 1.0 / 24.0;
    p = p * r + 1.0 / 6.0;
    p = p * r + 0.5;
    p = p * r + 1.0;
    p = p * r + 1.0;
    // The low bits of `shifted` hold n (two's complement): moved into the exponent of 1.0 they give 2^n.
    const I scale = (reinterpret_cast<I>(shifted) << 52) + 0x3ff0000000000000LL;
    return p * reinterpret_cast<V>(scale);
  }

  /// dst[row][p] = sum_i weight[row][i] src[i][p] (+ bias): R rows at once.
  template <int R>
  static LC_INLINE void dense_rows(const SirenLayer& layer, int64_t row, const double* src, double* dst) {
    const double* weight = layer.weight + row * layer.in;
    for (int64_t p = 0; p < kSirenTile; p += 2 * W) {
      V sum[R][2];
#pragma GCC unroll 4
      for (int i = 0; i < R; ++i) sum[i][0] = sum[i][1] = broadcast<double, W>(layer.bias ? layer.bias[row + i] : 0.0);
      for (int64_t k = 0; k < layer.in; ++k) {
        const V a = load<double, W>(src + k * kSirenTile + p), b = load<double, W>(src + k * kSirenTile + p + W);
#pragma GCC unroll 4
        for (int i = 0; i < R; ++i) {
          const V w = broadcast<double, W>(weight[i * layer.in + k]);
          sum[i][0] += w * a;
          sum[i][1] += w * b;
        }
      }
#pragma GCC unroll 4
      for (int i = 0; i < R; ++i) {
        store<double, W>(dst + i * kSirenTile + p, sum[i][0]);
        store<double, W>(dst + i * kSirenTile + p + W, sum[i][1]);
      }
    }
  }
  static void dense(const SirenLayer& layer, const double* src, double* dst) {
    int64_t row = 0;
    for (; row + 4 <= layer.rows; row += 4) dense_rows<4>(layer, row, src, dst + row * kSirenTile);
    for (; row < layer.rows; ++row) dense_rows<1>(layer, row, src, dst + row * kSirenTile);
  }

  static void tile(const SirenTables& s, const float* z, const float* t, int64_t features, int64_t count, float* out, int64_t out_stride, double* scratch) {
    double* a = scratch;
    double* b = scratch + s.max_width * kSirenTile;
    for (int64_t k = 0; k < features; ++k)
      for (int64_t p = 0; p < kSirenTile; ++p) a[k * kSirenTile + p] = p < count ? static_cast<double>(z[p * features + k]) : 0.0;
    for (int64_t layer = 0; layer < s.layer_count; ++layer) {
      dense(s.layers[layer], a, b);
      for (int64_t row = 0; row < s.layers[layer].rows; ++row)
        for (int64_t p = 0; p < kSirenTile; p += W) {
          double* at = b + row * kSirenTile + p;
          store<double, W>(at, sine(load<double, W>(at) * s.freq[row]));
        }
      double* swap = a;
      a = b;
      b = swap;
    }
    alignas(64) double time[kSirenTile], row_values[4 * kSirenTile];
    for (int64_t p = 0; p < kSirenTile; ++p) time[p] = p < count ? -static_cast<double>(t[p]) : 0.0;
    for (int64_t row = 0; row < s.output.rows; row += 4) {
      const int64_t rows = s.output.rows - row < 4 ? s.output.rows - row : 4;
      if (rows == 4) dense_rows<4>(s.output, row, a, row_values);
      else
        for (int64_t i = 0; i < rows; ++i) dense_rows<1>(s.output, row + i, a, row_values + i * kSirenTile);
      for (int64_t i = 0; i < rows; ++i) {
        double* values = row_values + i * kSirenTile;
        if (s.decay)
          for (int64_t p = 0; p < kSirenTile; p += W) {
            const V window = exponential(load<double, W>(time + p) * s.decay[row + i]) + s.shift;
            store<double, W>(values + p, load<double, W>(values + p) * window);
          }
        float* dst = out + (row + i) * out_stride;
        for (int64_t p = 0; p < count; ++p) dst[p] = static_cast<float>(values[p]);
      }
    }
  }
};

}  // namespace longconv::LC_ISA_NAMESPACE
