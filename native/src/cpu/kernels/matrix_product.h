// Products of dense matrices of doubles.
//
// Reference: c[r][j] = sum_{i < inner} a[r][i] b[i][j], row-major. Cost: one multiply-add for each r, i, j; a tile of kRows rows by two
// vectors of columns is summed in registers, in the order of i whatever the tile, so a row's bits do not depend on its neighbours.
#pragma once

#include "../kernel_table.h"
#include "vector.h"

namespace longconv::LC_ISA_NAMESPACE {

template <int W>
struct MatrixProduct {
  using V = Vec<double, W>;
  static constexpr int kRows = 4;

  template <int R>
  static LC_INLINE void tile(const double* a, const double* b, double* c, int64_t inner, int64_t columns) {
    V sum[R][2]{};
    for (int64_t i = 0; i < inner; ++i) {
      const V left = load<double, W>(b + i * columns);
      const V right = load<double, W>(b + i * columns + W);
#pragma GCC unroll 4
      for (int r = 0; r < R; ++r) {
        const V factor = broadcast<double, W>(a[r * inner + i]);
        sum[r][0] += factor * left;
        sum[r][1] += factor * right;
      }
    }
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) {
      store<double, W>(c + r * columns, sum[r][0]);
      store<double, W>(c + r * columns + W, sum[r][1]);
    }
  }

  static void product(const double* a, const double* b, double* c, int64_t rows, int64_t inner, int64_t columns) {
    for (int64_t j = 0; j < columns; j += 2 * W) {
      int64_t r = 0;
      for (; r + kRows <= rows; r += kRows) tile<kRows>(a + r * inner, b + j, c + r * columns + j, inner, columns);
      for (; r < rows; ++r) tile<1>(a + r * inner, b + j, c + r * columns + j, inner, columns);
    }
  }
};

}  // namespace longconv::LC_ISA_NAMESPACE
