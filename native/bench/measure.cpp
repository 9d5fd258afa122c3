#include "measure.h"

#include <cstdio>
#include <cstdlib>

#include "../src/cpu/backend.h"
#include "../src/plan/planner.h"

namespace longconv::bench {

namespace {

void or_die(int32_t code, const lc_status& status) {
  if (code == LC_OK) return;
  std::fprintf(stderr, "%s\n", status.message);
  std::exit(1);
}

}  // namespace

const char* variant() { return std::getenv("LONGCONV_ISA"); }

std::vector<float> noise(int64_t count) {
  static std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& v : values) v = normal(random);
  return values;
}

lc_costs planner_costs() {
  lc_status status{};
  lc_costs costs{};
  or_die(cpu_backend().costs(variant(), &costs, &status), status);
  return costs;
}

namespace {

/// Prepares, and hands over a function that runs the convolution once.
template <class Body>
lc_plan with_prepared(const lc_convolution_spec& spec, const float* filter, const std::vector<float>& input, std::vector<float>& output, const lc_plan* forced, Body body) {
  const lc_backend& cpu = cpu_backend();
  lc_status status{};
  const lc_plan plan = forced ? *forced : plan_convolution(spec, planner_costs(), 1, spec.max_length, 1);
  lc_prepared* prepared = nullptr;
  or_die(cpu.prepare(&spec, &plan, variant(), filter, 1, nullptr, &prepared, &status), status);
  lc_convolution_call call{};
  call.input = input.data();
  call.output = output.data();
  call.batch = 1;
  call.length = spec.max_length;
  call.total_channels = spec.channels;
  call.threads = 1;
  body([&] { or_die(cpu.run(prepared, &call, nullptr, &status), status); });
  cpu.free(prepared);
  return plan;
}

}  // namespace

Measured measure(const lc_convolution_spec& spec, const float* filter, const std::vector<float>& input, std::vector<float>& output, const lc_plan* forced, double least_seconds) {
  Measured measured{};
  measured.plan = with_prepared(spec, filter, input, output, forced, [&](const auto& once) { measured.timing = time_runs(once, 7, least_seconds); });
  return measured;
}

void run(const lc_convolution_spec& spec, const float* filter, const std::vector<float>& input, std::vector<float>& output, int times) {
  with_prepared(spec, filter, input, output, nullptr, [&](const auto& once) {
    for (int i = 0; i < times; ++i) once();
  });
}

}  // namespace longconv::bench
