// The kernel table of one instruction set: F lanes of float and D lanes of double in a register.
#pragma once

#include "comb_fold.h"
#include "half.h"
#include "halve.h"
#include "matrix_product.h"
#include "short_filter.h"
#include "siren.h"
#include "twisted_fft.h"

namespace longconv::LC_ISA_NAMESPACE {

template <int F, int D>
constexpr KernelTable make_table(const char* name) {
  return {name,
          TwistedFft<float, F>::table(),
          TwistedFft<double, D>::table(),
          CombFold<F>::fold,
          CombFold<F>::unfold,
          CombFold<F>::sums_and_differences,
          Halve<F>::table(),
          ShortFilter<F>::toeplitz,
          ShortFilter<F>::dot,
          ShortFilter<F>::gate_copy,
          widen,
          narrow,
          ShortFilter<F>::finish,
          Siren<D>::tile,
          MatrixProduct<D>::product};
}

}  // namespace longconv::LC_ISA_NAMESPACE
