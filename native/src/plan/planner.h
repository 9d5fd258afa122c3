// Chooses the algorithm for a convolution by the cost model of cost_model.h.
#pragma once

#include "longconv/backend.h"
#include "longconv/convolution.h"

namespace longconv {

/// Checks the sizes of a specification; throws Error with one sentence.
void check_spec(const lc_convolution_spec& spec);

/// The cheapest plan for calls of `batch` rows of `length` points on `threads` threads. The spec must have passed check_spec.
lc_plan plan_convolution(const lc_convolution_spec& spec, const lc_costs& costs, int64_t batch, int64_t length, int32_t threads);

/// Every plan that could be chosen, cheapest first; for measurements of the planner itself.
int64_t candidate_plans(const lc_convolution_spec& spec, const lc_costs& costs, int64_t batch, int64_t length, int32_t threads, lc_plan* plans, int64_t capacity);

}  // namespace longconv
