// A row as the causal algorithms see it: its samples after the gate, and for circular convolutions its own end in front of it.
//
//   x[p] = input[p - lead] * pre[p - lead] for p >= lead, and the same with (p - lead) mod length before that
//
// lead = taps - 1 for circular convolutions, 0 for causal ones: output t of the row is then output t + lead of a causal convolution.
#pragma once

#include "prepared_convolution.h"

namespace longconv {

struct WrappedRow {
  const Row& row;
  int64_t lead;

  int64_t extent() const { return row.length + lead; }

  /// Copies points [from, to) into dst; zeros outside [0, extent).
  void copy(const KernelTable& kernels, int64_t from, int64_t to, float* dst) const {
    for (int64_t p = from; p < to;) {
      int64_t end;
      if (p < 0 || p >= extent()) {
        end = p < 0 ? std::min<int64_t>(to, 0) : to;
        std::fill(dst, dst + (end - p), 0.0f);
      } else {
        const int64_t at = p < lead ? (p - lead + row.length) % row.length : p - lead;
        end = std::min({to, p < lead ? lead : extent(), p + row.length - at});
        kernels.gate_copy(dst, row.input + at, row.pre ? row.pre + at : nullptr, end - p);
      }
      dst += end - p;
      p = end;
    }
  }
};

}  // namespace longconv
