// Rows of a comb that are real. Row r of an n1-row comb takes the bins f mod n1 = r; the rows 0 and n1 / 2 are their own mirrors, so their M points
// are real, and half a complex transform holds them.
//
// Row n1 / 2 is a convolution modulo z^M + 1, which is one modulo z^(M/2) - i of x[l] + i x[l + M/2] (real x): M / 2 complex points.
// Row 0 is one modulo z^M - 1 = (z^(M/2) - 1) (z^(M/2) + 1): sums x[l] + x[l + M/2] and differences, of which the differences are a row of the second
// kind, of M / 2 real points, and the sums are halved on, as long as transforms of `shortest` points take the differences.
#pragma once

#include <cstdint>

namespace longconv {

/// Points of row 0 that are left when it is not halved on.
inline int64_t cyclic_remainder(int64_t columns, int64_t shortest) {
  while (columns / 4 >= shortest) columns /= 2;
  return columns;
}

}  // namespace longconv
