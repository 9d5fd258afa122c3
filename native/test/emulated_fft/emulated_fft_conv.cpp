// The kernels of the FFT convolution, run on the processor by emulator.h, against a float64 convolution that shares nothing with them.
// Needs CUDA's headers, no GPU. See CMakeLists.txt; npm run test:safety runs it.
#include <complex>
#include <cstdio>
#include <random>

#include "fft/columns.cuh"
#include "fft/geometry.h"
#include "fft/one_pass.cuh"
#include "fft/tables.h"
#include "transform_choice.h"

namespace longconv::cuda {
namespace {

using Complex = std::complex<double>;

/// Sum over n of x[n] exp(-2 pi i n (f - alpha) / N), by recursion on the FFT of x[n] exp(2 pi i alpha n / N).
std::vector<Complex> fft(const std::vector<Complex>& x, double sign = -1) {
  const size_t n = x.size();
  if (n == 1) return x;
  std::vector<Complex> even(n / 2), odd(n / 2), out(n);
  for (size_t i = 0; i < n / 2; ++i) even[i] = x[2 * i], odd[i] = x[2 * i + 1];
  even = fft(even, sign);
  odd = fft(odd, sign);
  for (size_t i = 0; i < n / 2; ++i) {
    const Complex w = std::polar(1.0, sign * 2 * M_PI * i / n) * odd[i];
    out[i] = even[i] + w;
    out[i + n / 2] = even[i] - w;
  }
  return out;
}

std::vector<double> circular(const std::vector<double>& u, const std::vector<double>& k) {
  std::vector<Complex> a(u.begin(), u.end()), b(k.begin(), k.end());
  a = fft(a);
  b = fft(b);
  for (size_t i = 0; i < a.size(); ++i) a[i] *= b[i];
  a = fft(a, 1);
  std::vector<double> out(a.size());
  for (size_t i = 0; i < a.size(); ++i) out[i] = a[i].real() / a.size();
  return out;
}

struct Problem {
  int channels, batch, length, points, blocks, step, history;
  bool causal, gated, skip;
  double amplitude;
  uint32_t keep;  // rows of the first digit, for filters that have only those
  int taps = 0;   // overlap-save: blocks of 2 * points, halves as members
  double uneven = 1;  // every second stretch of `points` is so much larger
  bool post_only = false;  // of the gates

