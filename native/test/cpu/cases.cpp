#include "cases.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <limits>
#include <numbers>

#include "../../src/cpu/backend.h"
#include "../../src/cpu/dispatch.h"
#include "../../src/plan/planner.h"
#include "../../src/status.h"

namespace longconv::test {

namespace {

constexpr int64_t kMostPlans = 64;

/// Values of about unit scale in multiples of 1/16, which 16-bit samples hold exactly.
std::vector<float> values(const Choose& choose, int64_t count) {
  std::vector<float> out(static_cast<std::size_t>(count));
  uint64_t state = static_cast<uint64_t>(choose(1 << 30)) * 2654435761u + 88172645463325252u;
  for (float& v : out) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    v = static_cast<float>(static_cast<int64_t>(state % 33) - 16) / 16.0f;
  }
  return out;
}

std::vector<uint16_t> halves(const std::vector<float>& from, int32_t type) {
  std::vector<uint16_t> out(from.size());
  for (std::size_t i = 0; i < from.size(); ++i) {
    const uint32_t bits = std::bit_cast<uint32_t>(from[i]);
    if (type == LC_BFLOAT16) {
      out[i] = static_cast<uint16_t>(bits >> 16);
    } else if (from[i] != 0) {
      const int exponent = static_cast<int>(bits >> 23 & 255) - 127 + 15;
      out[i] = static_cast<uint16_t>(bits >> 16 & 0x8000) | static_cast<uint16_t>(exponent << 10) | static_cast<uint16_t>(bits >> 13 & 0x3ff);
    }
  }
  return out;
}

double widened(uint16_t half, int32_t type) {
  if (type == LC_BFLOAT16) return std::bit_cast<float>(static_cast<uint32_t>(half) << 16);
  const int exponent = half >> 10 & 31;
  const double fraction = half & 0x3ff, sign = half & 0x8000 ? -1.0 : 1.0;
  if (exponent == 31) return std::numeric_limits<double>::quiet_NaN();
  return sign * (exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(fraction + 1024, exponent - 25));
}

/// Sets the bins that are not kept to exactly what the filter has without them, by direct sums in float64.
void mask_filter(Case& c) {
  const int64_t n = c.spec.fft_size;
  std::vector<double> cosine(static_cast<std::size_t>(n)), sine(cosine.size());
  for (int64_t i = 0; i < n; ++i) {
    cosine[static_cast<std::size_t>(i)] = std::cos(2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(n));
    sine[static_cast<std::size_t>(i)] = std::sin(2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(n));
  }
  for (int64_t row = 0; row < c.spec.channels; ++row) {
    float* k = &c.filter[static_cast<std::size_t>(row * n)];
    std::vector<double> masked(k, k + n);
    for (int64_t f = 0; f <= n / 2; ++f) {
      if (c.kept[static_cast<std::size_t>(f)]) continue;
      double re = 0, im = 0;
      for (int64_t t = 0; t < n; ++t) {
        re += k[t] * cosine[static_cast<std::size_t>(f * t % n)];
        im -= k[t] * sine[static_cast<std::size_t>(f * t % n)];
      }
      const double weight = (f == 0 || f == n / 2 ? 1.0 : 2.0) / static_cast<double>(n);
      for (int64_t t = 0; t < n; ++t)
        masked[static_cast<std::size_t>(t)] -= weight * (re * cosine[static_cast<std::size_t>(f * t % n)] - im * sine[static_cast<std::size_t>(f * t % n)]);
    }
    std::copy(masked.begin(), masked.end(), k);
  }
}

}  // namespace

