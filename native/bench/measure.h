// One prepared convolution of the CPU backend, timed.
#pragma once

#include <random>
#include <vector>

#include "longconv/backend.h"
#include "timing.h"

namespace longconv::bench {

struct Measured {
  Timing timing;
  lc_plan plan;
};

/// Instruction set that the programs here run: LONGCONV_ISA, or the best one (null).
const char* variant();

/// Standard normal noise, the same in every run.
std::vector<float> noise(int64_t count);

/// The rates the planner reckons with.
lc_costs planner_costs();

/// Times calls of one batch row on one thread, for at least so many seconds, prepared by `forced`, or by the plan that the planner chooses. Ends the program on an error.
Measured measure(const lc_convolution_spec& spec, const float* filter, const std::vector<float>& input, std::vector<float>& output, const lc_plan* forced = nullptr, double least_seconds = 0.2);

/// The same without the clock: prepares once and runs so many times.
void run(const lc_convolution_spec& spec, const float* filter, const std::vector<float>& input, std::vector<float>& output, int times);

}  // namespace longconv::bench
