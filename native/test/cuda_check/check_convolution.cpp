// Convolutions against the definition in float64: every output of short signals, some hundred outputs of long ones.
#include <algorithm>
#include <cmath>
#include <set>

#include "library.h"

namespace check {
namespace {

struct Case {
  lc_mode mode;
  int32_t element;
  int64_t batch, channels, length, taps;
  bool gated, skip;
  int64_t first_channel = 0, more_channels = 0;  // the signal has channels before and after those of the filter
  double scale = 1;
  bool exact = false;
  double offset = 0;    // added to every sample; the filter is positive then
  int64_t dropped = 0;  // grid: bins f of 8 k + 1 .. 8 k + dropped and their mirrors are not kept
};

bool is_kept(const Case& c, int64_t bin) { return std::min(bin % 8, (c.taps - bin) % 8) == 0 || std::min(bin % 8, (c.taps - bin) % 8) > c.dropped; }

/// Without what the dropped bins hold, by the definition.
std::vector<float> without_dropped(const Case& c, const std::vector<float>& filter) {
  std::vector<float> out(filter.size());
  for (int64_t channel = 0; channel < c.channels; ++channel) {
    const int64_t n = c.taps, base = channel * n;
    std::vector<double> sum(filter.begin() + base, filter.begin() + base + n);
    for (int64_t bin = 0; bin <= n / 2; ++bin) {
      if (is_kept(c, bin)) continue;
      double re = 0, im = 0;
      for (int64_t t = 0; t < n; ++t) {
        const double angle = 2 * M_PI * static_cast<double>(bin * t % n) / static_cast<double>(n), k = filter[static_cast<std::size_t>(base + t)];
        re += k * std::cos(angle), im -= k * std::sin(angle);
      }
      const double weight = (bin == 0 || 2 * bin == n ? 1.0 : 2.0) / static_cast<double>(n);
      for (int64_t t = 0; t < n; ++t) {
        const double angle = 2 * M_PI * static_cast<double>(bin * t % n) / static_cast<double>(n);
        sum[static_cast<std::size_t>(t)] -= weight * (re * std::cos(angle) - im * std::sin(angle));
      }
    }
    std::copy(sum.begin(), sum.end(), out.begin() + base);
  }
  return out;
}

double limit_of(const Case& c) { return c.exact && c.element == LC_F32 ? 5e-6 : c.element == LC_BF16 ? 2.5e-3 : 1e-3; }

std::string describe(const Case& c) {
  const char* mode = c.mode == LC_CAUSAL ? "causal" : c.mode == LC_GRID ? "grid" : "circular";
  std::string text = std::string("convolution ") + mode + " " + element_name(c.element) + " B" + std::to_string(c.batch) + " H" + std::to_string(c.channels) +
                     " L" + std::to_string(c.length) + " K" + std::to_string(c.taps);
  if (c.gated) text += " gated";
  if (c.skip) text += " skip";
  if (c.more_channels) text += " part of the channels";
  if (c.scale != 1) text += " scale " + std::to_string(c.scale);
  if (c.offset != 0) text += " around " + std::to_string(c.offset);
  if (c.dropped) text += " bins dropped";
  if (c.exact) text += " exact";
  return text;
}

/// Positions of a row to compare: all of a short one, both ends and random ones of a long one.
std::vector<int64_t> positions(int64_t length) {
  std::set<int64_t> chosen;
  if (length <= 4096) {
    for (int64_t t = 0; t < length; ++t) chosen.insert(t);
  } else {
    for (int64_t t = 0; t < 24; ++t) chosen.insert({t, length - 1 - t, static_cast<int64_t>(generator()() % static_cast<uint64_t>(length))});
  }
  return {chosen.begin(), chosen.end()};
}

void run(const Case& c) {
  const int64_t total = c.channels + c.first_channel + c.more_channels, count = c.batch * total * c.length;
  const int64_t fft_size = c.mode == LC_GRID ? c.taps : 0;
  std::vector<double> filter = random_values(c.channels * c.taps, 1 / (c.offset != 0 ? static_cast<double>(c.taps) : std::sqrt(static_cast<double>(c.taps))));
  if (c.offset != 0) for (double& tap : filter) tap = std::fabs(tap);  // lets the mean through
  const std::vector<float> given(filter.begin(), filter.end()), single = c.dropped ? without_dropped(c, given) : given;
  std::vector<double> samples = random_values(count, c.scale);
  for (double& sample : samples) sample += c.offset;
  const Array input(c.element, samples);
  const Array pre(c.element, random_values(c.gated ? count : 1)), post(c.element, random_values(c.gated ? count : 1));
  const Array skip(LC_F32, random_values(total));
  const Array output(c.element, count);

  lc_convolution_spec spec{};
  spec.mode = c.mode, spec.channels = c.channels, spec.filter_length = c.taps, spec.max_length = c.length;
  std::vector<uint8_t> kept(static_cast<std::size_t>(fft_size / 2 + 1));
  for (int64_t bin = 0; bin <= fft_size / 2; ++bin) kept[static_cast<std::size_t>(bin)] = is_kept(c, bin);
  if (c.mode == LC_GRID) spec.fft_size = fft_size, spec.kept = kept.data();
  lc_status status{};
  lc_cuda_convolution* prepared = nullptr;
  require(api().prepare_convolution(&spec, c.exact, given.data(), &prepared, &status), status);
  lc_cuda_convolution_call call{};
  call.element = c.element, call.input = input.data(), call.output = output.data();
  if (c.gated) call.pre_gate = pre.data(), call.post_gate = post.data();
  if (c.skip) call.skip = static_cast<const float*>(skip.data());
  call.batch = c.batch, call.length = c.length, call.total_channels = total, call.first_channel = c.first_channel;
  require(api().run_convolution(prepared, &call, &status), status);
  const std::vector<double> all = output.download();
  api().free_convolution(prepared);

  std::vector<double> got, want;
  double untouched = 0;
  for (int64_t b = 0; b < c.batch; ++b) {
    for (int64_t channel = 0; channel < total; ++channel) {
      const int64_t base = (b * total + channel) * c.length, own = channel - c.first_channel;
      if (own < 0 || own >= c.channels) {
        for (int64_t t = 0; t < c.length; ++t) untouched += !std::isnan(all[static_cast<std::size_t>(base + t)]);
        continue;
      }
      const auto u = [&](int64_t t) { return input.values()[static_cast<std::size_t>(base + t)] * (c.gated ? pre.values()[static_cast<std::size_t>(base + t)] : 1); };
      for (const int64_t t : positions(c.length)) {
        double sum = c.skip ? skip.values()[static_cast<std::size_t>(channel)] * u(t) : 0;
        const int64_t last = c.mode == LC_CAUSAL ? std::min(t, c.taps - 1) : c.taps - 1;
        for (int64_t j = 0; j <= last; ++j) {
          int64_t from = t - j;
          if (c.mode == LC_CIRCULAR) from = (from % c.length + c.length) % c.length;
          if (c.mode == LC_GRID) from = (from % fft_size + fft_size) % fft_size;
          if (from < c.length) sum += single[static_cast<std::size_t>(own * c.taps + j)] * u(from);
        }
        want.push_back(sum * (c.gated ? post.values()[static_cast<std::size_t>(base + t)] : 1));
        got.push_back(all[static_cast<std::size_t>(base + t)]);
      }
      double unwritten = 0;
      for (int64_t t = 0; t < c.length; ++t) unwritten += std::isnan(all[static_cast<std::size_t>(base + t)]);
      if (unwritten > 0) record(describe(c) + ": outputs that nobody wrote", unwritten, 0);
    }
  }
  compare(describe(c), got, want, limit_of(c));
  if (untouched > 0) record(describe(c) + ": outputs of other channels that were written", untouched, 0);
}

/// A convolution in float32 accuracy.
void run_exact(Case c) {
  c.exact = true;
  run(c);
}

}  // namespace

void check_convolutions(bool quick) {
  for (const int32_t element : {LC_F16, LC_BF16, LC_F32}) {
    for (const bool gated : {false, true}) {
      run({LC_CAUSAL, element, 2, 3, 1000, 128, gated, true});
      run({LC_CAUSAL, element, 1, 2, 1024, 33, gated, false});
    }
    run({LC_CAUSAL, element, 1, 2, 5003, 100, true, true});
    run({LC_CAUSAL, element, 2, 2, 777, 3, false, true, 1, 2});
  }
  run({LC_CAUSAL, LC_F16, 1, 1, 1, 1, false, true});
  run({LC_CAUSAL, LC_F16, 1, 2, 16, 128, false, false});
  run({LC_CAUSAL, LC_F16, 1, 2, 40960, 34, true, true});
  run({LC_CAUSAL, LC_F16, 1, 2, 2000, 64, false, false, 0, 0, 200});
  run({LC_CAUSAL, LC_F16, 1, 2, 2000, 64, true, false, 0, 0, 1e-3});
  run({LC_CAUSAL, LC_BF16, 1, 2, 2000, 64, false, false, 0, 0, 1e20});
  for (const int32_t element : {LC_F16, LC_BF16}) {
    run({LC_CAUSAL, element, 2, 3, 1024, 1024, true, true});
    run({LC_CAUSAL, element, 3, 2, 1000, 1000, false, false});
    for (const int64_t batch : {1, 2, 3}) run({LC_GRID, element, batch, 2, 512, 1024, true, true});
    run({LC_CIRCULAR, element, 2, 3, 1024, 1024, false, true});
  }
  for (const int64_t length : {1, 200, 1000, 2100}) run_exact({LC_CAUSAL, LC_F32, 3, 2, length, length, true, true});
  run_exact({LC_CAUSAL, LC_F32, 2, 2, 777, 3, false, true, 1, 2});
  run_exact({LC_GRID, LC_F32, 3, 2, 500, 1024, true, true});
  run_exact({LC_GRID, LC_F32, 2, 2, 700, 1024, false, true, 0, 0, 1, true, 0, 2});
  run_exact({LC_CIRCULAR, LC_F32, 1, 3, 256, 256, false, true});
  run_exact({LC_CIRCULAR, LC_F32, 4, 1, 8192, 8192, true, false});
  run_exact({LC_CAUSAL, LC_BF16, 1, 2, 300, 300, false, false});
  for (const double scale : {1e-20, 1e20}) run_exact({LC_CAUSAL, LC_F32, 2, 1, 600, 600, false, true, 0, 0, scale});
  if (quick) return;
  for (const int64_t batch : {1, 3, 4}) run({LC_GRID, LC_F16, batch, 2, 1024, 2048, true, true, 0, 0, 1, false, 0, 5});
  run({LC_GRID, LC_BF16, 3, 2, 1000, 2048, false, true, 1, 1, 1, false, 0, 1});
  for (const int64_t length : {32768, 100000, 1 << 20, 1 << 22}) run_exact({LC_CAUSAL, LC_F32, 1, 2, length, length, true, true});
  run_exact({LC_CIRCULAR, LC_F32, 3, 2, 1 << 20, 1 << 20, false, true});
  for (const int64_t length : {1 << 22, 1 << 23}) run({LC_CIRCULAR, LC_F16, 2, 1, length, length, false, false, 0, 0, 1, false, 60});
  run({LC_CAUSAL, LC_F16, 1, 64, 1 << 20, 128, true, true});
  run({LC_CAUSAL, LC_BF16, 2, 4, (1 << 20) + 5, 128, false, false});
  for (const int64_t length : {4096, 16384, 65536, 1 << 20}) run({LC_CAUSAL, LC_F16, 1, 8, length, length, true, true});
  run({LC_CAUSAL, LC_F16, 1, 8, 1 << 20, 4096, true, true});
}

}  // namespace check
