// How good the planner's choice is: on a grid of shapes and masks, every plan it considered is run, and the chosen one compared with the fastest.
//
// One thread, one batch row, filters prepared; the least of the rounds' medians counts, which other programs on the machine disturb least, and a point
// that misses is measured in kMostRounds. Plans that are expected to take more than kHopeless times the chosen one's time are left out.
#include <algorithm>
#include <cstdio>
#include <functional>
#include <limits>
#include <string>

#include "../src/plan/planner.h"
#include "measure.h"

using namespace longconv;
using namespace longconv::bench;

namespace {

constexpr double kHopeless = 3;
constexpr int64_t kMostPlans = 64;
constexpr int kRounds = 3;
constexpr int kMostRounds = 12;
constexpr double kGood = 1.1;
constexpr double kSeconds = 0.07;  // for a plan in a round

struct Tally {
  int points = 0;
  int good = 0;
  double worst = 1;
};

std::string describe(const lc_plan& plan) {
  std::string text = plan.name;
  if (plan.transform_length) text += " " + std::to_string(plan.transform_length);
  if (plan.decimation) text += " of 1/" + std::to_string(plan.decimation);
  if (plan.comb_modulus) text += " mod " + std::to_string(plan.comb_modulus);
  return text;
}

void judge(const std::string& what, const lc_convolution_spec& spec, Tally& tally) {
  lc_plan plans[kMostPlans];
  const int64_t count = candidate_plans(spec, planner_costs(), 1, spec.max_length, 1, plans, kMostPlans);
  const std::vector<float> filter = noise(spec.channels * spec.filter_length), input = noise(spec.channels * spec.max_length);
  std::vector<float> output(input.size());
  const int64_t hopeful = std::count_if(plans, plans + count, [&](const lc_plan& plan) { return plan.seconds <= kHopeless * plans[0].seconds; });
  std::vector<double> least(static_cast<std::size_t>(hopeful), std::numeric_limits<double>::infinity());
  // In turn, several times: the machine's own speed changes from second to second.
  std::size_t best_plan = 0;
  const auto misses = [&] { return least[0] > kGood * least[best_plan]; };
  for (int round = 0; round < kRounds || (misses() && round < kMostRounds); ++round) {
    for (std::size_t i = 0; i < least.size(); ++i)
      least[i] = std::min(least[i], measure(spec, filter.data(), input, output, &plans[i], kSeconds).timing.median_ms);
    best_plan = static_cast<std::size_t>(std::min_element(least.begin(), least.end()) - least.begin());
  }
  const double chosen = least[0], best = least[best_plan], ratio = chosen / best;
  tally.points += 1;
  tally.good += !misses();
  tally.worst = std::max(tally.worst, ratio);
  std::printf("%-34s %9.4f ms (expected %9.4f) %-26s best %9.4f ms (expected %9.4f) %-26s %5.2f%s\n", what.c_str(), chosen, 1e3 * plans[0].seconds, describe(plans[0]).c_str(), best,
              1e3 * plans[best_plan].seconds, describe(plans[best_plan]).c_str(), ratio, misses() ? " *" : "");
  std::fflush(stdout);
}

void judge_mask(const std::string& shape, int64_t channels, int64_t length, const char* mask, const std::function<bool(int64_t)>& keep, Tally& tally) {
  const int64_t n = 2 * length;
  std::vector<uint8_t> kept(static_cast<std::size_t>(length + 1));
  for (int64_t f = 0; f <= length; ++f) kept[static_cast<std::size_t>(f)] = keep(f) || keep((n - f) % n);
  judge(shape + " " + mask, {LC_GRID, channels, n, length, n, kept.data()}, tally);
}

}  // namespace

int main() {
  Tally tally;
  const int64_t shapes[][2] = {{8, 512}, {256, 512}, {4, 4096}, {256, 4096}, {2, 32768}, {128, 32768}, {1, 262144}, {16, 262144}, {1, 1048576}, {8, 1048576}};
  for (const auto& [channels, length] : shapes) {
    const std::string shape = "H " + std::to_string(channels) + " L " + std::to_string(length);
    for (const int64_t taps : {int64_t{8}, int64_t{64}, length / 32, length / 8, length})
      judge(shape + " K " + std::to_string(taps), {LC_CAUSAL, channels, taps, length, 0, nullptr}, tally);
    if (length < 4096) continue;
    judge_mask(shape, channels, length, "comb 4 of 16", [](int64_t f) { return f % 16 < 2 || f % 16 == 8; }, tally);
    judge_mask(shape, channels, length, "comb 2 of 32", [](int64_t f) { return f % 32 == 1; }, tally);
    judge_mask(shape, channels, length, "block 4.4 of 16.16", [](int64_t f) { return f % 16 < 4 && f / 16 % 16 < 4; }, tally);
    judge_mask(shape, channels, length, "block 2.8 of 32.32", [](int64_t f) { return f % 32 < 2 && f / 32 % 32 < 8; }, tally);
    for (const int64_t part : {3, 4, 8, 16, 64})
      judge_mask(shape, channels, length, ("low-pass 1/" + std::to_string(part)).c_str(), [&](int64_t f) { return f < length / part; }, tally);
  }
  std::printf("%d of %d points within 10%% of the fastest plan, worst %.2f\n", tally.good, tally.points, tally.worst);
}