  bool halves() const { return taps > 0; }
  bool linear() const { return causal || halves(); }
};

Problem overlap_save(int channels, int batch, int length, int points, int taps, bool gated, bool skip, double amplitude, double uneven = 1) {
  const int history = (taps - 1 + 7) / 8 * 8, step = 2 * points - history;
  return {channels, batch, length, points, (length + step - 1) / step, step, history, false, gated, skip, amplitude, 0xffffffffu, taps, uneven};
}

template <class E>
struct Data {
  std::vector<E> u, pre, post, y;
  std::vector<float> skip;
  std::vector<std::vector<double>> k;
};

template <class E>
Data<E> random_data(const Problem& p, int first_radix) {
  std::mt19937 random(p.points * 7 + p.length + p.batch);
  std::normal_distribution<double> normal;
  Data<E> d;
  const size_t count = static_cast<size_t>(p.batch) * p.channels * p.length;
  for (auto* array : {&d.u, &d.pre, &d.post}) {
    array->resize(count);
    for (size_t i = 0; i < count; ++i) {
      const double amplitude = array != &d.u ? 1 : i % p.length / p.points % 2 ? p.amplitude * p.uneven : p.amplitude;
      from_float(static_cast<float>(normal(random) * amplitude), (*array)[i]);
    }
  }
  d.y.assign(count, E{});
  for (auto& v : d.y) from_float(NAN, v);
  for (int c = 0; c < p.channels; ++c) {
    d.skip.push_back(static_cast<float>(normal(random)));
    const int taps = p.halves() ? p.taps : p.causal ? p.length : p.points;
    std::vector<double> k(std::max(taps, p.points), 0.0);
    for (int i = 0; i < taps; ++i) k[i] = static_cast<float>(normal(random) * std::exp(-3.0 * i / taps) * 3);
    if (p.keep != 0xffffffffu) {
      std::vector<Complex> f(k.begin(), k.end());
      f = fft(f);
      for (int i = 0; i < p.points; ++i)
        if (!(p.keep >> (i % first_radix) & 1) || !(p.keep >> ((p.points - i) % first_radix) & 1)) f[i] = 0;
      f = fft(f, 1);
      for (int i = 0; i < p.points; ++i) k[i] = f[i].real() / p.points;
    }
    d.k.push_back(k);
  }
  return d;
}

template <class E>
double relative_error(const Problem& p, const Data<E>& d) {
  double error = 0, norm = 0;
  const int padded = 2 * std::max(p.halves() ? 2 * p.points : p.points, 1 << static_cast<int>(std::ceil(std::log2(p.length))));
  for (int b = 0; b < p.batch; ++b)
    for (int c = 0; c < p.channels; ++c) {
      const size_t row = (static_cast<size_t>(b) * p.channels + c) * p.length;
      std::vector<double> u(p.linear() ? padded : p.points, 0.0), k = d.k[c], raw(p.length);
      for (int i = 0; i < p.length; ++i) raw[i] = u[i] = static_cast<double>(to_float(d.u[row + i])) * (p.gated && !p.post_only ? to_float(d.pre[row + i]) : 1);
      k.resize(u.size(), 0.0);
      const std::vector<double> y = circular(u, k);
      for (int i = 0; i < p.length; ++i) {
        double want = y[i] + (p.skip ? d.skip[c] * raw[i] : 0);
        if (p.gated) want *= to_float(d.post[row + i]);
        const double got = to_float(d.y[row + i]);
        error += (got - want) * (got - want);
        norm += want * want;
      }
    }
  return std::sqrt(error / norm);
}

/// The error of what has been computed, which is then forgotten.
template <class E>
double take_error(const Problem& p, Data<E>& d) {
  const double error = relative_error(p, d);
  for (auto& v : d.y) from_float(NAN, v);
  return std::isnan(error) ? HUGE_VAL : error;
}

template <class E>
SignalArrays arrays_of(const Problem& p, Data<E>& d) {
  SignalArrays s = {};
  s.input = d.u.data();
  s.output = d.y.data();
  if (p.gated) s.post_gate = d.post.data();
  if (p.gated && !p.post_only) s.pre_gate = d.pre.data();
  if (p.skip) s.skip = d.skip.data();
  s.batch = p.batch;
  s.total_channels = p.channels;
  s.length = p.length;
  s.blocks = p.blocks;
  s.step = p.step;
  s.history = p.history;
  s.apart = p.halves() ? p.points : 0;
  s.discarded[0] = std::min(p.history, p.points);
  s.discarded[1] = std::max(p.history - p.points, 0);
  s.vector = p.length % 8 == 0;
  return s;
}

/// Of the transform that takes `signal` on chip, or two halves of a block.
double alpha_of(Signal signal, bool halves) { return signal == Signal::kReal || halves ? 0.25 : 0; }

/// Spectrum of k at the fractional frequencies f - alpha, taps from n on times z^n = i, scaled to at most 1; scale returned.
float spectrum(const std::vector<double>& k, int n, double alpha, std::vector<Complex>& out) {
  out.assign(n, 0);
  for (size_t i = 0; i < k.size(); ++i) out[i % n] += (i < static_cast<size_t>(n) ? Complex(k[i]) : Complex(0, k[i])) * std::polar(1.0, 2 * M_PI * alpha * (i % n) / n);
  out = fft(out);
  double top = 0;
  for (const Complex& v : out) top = std::max(top, std::abs(v));
  float scale = 1;
  while (scale < top) scale *= 2;
  while (scale > 2 * top) scale /= 2;
  for (Complex& v : out) v /= scale;
  return scale;
}

/// Word `position` of a stored spectrum: frequencies first + stride * filter_frequency().
uint32_t filter_word(const std::vector<Complex>& spectrum, Geometry g, int position, int first = 0, int stride = 1) {
  float part[2];
  for (int half = 0; half < 2; ++half) {
    const Complex v = spectrum[first + stride * filter_frequency(g, position, half)];
    part[half] = static_cast<float>(position & 1 ? v.imag() : v.real());
  }
  return pack(part[0], part[1]);
}

struct OnePassTables {
  std::vector<uint4> in, middle, core, pairs, out;
  std::vector<float2> base0, steps0, base1, steps1;
  std::vector<float4> core_twiddles;
  std::vector<uint32_t> row_twiddles;
};

FragmentKind fragments_in(Signal signal) { return signal == Signal::kReal ? FragmentKind::kFromReal : FragmentKind::kComplex; }
FragmentKind fragments_out(Signal signal) {
  return signal == Signal::kPair ? FragmentKind::kToPair : signal == Signal::kReal ? FragmentKind::kToReal : FragmentKind::kComplex;
}

OnePassTables tables_for(Signal signal, double alpha, int n) {
  const Geometry g = geometry_of(n);
  OnePassTables t;
  if (g.first >= 8) {
    t.in = digit_fragments(fragments_in(signal), g.first, alpha);
    t.out = digit_fragments(fragments_out(signal), g.first, alpha);
  }
  t.core = digit_fragments(FragmentKind::kComplex, 16, 0);
  t.base0 = twiddle_base(n, g.first, g.middle * 256, alpha);
  t.steps0 = twiddle_steps(n, g.first, alpha);
  t.pairs = digit_fragments(FragmentKind::kPairs, 16, 0);
  t.core_twiddles = core_twiddles();
  if (g.middle > 1) {
    t.middle = digit_fragments(FragmentKind::kComplex, g.middle, 0);
    t.base1 = twiddle_base(g.middle * 256, g.middle, 256, 0);
    t.steps1 = twiddle_steps(g.middle * 256, g.middle, 0);
    t.row_twiddles = row_twiddles(g.middle * 256, g.middle, 0);
  } else {
    t.row_twiddles = row_twiddles(n, g.first, alpha);
  }
  return t;
}

void set_tables(OnePass& o, const OnePassTables& t, int n) {
  const Geometry g = geometry_of(n);
  o.in_fragments = t.in.data();
  o.middle_fragments = t.middle.data();
  o.core_fragments = t.core.data();
  o.pair_fragments = t.pairs.data();
  o.out_fragments = t.out.data();
  o.first = {t.base0.data(), t.steps0.data(), g.middle * 32};
  o.middle = {t.base1.data(), t.steps1.data(), 32};
  o.core_twiddles = t.core_twiddles.data();
  o.row_twiddles = t.row_twiddles.data();
}

/// Gain of all digits of the on-chip transform, forward and inverse (fragment_gain).
double on_chip_gain(double alpha, int n) {
  const Geometry g = geometry_of(n);
  double gain = std::pow(fragment_gain(16, 0), 4);
  if (g.middle > 1) gain *= std::pow(fragment_gain(g.middle, 0), 2);
  if (g.first >= 8) gain *= std::pow(fragment_gain(g.first, alpha), 2);
  return gain;
}

/// Calls body(shared memory) as every thread of a grid.
template <class Body>
void run_grid(emulated::Index grid, int threads, size_t shared_bytes, Body body, int cluster = 1) {
  emulated::run_grid(grid, threads, static_cast<int64_t>(shared_bytes),
                     [](void* data) { (*static_cast<Body*>(data))(reinterpret_cast<uint32_t*>(emulated::shared_memory())); }, &body, cluster);
}

template <class Kernel>
void emulate_one_pass(const OnePass& o, int threads, unsigned blocks, int cluster = 1) {
  run_grid({blocks, 1, 1}, threads, Kernel::kSharedBytes + (o.signal.pre_gate && (o.gates_staged || !Kernel::kStagedStrips) ? Kernel::kGateBytes : 0), [&](uint32_t* shared) { Kernel(o, shared).run(); }, cluster);
}

/// Runs the kernel that is compiled for `form`.
template <Signal kSignal, class E, int Q, int M, int kWarps, int kGroup, int kCluster>
void emulate_form(Form form, const OnePass& o) {
  switch (form) {
    case Form::kPlain: return emulate_one_pass<OnePassKernel<kSignal, E, Form::kPlain, Q, M, kWarps, kGroup, kCluster>>(o, kWarps * 32, 3 * kCluster, kCluster);
    case Form::kGated: return emulate_one_pass<OnePassKernel<kSignal, E, Form::kGated, Q, M, kWarps, kGroup, kCluster>>(o, kWarps * 32, 3 * kCluster, kCluster);
    case Form::kAny: return emulate_one_pass<OnePassKernel<kSignal, E, Form::kAny, Q, M, kWarps, kGroup, kCluster>>(o, kWarps * 32, 3 * kCluster, kCluster);
  }
}

/// The forms that a call may be run in, with elements of so many bytes.
std::vector<Form> forms_of(const SignalArrays& signal, std::size_t element_bytes) {
  const Form form = form_of(signal);
  return form == Form::kAny || element_bytes == 4 ? std::vector<Form>{Form::kAny} : std::vector<Form>{form, Form::kAny};
}

template <Signal kSignal, class E, int Q, int M, int kWarps, int kGroup, int kCluster = 1>
double one_pass_error(Problem p, bool gates_staged = true) {
  Data<E> d = random_data<E>(p, Q);
  const Geometry g = geometry_of(p.points);
  const double alpha = alpha_of(kSignal, p.halves()), gain = on_chip_gain(alpha, p.points);
  const OnePassTables t = tables_for(kSignal, alpha, p.points);
  OnePass o = {};
  set_tables(o, t, p.points);
  o.signal = arrays_of(p, d);
  std::vector<uint32_t> filter;
  std::vector<float> scale;
  for (int c = 0; c < p.channels; ++c) {
    std::vector<Complex> f;
    scale.push_back(static_cast<float>(spectrum(d.k[c], p.points, alpha, f) / gain));
    for (int i = 0; i < p.points; ++i) filter.push_back(filter_word(f, g, i));
  }
  o.filter = filter.data();
  o.filter_scale = scale.data();
  o.keep = p.keep;
  const int sequences = kSignal == Signal::kPair && !p.halves() ? 2 : 1;  // of a unit
  o.gates_staged = o.signal.pre_gate && gates_staged;
  o.most = most_trusted(p.points, gain);
  o.units_per_channel = (p.batch * p.blocks + sequences - 1) / sequences;
  o.units = o.units_per_channel * p.channels;
  o.teams = 2;
  double error = 0;
  for (const Form form : forms_of(o.signal, sizeof(E))) {
    if (form == Form::kGated && !gates_staged) continue;
    emulate_form<kSignal, E, Q, M, kWarps, kGroup, kCluster>(form, o);
    error = std::max(error, take_error(p, d));
  }
  return error;
}

template <Signal kSignal, class E, int Q>
double long_error(Problem p, const std::vector<int>& dropped) {
  Data<E> d = random_data<E>(p, kColumnRadix);
  const int n = p.points / kColumnRadix;
  const double alpha = alpha_of(kSignal, false);
  if (!dropped.empty()) {
    for (auto& k : d.k) {
      std::vector<Complex> f(k.begin(), k.end());
      f = fft(f);
      for (int i = 0; i < p.points; ++i)
        for (const int row : dropped)
          if (i % 256 == row) f[i] = 0;
      f = fft(f, 1);
      for (int i = 0; i < p.points; ++i) k[i] = f[i].real() / p.points;
    }
  }
  std::vector<int32_t> slots(256, 0), frequency;
  for (const int row : dropped) slots[row] = -1;
  for (int f = 0; f < 256; ++f)
    if (slots[f] >= 0) {
      slots[f] = static_cast<int>(frequency.size());
      frequency.push_back(f);
    }
  const int kept = static_cast<int>(frequency.size());
  const Geometry g = geometry_of(n);
  std::vector<uint32_t> filter;
  std::vector<float> scale;
  const double gain = on_chip_gain(0, n) * std::pow(fragment_gain(16, 0) * fragment_gain(16, alpha), 2);
  for (int c = 0; c < p.channels; ++c) {
    std::vector<Complex> f;
    scale.push_back(static_cast<float>(spectrum(d.k[c], p.points, alpha, f) / gain));
    for (const int row : frequency)
      for (int i = 0; i < n; ++i) filter.push_back(filter_word(f, g, i, row, 256));
  }
  const int members = kSignal == Signal::kPair ? 2 : 1;
  const int sequences = (p.batch + members - 1) / members;
  std::vector<uint4> rows(static_cast<size_t>(sequences) * p.channels * kept * n / 4);
  const auto coarse = twiddle_circle(4ll * p.points, 4096, std::max(1, p.points / 1024)), fine = twiddle_circle(4ll * p.points, 1, 4096);
  const auto in = digit_fragments(fragments_in(kSignal), 16, alpha), out = digit_fragments(fragments_out(kSignal), 16, alpha);
  const auto digit = digit_fragments(FragmentKind::kComplex, 16, 0);
  const auto inner = twiddle_inner(alpha);
  std::vector<SequenceState> states(sequences * p.channels, SequenceState{});
  Columns c = {};
  c.signal = arrays_of(p, d);
  const std::vector<RowBin> bins = row_bins(frequency, static_cast<int>(4 * alpha), 4ll * p.points, n);
  c.rows = {reinterpret_cast<uint32_t*>(rows.data()), filter.data(), bins.data(), {coarse.data(), fine.data(), 4u * p.points - 1},
            static_cast<uint32_t>(sequences), static_cast<uint32_t>(kept), 0, static_cast<int>(4 * alpha)};
  c.sequences = states.data();
  c.slots = slots.data();
  c.in_fragments = in.data();
  c.digit_fragments = digit.data();
  c.out_fragments = out.data();
  c.inner = inner.data();
  c.filter_scale = scale.data();
  c.points = n;
  c.most = most_trusted(p.points, gain);
  const OnePassTables t = tables_for(Signal::kComplex, 0, n);
  OnePass o = {};
  set_tables(o, t, n);
  o.filter_scale = scale.data();
  o.keep = 0xffffffffu;
  o.rows = c.rows;
  o.units = static_cast<int64_t>(sequences) * p.channels * kept;
  o.units_per_channel = 1;
  o.teams = 2;
  const unsigned tiles = static_cast<unsigned>(n / 64), all = static_cast<unsigned>(sequences * p.channels);
  const auto run = [&]<Form kForm>() {
    using Kernel = ColumnsKernel<kSignal, E, kForm>;
    const auto pass = [&](unsigned columns, auto step) {
      run_grid({columns, all, 1}, 256, Kernel::kSharedBytes, [&](uint32_t* memory) {
        Kernel kernel(c, memory, emulated::block_index().y);
        step(kernel);
      });
    };
    pass(tiles, [](Kernel& kernel) { kernel.forward(block_index()); });
    pass(1, [](Kernel& kernel) { kernel.settle(); });
    emulate_one_pass<OnePassKernel<Signal::kComplex, E, Form::kAny, Q, 1, 4, Q < 8 ? 4 : 1>>(o, 128, 3);
    pass(tiles, [](Kernel& kernel) { kernel.inverse(block_index()); });
  };
  double error = 0;
  for (const Form form : forms_of(c.signal, sizeof(E))) {
    if constexpr (sizeof(E) == 2) {
      if (form == Form::kPlain) run.template operator()<Form::kPlain>();
      if (form == Form::kGated) run.template operator()<Form::kGated>();
    }
    if (form == Form::kAny) run.template operator()<Form::kAny>();
    error = std::max(error, take_error(p, d));
  }
  return error;
}

FftConvSpec grid_of(int64_t length, int64_t fft_size, const std::vector<uint8_t>& kept) {
  return {LC_GRID, 256, fft_size, length, fft_size, kept.data(), 0, false, false};
}

/// Bins whose row, modulo 256, is less than so many, and their mirrors.
std::vector<uint8_t> rows_kept(int64_t fft_size, int rows) {
  std::vector<uint8_t> kept(fft_size / 2 + 1);
  for (int64_t f = 0; f <= fft_size / 2; ++f) kept[f] = f % 256 < rows || (fft_size - f) % 256 < rows;
  return kept;
}

int failures = 0;
void expect(const char* what, bool good) {
  if (!good) ++failures;
  std::printf("%-60s %s\n", what, good ? "ok" : "FAILED");
}

void check_choice() {
  for (const int64_t length : {8192, 65536, 1 << 20}) {
    const std::vector<uint8_t> quarter = rows_kept(2 * length, 33), all = rows_kept(2 * length, 256);
    expect("one row of a comb: on its own", right_angle_pays(grid_of(length, 2 * length, quarter), 1));
    expect("two rows that keep everything: each on its own", right_angle_pays(grid_of(length, 2 * length, all), 2));
    FftConvSpec single = grid_of(length, 2 * length, quarter);
    single.right_angle = true;
    const TransformChoice choice = choose_transform(single, true);
    const bool every_row = static_cast<int>(rows_with_kept_bins(single, choice).size()) == choice.first_digit();
    expect("on its own: right angle, length points, every row", !choice.pairs && choice.points == length && every_row);
  }
  const std::vector<uint8_t> quarter = rows_kept(1 << 21, 33);
  const FftConvSpec million = grid_of(1 << 20, 1 << 21, quarter);
  expect("two rows of a comb: as a pair", !right_angle_pays(million, 2));
  const TransformChoice pair = choose_transform(million, true);
  expect("a pair: two million points, 65 of 256 rows", pair.pairs && rows_with_kept_bins(million, pair).size() == 65);
  const std::vector<uint8_t> huge(1);
  expect("a circle that is too large for pairs: on its own", right_angle_pays(grid_of(1 << 20, 1 << 24, huge), 2));
  FftConvSpec causal = {LC_CAUSAL, 256, 4096, 4096, 0, nullptr, 0, false, false};
  expect("causal rows have no circle", !right_angle_pays(causal, 1));
}

void report(const char* name, double error, double limit) {
  const bool good = error <= limit;
  if (!good) ++failures;
  std::printf("%-44s %.2e%s\n", name, error, good ? "" : "  FAILED");
  std::fflush(stdout);
}

}  // namespace
}  // namespace longconv::cuda