void make_case(const Choose& choose, int64_t longest, Case& c) {
  const auto among = [&](int64_t from, int64_t to) { return from + choose(to - from + 1); };
  lc_convolution_spec& spec = c.spec;
  spec.mode = static_cast<int32_t>(choose(3));
  spec.channels = among(1, 5);
  if (spec.mode == LC_GRID) {
    int64_t most = 1;
    while ((int64_t{2} << most) <= 2 * longest) ++most;
    // Low-passes of large grids run at a lower sampling rate.
    const bool low = choose(2) == 0;
    spec.fft_size = int64_t{1} << among(low ? std::max<int64_t>(1, most - 3) : 1, most);
    spec.filter_length = spec.fft_size;
    spec.max_length = among(1, spec.fft_size / 2);
    c.kept.resize(static_cast<std::size_t>(spec.fft_size / 2 + 1));
    const int64_t kind = low ? 1 : choose(4), modulus = int64_t{1} << among(1, 6), residue = choose(modulus), edge = choose(low ? spec.fft_size / 6 + 2 : spec.fft_size / 2 + 2);
    for (int64_t f = 0; f <= spec.fft_size / 2; ++f) {
      const bool keep = kind == 0 ? f % modulus == residue || (modulus - f % modulus) % modulus == residue : kind == 1 ? f < edge : kind == 2 ? choose(4) > 0 : true;
      c.kept[static_cast<std::size_t>(f)] = keep;
    }
    spec.kept = c.kept.data();
  } else {
    spec.max_length = choose(4) == 0 ? int64_t{1} << choose(std::bit_width(static_cast<uint64_t>(longest))) : among(1, longest);
    spec.filter_length = among(1, spec.mode == LC_CIRCULAR || choose(4) > 0 ? spec.max_length : 2 * longest);
    if (choose(2)) spec.filter_length = std::min<int64_t>(spec.filter_length, among(1, 300));
  }
  c.filter = values(choose, spec.channels * spec.filter_length);
  for (const float k : c.filter) c.filter_energy += static_cast<double>(k) * k / static_cast<double>(spec.channels);
  if (spec.mode == LC_GRID) mask_filter(c);
  const auto& tables = available_kernels();
  c.variant = tables[static_cast<std::size_t>(choose(static_cast<int64_t>(tables.size())))]->name;
  c.prepare_threads = static_cast<int32_t>(among(1, 3));
  c.plan = choose(2) ? 0 : choose(kMostPlans);

  lc_convolution_call& call = c.call;
  call.sample_type = static_cast<int32_t>(choose(3));
  call.batch = among(1, 4);
  call.length = spec.mode == LC_CIRCULAR ? spec.max_length : among(1, spec.max_length);
  const int64_t past = spec.filter_length - 1;
  const bool continued = spec.mode == LC_CAUSAL && past > 0 && past < spec.max_length && choose(4) == 0;
  if (continued) call.length = std::min(call.length, spec.max_length - past);
  call.first_channel = choose(3);
  call.total_channels = call.first_channel + spec.channels + choose(2);
  call.threads = static_cast<int32_t>(among(1, 4));
  const int64_t count = call.batch * call.total_channels * call.length;
  c.input = values(choose, count);
  if (choose(2)) c.pre = values(choose, count);
  if (choose(2)) c.post = values(choose, count);
  if (choose(2)) c.skip = values(choose, call.total_channels);
  c.output.assign(static_cast<std::size_t>(count), 7.0f);
  if (continued) c.history = values(choose, call.batch * spec.channels * past);
  if (call.sample_type != LC_FLOAT32) {
    c.half_input = halves(c.input, call.sample_type);
    c.half_pre = halves(c.pre, call.sample_type);
    c.half_post = halves(c.post, call.sample_type);
    c.half_output.assign(c.output.size(), 0);
  }
}

int32_t run_case(Case& c, const int32_t* cancel, lc_status* status) {
  const lc_backend& cpu = cpu_backend();
  lc_costs costs{};
  if (const int32_t code = cpu.costs(c.variant, &costs, status); code != LC_OK) return code;
  lc_plan plan{};
  const int32_t planned = guarded(status, [&] {
    check_spec(c.spec);
    lc_plan plans[kMostPlans];
    const int64_t count = candidate_plans(c.spec, costs, c.call.batch, c.call.length, c.call.threads, plans, kMostPlans);
    plan = plans[c.plan % count];
  });
  if (planned != LC_OK) return planned;
  plan.seconds = 0;  // says nothing of the work, so that small cases run on all threads, too
  lc_prepared* prepared = nullptr;
  if (const int32_t code = cpu.prepare(&c.spec, &plan, c.variant, c.filter.data(), c.prepare_threads, cancel, &prepared, status); code != LC_OK) return code;
  lc_convolution_call call = c.call;
  const bool half = call.sample_type != LC_FLOAT32;
  const auto pick = [&](const std::vector<float>& f, const std::vector<uint16_t>& h) -> const void* { return f.empty() ? nullptr : half ? static_cast<const void*>(h.data()) : f.data(); };
  call.input = pick(c.input, c.half_input);
  call.pre_gate = pick(c.pre, c.half_pre);
  call.post_gate = pick(c.post, c.half_post);
  call.output = half ? static_cast<void*>(c.half_output.data()) : c.output.data();
  call.skip = c.skip.empty() ? nullptr : c.skip.data();
  std::vector<float> history = c.history;
  call.history = history.empty() ? nullptr : history.data();
  const int32_t code = cpu.run(prepared, &call, cancel, status);
  cpu.free(prepared);
  return code;
}

