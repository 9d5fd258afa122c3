// The compiled kernels: which function serves a signal, an element type and a transform, and how it is launched.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "digit.cuh"
#include "signal.cuh"
#include "fft_conv.h"

namespace longconv::cuda {

struct KernelLaunch {
  const void* function;  // null: not compiled
  int threads;
  size_t shared_bytes;
  size_t gate_bytes;    // more shared memory, for gates
  bool gates_staged;    // without room for that the kernel does not run with gates; others read them as they need them
  int group;  // units of a block, or of a cluster, at a time
  int cluster;  // blocks that share a unit; more than 1: only where the GPU has clusters
};

/// One-pass kernels (argument: OnePass); points: 256 ... 131072 (kPair: 65536). kComplex: rows of a long transform, up to 32768 points, any element
/// and form. Elements of 4 bytes have one kernel for all forms.
KernelLaunch one_pass_kernel(Signal signal, Element element, Form form, int points);

/// Passes over columns: before the rows; a look at what they read, which repeats it scaled where it must; after the rows.
enum class ColumnsStep { kForward, kSettle, kInverse };
/// Column kernels (argument: Columns), grid (points / 64, sequences); kSettle: (1, sequences).
KernelLaunch columns_kernel(Signal signal, Element element, Form form, ColumnsStep step);

/// One compiled family: one_pass_{pairs,real}_{half,bfloat16,float}.cu, one_pass_rows.cu.
template <Signal kSignal, class E>
KernelLaunch one_pass_kernel_of(Form form, int points);
template <>
KernelLaunch one_pass_kernel_of<Signal::kPair, __half>(Form form, int points);
template <>
KernelLaunch one_pass_kernel_of<Signal::kPair, __nv_bfloat16>(Form form, int points);
template <>
KernelLaunch one_pass_kernel_of<Signal::kPair, float>(Form form, int points);
template <>
KernelLaunch one_pass_kernel_of<Signal::kReal, __half>(Form form, int points);
template <>
KernelLaunch one_pass_kernel_of<Signal::kReal, __nv_bfloat16>(Form form, int points);
template <>
KernelLaunch one_pass_kernel_of<Signal::kReal, float>(Form form, int points);
template <>
KernelLaunch one_pass_kernel_of<Signal::kComplex, __half>(Form form, int points);

}  // namespace longconv::cuda
