// What is fused into a result on its way out: Epilogue of kernel_table.h, for one value or for a vector.
#pragma once

#include "../kernel_table.h"
#include "vector.h"

namespace longconv::LC_ISA_NAMESPACE {

/// The results from element `at` on.
template <class T, int W>
LC_INLINE Vec<T, W> finished(Vec<T, W> value, const Epilogue<T>& e, int64_t at) {
  if (e.input) {
    Vec<T, W> u = load<T, W>(e.input + at);
    if (e.pre) u *= load<T, W>(e.pre + at);
    value += u * e.skip;
  }
  if (e.post) value *= load<T, W>(e.post + at);
  return value;
}

/// The result of element `at`.
template <class T>
LC_INLINE T finished_one(T value, const Epilogue<T>& e, int64_t at) {
  if (e.input) value += e.input[at] * (e.pre ? e.pre[at] : T{1}) * e.skip;
  return e.post ? value * e.post[at] : value;
}

}  // namespace longconv::LC_ISA_NAMESPACE
