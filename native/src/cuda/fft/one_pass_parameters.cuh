// What the one-pass kernels are given, and what they note of the units they work on.
#pragma once

#include "long_twiddle.cuh"
#include "signal.cuh"

namespace longconv::cuda {

/// One launch. Device memory.
struct OnePass {
  SignalArrays signal;  // kPair, kReal
  const uint4 *in_fragments, *middle_fragments, *core_fragments, *pair_fragments, *out_fragments;
  DigitTwiddles first, middle;
  const float4* core_twiddles;
  const uint32_t* row_twiddles;  // of the digit above the core: [rows][256]
  const uint32_t* filter;   // kPair, kReal: [channels][n]; kComplex: [channels][rows_kept][n]; order of filter_frequency()
  const float* filter_scale;
  uint32_t keep;  // bit q: row q of the first digit is computed; rows that are not hold 0
  uint32_t units, units_per_channel;
  uint32_t teams;  // of blocks, or clusters, that are on one multiprocessor: numbers that are equal modulo this
  uint32_t most;  // trusted()
  bool gates_staged;  // strips: shared memory has room for gates, too
  LongRows rows;  // kComplex
};

constexpr int kMaximumGroup = 8;

/// One of the transforms that a block, or a cluster, works on, in shared memory.
struct alignas(16) UnitState {
  Piece piece[2];
  int32_t channel;
  const uint32_t* filter;
  uint32_t maximum[2];  // bits of the largest |half| read
  float scale[2], out_scale[2];
  uint32_t* row;     // kComplex: the unit's n points
  RowBin bin;        // kComplex: frequency of the row
  bool present;
};

/// Groups of units that a block, or a cluster, works on; in shared memory, since registers are short.
struct alignas(16) Stretch {
  uint32_t next, step, end;
};

}  // namespace longconv::cuda
