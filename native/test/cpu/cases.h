// One convolution with its data and its answer: what the programs of this folder build from random numbers or from a fuzzer's bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "longconv/backend.h"

namespace longconv::test {

/// Gives numbers in [0, below): from a generator or from a fuzzer's input.
using Choose = std::function<int64_t(int64_t below)>;

struct Case {
  lc_convolution_spec spec{};
  lc_convolution_call call{};
  int32_t prepare_threads = 1;
  int64_t plan = 0;  ///< which of the planner's candidates is run, modulo their number; the cheapest is the first
  const char* variant = nullptr;
  double filter_energy = 0;  ///< of a channel on average, before the mask
  std::vector<float> filter, input, pre, post, skip, output, history;
  std::vector<uint8_t> kept;
  std::vector<uint16_t> half_input, half_pre, half_post, half_output;

  Case() = default;
  Case(const Case&) = delete;
  Case& operator=(const Case&) = delete;
};

/// Fills `c` with a convolution whose rows have at most `longest` points.
void make_case(const Choose& choose, int64_t longest, Case& c);

/// Runs it on the CPU: LC_OK, or the error with its message in `status`. `cancel` may be null.
int32_t run_case(Case& c, const int32_t* cancel, lc_status* status);

/// Relative L2 distance of the output from direct sums in float64; infinity for an output that is not finite.
double error_of(const Case& c);

/// What a report says of the case.
std::string describe(const Case& c);

}  // namespace longconv::test
