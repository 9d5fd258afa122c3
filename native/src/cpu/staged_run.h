// Calls whose rows cannot be read and written where they lie: 16-bit samples, and inputs that continue an earlier call.
//
// Rows are brought into float32 in scratch memory (widened, gated, with what precedes them in front), convolved there, and narrowed on
// their way out. Where the algorithm works block by block (short causal filters), a row goes in pieces that stay in the caches, each with
// the filter_length - 1 inputs before it, so the memory does not depend on the row's length.
#pragma once

#include "prepared_convolution.h"

namespace longconv {

/// What a staged call has to know of its convolution.
struct StagedShape {
  StagedShape(const lc_convolution_spec& spec, const lc_plan& plan, const KernelTable& kernels);

  const KernelTable* kernels;
  int32_t mode;
  int64_t channels;
  int64_t history;         ///< inputs before a point that act on it: filter_length - 1
  int64_t max_length;
  int64_t rows_per_unit;   ///< rows of the batch that the algorithm takes together
  int64_t piece;           ///< points of a row staged at a time; 0: whole rows
};

/// Runs a call of any sample type, with or without history. Items are handed to the threads as in an ordinary run. Throws Error where the
/// history and the call's points are together longer than the prepared convolution takes.
void run_staged(const PreparedConvolution& convolution, const StagedShape& shape, const lc_convolution_call& call, const int32_t* cancel);

}  // namespace longconv