int main() {
  using namespace longconv::cuda;
  using H = __half;
  using B = __nv_bfloat16;
  constexpr uint32_t all = 0xffffffffu;
  check_choice();
  // channels, batch, length, points, blocks, step, history, causal, gated, skip, amplitude, keep
  report("pair 256", one_pass_error<Signal::kPair, H, 1, 1, 4, 8>({3, 6, 256, 256, 1, 256, 0, false, false, false, 1, all}), 1e-3);
  report("pair 256, odd batch, gated, skip", one_pass_error<Signal::kPair, H, 1, 1, 4, 8>({2, 3, 256, 256, 1, 256, 0, false, true, true, 1, all}), 1e-3);
  report("real 256, length 200, bf16", one_pass_error<Signal::kReal, B, 1, 1, 4, 8>({2, 3, 200, 256, 1, 256, 0, true, true, true, 1, all}), 2.5e-3);
  report("real 256, length 1", one_pass_error<Signal::kReal, H, 1, 1, 4, 8>({2, 1, 1, 256, 1, 256, 0, true, false, false, 1, all}), 1e-3);
  report("pair 512", one_pass_error<Signal::kPair, H, 2, 1, 4, 4>({2, 4, 512, 512, 1, 512, 0, false, false, false, 1, all}), 1e-3);
  report("real 512, length 509", one_pass_error<Signal::kReal, H, 2, 1, 4, 4>({2, 3, 509, 512, 1, 512, 0, true, false, true, 1, all}), 1e-3);
  report("pair 1024, half of it padding", one_pass_error<Signal::kPair, H, 4, 1, 4, 4>({2, 4, 512, 1024, 1, 1024, 0, false, false, false, 1, all}), 1e-3);
  report("real 1024", one_pass_error<Signal::kReal, H, 4, 1, 4, 4>({2, 3, 1024, 1024, 1, 1024, 0, true, false, false, 1, all}), 1e-3);
  report("pair 2048, rows dropped", one_pass_error<Signal::kPair, H, 8, 1, 4, 1>({2, 3, 2048, 2048, 1, 2048, 0, false, false, false, 1, 0x83}), 1e-3);
  report("real 2048", one_pass_error<Signal::kReal, H, 8, 1, 4, 1>({2, 2, 2048, 2048, 1, 2048, 0, true, true, false, 1, all}), 1e-3);
  report("pair 4096, large values", one_pass_error<Signal::kPair, H, 16, 1, 4, 1>({1, 2, 4096, 4096, 1, 4096, 0, false, false, false, 100, all}), 1e-3);
  report("pair 4096, float", one_pass_error<Signal::kPair, float, 16, 1, 4, 1>({1, 3, 4096, 4096, 1, 4096, 0, false, true, true, 1e-6, all}), 1e-3);
  report("real 4096", one_pass_error<Signal::kReal, H, 16, 1, 4, 1>({1, 2, 4096, 4096, 1, 4096, 0, true, false, true, 1, all}), 1e-3);
  report("pair 8192, rows dropped", one_pass_error<Signal::kPair, H, 32, 1, 8, 1>({1, 2, 8192, 8192, 1, 8192, 0, false, false, false, 1, 0x80000003u}), 1e-3);
  report("real 8192", one_pass_error<Signal::kReal, H, 32, 1, 8, 1>({1, 1, 8000, 8192, 1, 8192, 0, true, false, false, 1, all}), 1e-3);
  report("pair 16384", one_pass_error<Signal::kPair, H, 8, 8, 8, 1>({1, 2, 16384, 16384, 1, 16384, 0, false, false, false, 1, 0x83}), 1e-3);
  report("real 32768", one_pass_error<Signal::kReal, H, 8, 16, 16, 1>({1, 1, 32768, 32768, 1, 32768, 0, true, false, false, 1, all}), 1e-3);
  report("pair 16384, gated, units one after the other", one_pass_error<Signal::kPair, H, 8, 8, 8, 1>({2, 5, 16384, 16384, 1, 16384, 0, false, true, true, 1, all}), 1e-3);
  report("pair 16384, no room for the gates", one_pass_error<Signal::kPair, H, 8, 8, 8, 1>({1, 6, 16384, 16384, 1, 16384, 0, false, true, false, 1, all}, false), 1e-3);
  report("real 16384, no room for the gates, odd length", one_pass_error<Signal::kReal, B, 8, 8, 8, 1>({1, 3, 16001, 16384, 1, 16384, 0, true, true, true, 1e-9, all}, false), 2.5e-3);
  // channels, batch, length, points, taps, gated, skip, amplitude, uneven
  report("overlap-save 2 x 2048, 2 taps", one_pass_error<Signal::kPair, H, 8, 1, 4, 1>(overlap_save(2, 2, 9000, 2048, 2, false, false, 1)), 1e-3);
  report("overlap-save 2 x 2048, history > n, odd length", one_pass_error<Signal::kPair, H, 8, 1, 4, 1>(overlap_save(2, 1, 7001, 2048, 3000, true, true, 1)), 1e-3);
  report("overlap-save 2 x 2048, one short row", one_pass_error<Signal::kPair, H, 8, 1, 4, 1>(overlap_save(1, 3, 1000, 2048, 100, false, true, 1)), 1e-3);
  report("overlap-save 2 x 4096, bf16, 100 taps, gated", one_pass_error<Signal::kPair, B, 16, 1, 4, 1>(overlap_save(1, 1, 9001, 4096, 100, true, true, 1)), 2.5e-3);
  report("overlap-save 2 x 4096, bf16, 1e30", one_pass_error<Signal::kPair, B, 16, 1, 4, 1>(overlap_save(1, 1, 20000, 4096, 513, false, true, 1e30)), 2.5e-3);
  report("overlap-save 2 x 4096, float, halves 1e30 and 1", one_pass_error<Signal::kPair, float, 16, 1, 4, 1>(overlap_save(1, 1, 16000, 4096, 1024, false, false, 1e30, 1e-30)), 1e-3);
  report("overlap-save 2 x 4096, halves 1/64 and 1", one_pass_error<Signal::kPair, H, 16, 1, 4, 1>(overlap_save(1, 1, 16001, 4096, 1024, false, true, 1.0 / 64, 64)), 1e-3);
  report("overlap-save 2 x 8192, float, 1e-20", one_pass_error<Signal::kPair, float, 32, 1, 8, 1>(overlap_save(1, 1, 30000, 8192, 4096, true, true, 1e-20)), 1e-3);
  report("overlap-save 2 x 16384, history > n", one_pass_error<Signal::kPair, H, 8, 8, 8, 1>(overlap_save(1, 1, 40000, 16384, 20000, false, false, 1)), 1e-3);
  report("overlap-save 2 x 32768, 16384 taps", one_pass_error<Signal::kPair, H, 8, 16, 16, 1>(overlap_save(1, 1, 90001, 32768, 16384, false, true, 1)), 1e-3);
  report("overlap-save 2 x 65536, cluster of 2", one_pass_error<Signal::kPair, H, 16, 16, 16, 1, 2>(overlap_save(1, 1, 120000, 65536, 32768, true, false, 1, 1e-6)), 1e-3);
  report("cluster of 2, pair 64K", one_pass_error<Signal::kPair, H, 16, 16, 16, 1, 2>({1, 3, 65536, 65536, 1, 65536, 0, false, false, false, 1, all}), 1e-3);
  report("cluster of 2, pair 64K, rows dropped", one_pass_error<Signal::kPair, H, 16, 16, 16, 1, 2>({1, 1, 40000, 65536, 1, 65536, 0, false, false, false, 1, 0x8003u}), 1e-3);
  report("cluster of 2, real 64K, scaled, bf16", one_pass_error<Signal::kReal, B, 16, 16, 16, 1, 2>({2, 3, 65500, 65536, 1, 65536, 0, true, true, true, 1e-9, all}), 2.5e-3);
  report("cluster of 2, pair 64K, a post-gate alone", one_pass_error<Signal::kPair, H, 16, 16, 16, 1, 2>({1, 3, 65536, 65536, 1, 65536, 0, false, true, true, 1, all, 0, 1, true}), 1e-3);
  report("cluster of 8, real 128K", one_pass_error<Signal::kReal, H, 32, 16, 8, 1, 8>({2, 2, 100000, 131072, 1, 131072, 0, true, false, true, 1, all}), 1e-3);
  report("cluster of 8, real 128K, float, scaled", one_pass_error<Signal::kReal, float, 32, 16, 8, 1, 8>({1, 2, 131072, 131072, 1, 131072, 0, true, true, false, 1e6, all}), 1e-3);
  report("long pair 64K", long_error<Signal::kPair, H, 1>({1, 2, 65536, 65536, 1, 65536, 0, false, false, false, 1, all}, {}), 1e-3);
  report("long real 64K, scaled", long_error<Signal::kReal, B, 1>({2, 1, 65500, 65536, 1, 65536, 0, true, true, true, 1e-9, all}, {}), 2.5e-3);
  report("long pair 128K, rows dropped", long_error<Signal::kPair, H, 2>({1, 2, 65536, 131072, 1, 131072, 0, false, false, false, 1, all}, {3, 253, 128, 17, 239}), 1e-3);
  report("long pair 64K, gated, scaled, skip", long_error<Signal::kPair, H, 1>({1, 3, 65536, 65536, 1, 65536, 0, false, true, true, 1e-4, all}, {}), 1e-3);
  report("long pair 64K, float, gated", long_error<Signal::kPair, float, 1>({1, 2, 65536, 65536, 1, 65536, 0, false, true, false, 1, all}, {}), 1e-3);
  report("long real 64K, float, odd length", long_error<Signal::kReal, float, 1>({1, 1, 65001, 65536, 1, 65536, 0, true, false, true, 1, all}, {}), 1e-3);
  report("long real 512K", long_error<Signal::kReal, H, 8>({1, 1, 300000, 524288, 1, 524288, 0, true, false, false, 1, all}, {}), 1e-3);
  std::printf("%d failures\n", failures);
  return failures != 0;
}