double error_of(const Case& c) {
  const lc_convolution_spec& spec = c.spec;
  const lc_convolution_call& call = c.call;
  double distance = 0, size = 0, scale = 0;
  std::vector<double> u(static_cast<std::size_t>(call.length));
  for (int64_t b = 0; b < call.batch; ++b)
    for (int64_t channel = 0; channel < spec.channels; ++channel) {
      const int64_t total = call.first_channel + channel, at = (b * call.total_channels + total) * call.length;
      const float* k = &c.filter[static_cast<std::size_t>(channel * spec.filter_length)];
      const float* past = c.history.empty() ? nullptr : &c.history[static_cast<std::size_t>((b * spec.channels + channel) * (spec.filter_length - 1))];
      for (int64_t t = 0; t < call.length; ++t)
        u[static_cast<std::size_t>(t)] = static_cast<double>(c.input[static_cast<std::size_t>(at + t)]) * (c.pre.empty() ? 1.0 : c.pre[static_cast<std::size_t>(at + t)]);
      for (int64_t t = 0; t < call.length; ++t) {
        double sum = 0;
        if (spec.mode == LC_CAUSAL) {
          for (int64_t j = 0; j < spec.filter_length; ++j) {
            if (j <= t) sum += k[j] * u[static_cast<std::size_t>(t - j)];
            else if (past) sum += k[j] * static_cast<double>(past[spec.filter_length - 1 + t - j]);
          }
        } else {
          const int64_t ring = spec.mode == LC_GRID ? spec.fft_size : call.length;
          for (int64_t s = 0; s < call.length; ++s) {
            const int64_t lag = (t - s + ring) % ring;
            if (lag < spec.filter_length) sum += k[lag] * u[static_cast<std::size_t>(s)];
          }
        }
        if (!c.skip.empty()) sum += c.skip[static_cast<std::size_t>(total)] * u[static_cast<std::size_t>(t)];
        if (!c.post.empty()) sum *= c.post[static_cast<std::size_t>(at + t)];
        const auto i = static_cast<std::size_t>(at + t);
        const double y = call.sample_type == LC_FLOAT32 ? c.output[i] : widened(c.half_output[i], call.sample_type);
        if (!std::isfinite(y)) return std::numeric_limits<double>::infinity();
        distance += (y - sum) * (y - sum);
        size += sum * sum;
        scale += c.filter_energy * u[static_cast<std::size_t>(t)] * u[static_cast<std::size_t>(t)];
      }
    }
  // Where masks or gates leave little or nothing, the distance is measured against what was there before: one part in a hundred of it.
  const double measure = std::max(size, 1e-4 * scale);
  return std::sqrt(distance / (measure > 0 ? measure : 1.0));
}

std::string describe(const Case& c) {
  char text[300];
  std::snprintf(text, sizeof text, "%s, plan %lld, mode %d, %lld channels, %lld taps, at most %lld points, fft %lld; batch %lld, %lld points, %d threads, sample type %d, %s%s%s%s", c.variant, static_cast<long long>(c.plan), c.spec.mode,
                static_cast<long long>(c.spec.channels), static_cast<long long>(c.spec.filter_length), static_cast<long long>(c.spec.max_length), static_cast<long long>(c.spec.fft_size),
                static_cast<long long>(c.call.batch), static_cast<long long>(c.call.length), c.call.threads, c.call.sample_type, c.pre.empty() ? "" : "pre-gate ", c.post.empty() ? "" : "post-gate ",
                c.skip.empty() ? "" : "skip ", c.history.empty() ? "" : "history");
  return text;
}

}  // namespace longconv::test
