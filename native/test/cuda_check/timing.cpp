// Times of the operations that a model spends its time in. Inputs are random: on zeros a GPU can be faster than on real data.
#include <algorithm>
#include <cmath>

#include "library.h"

namespace check {
namespace {

constexpr int kWarmUps = 3;
constexpr int kRepeats = 15;

/// Random 16-bit or float32 data made of one repeated megabyte: enough to be unlike zeros, and quick to make.
class Signal {
 public:
  Signal(int32_t element, int64_t count) {
    lc_status status{};
    const int64_t bytes = count * element_bytes(element), piece = std::min<int64_t>(count, 1 << 20);
    require(api().allocate(bytes, &data_, &status), status);
    const Array random(element, random_values(piece));
    for (int64_t at = 0; at < count; at += piece) {
      const int64_t here = std::min(piece, count - at);
      const auto view = [&](void* data) { return lc_view{data, element, 1, {here}, {1}}; };
      const lc_cuda_elementwise copy{LC_COPY, LC_NONE, view(random.data()), lc_view{}, view(static_cast<char*>(data_) + at * element_bytes(element))};
      require(api().elementwise(&copy, &status), status);
    }
  }
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;
  ~Signal() { api().release(data_); }
  void* data() const { return data_; }

 private:
  void* data_ = nullptr;
};

template <class Body>
double median_seconds(Body&& body) {
  lc_status status{};
  for (int i = 0; i < kWarmUps; ++i) body();
  std::vector<double> samples;
  for (int i = 0; i < kRepeats; ++i) {
    void *before = nullptr, *after = nullptr;
    require(api().make_mark(&before, &status), status);
    body();
    require(api().make_mark(&after, &status), status);
    double seconds = 0;
    require(api().seconds_between(before, after, &seconds, &status), status);
    samples.push_back(seconds);
    api().free_mark(before);
    api().free_mark(after);
  }
  std::nth_element(samples.begin(), samples.begin() + kRepeats / 2, samples.end());
  return samples[kRepeats / 2];
}

Timing time_convolution(int32_t element, int64_t batch, int64_t channels, int64_t length, int64_t taps, bool gated, bool exact = false) {
  const int64_t count = batch * channels * length, each = element_bytes(element);
  const Signal input(element, count), output(element, count), pre(element, gated ? count : 1), post(element, gated ? count : 1);
  std::vector<float> filter(static_cast<std::size_t>(channels * taps));
  for (std::size_t i = 0; i < filter.size(); ++i) filter[i] = static_cast<float>(std::sin(static_cast<double>(i) * 12.9898) / std::sqrt(static_cast<double>(taps)));
  lc_convolution_spec spec{};
  spec.mode = LC_CAUSAL, spec.channels = channels, spec.filter_length = taps, spec.max_length = length;
  lc_status status{};
  lc_cuda_convolution* prepared = nullptr;
  require(api().prepare_convolution(&spec, exact, filter.data(), &prepared, &status), status);
  lc_cuda_convolution_call call{};
  call.element = element, call.input = input.data(), call.output = output.data();
  if (gated) call.pre_gate = pre.data(), call.post_gate = post.data();
  call.batch = batch, call.length = length, call.total_channels = channels;
  const double seconds = median_seconds([&] { require(api().run_convolution(prepared, &call, &status), status); });
  api().free_convolution(prepared);
  return {"convolution causal " + std::string(element_name(element)) + " B" + std::to_string(batch) + " H" + std::to_string(channels) + " L" + std::to_string(length) + " K" +
              std::to_string(taps) + (gated ? " gated" : "") + (exact ? " exact" : ""),
          seconds, static_cast<double>(count * each * (gated ? 4 : 2)), 0};
}

Timing time_gemm(int64_t batch, int64_t rows, int64_t columns, int64_t inner, int32_t output, bool transposed_a, bool transposed_b, bool shared_a, int32_t activation, bool residual) {
  const Signal a(LC_F16, (shared_a ? 1 : batch) * rows * inner), b(LC_F16, inner * columns), d(output, batch * rows * columns), bias(LC_F32, std::max(rows, columns));
  lc_cuda_gemm call{};
  call.batch = batch, call.rows = rows, call.columns = columns, call.inner = inner;
  call.operand_element = LC_F16, call.output_element = output, call.transposed_a = transposed_a, call.transposed_b = transposed_b;
  call.a = a.data(), call.b = b.data(), call.d = d.data();
  call.a_stride = shared_a ? 0 : rows * inner, call.d_stride = rows * columns;
  call.bias = static_cast<const float*>(bias.data()), call.bias_along_rows = shared_a;
  call.activation = activation;
  if (residual) call.residual = static_cast<const float*>(d.data());
  lc_status status{};
  const double seconds = median_seconds([&] { require(api().gemm(&call, &status), status); });
  const double moved = static_cast<double>(batch) * static_cast<double>(rows * columns) * static_cast<double>(element_bytes(output)) * (residual ? 2 : 1) +
                       2.0 * static_cast<double>(inner) * static_cast<double>(rows + columns);
  return {"matrix product " + std::to_string(rows) + " x " + std::to_string(inner) + " x " + std::to_string(columns) + " -> " + element_name(output) + (transposed_a ? " a^T" : "") +
              (transposed_b ? " b^T" : "") + (activation ? " gelu" : "") + (residual ? " residual" : ""),
          seconds, moved, 2.0 * static_cast<double>(batch * rows) * static_cast<double>(columns * inner)};
}

Timing time_norm(int64_t rows, int64_t width) {
  const Signal x(LC_F32, rows * width), y(LC_F16, rows * width), scale(LC_F32, width);
  const lc_cuda_norm call{x.data(), y.data(), LC_F32, LC_F16, static_cast<const float*>(scale.data()), static_cast<const float*>(scale.data()), 1e-5, rows, width, 0};
  lc_status status{};
  const double seconds = median_seconds([&] { require(api().norm(&call, &status), status); });
  return {"layer norm f32 -> f16 " + std::to_string(rows) + " x " + std::to_string(width), seconds, 6.0 * static_cast<double>(rows * width), 0};
}

Timing time_depthwise(int64_t channels, int64_t length, bool transposed) {
  const Signal x(LC_F16, channels * length), y(LC_F16, channels * length), weight(LC_F32, channels * 3);
  const lc_cuda_depthwise call{x.data(), transposed, y.data(), LC_F16, static_cast<const float*>(weight.data()), static_cast<const float*>(weight.data()), 1, channels, length, length, 3, 2, 3};
  lc_status status{};
  const double seconds = median_seconds([&] { require(api().depthwise(&call, &status), status); });
  return {"depthwise f16 C" + std::to_string(channels) + " L" + std::to_string(length) + " taps 3" + (transposed ? " transposed" : ""), seconds, 4.0 * static_cast<double>(channels * length), 0};
}

Timing time_copy(int64_t count) {
  const Signal x(LC_F32, count), y(LC_F32, count);
  lc_status status{};
  const auto view = [&](void* data) { return lc_view{data, LC_F32, 1, {count}, {1}}; };
  const lc_cuda_elementwise call{LC_COPY, LC_NONE, view(x.data()), lc_view{}, view(y.data())};
  const double seconds = median_seconds([&] { require(api().elementwise(&call, &status), status); });
  return {"copy f32 of " + std::to_string(count), seconds, 8.0 * static_cast<double>(count), 0};
}

}  // namespace

std::vector<Timing> time_everything() {
  constexpr int64_t kMillion = 1 << 20;
  std::vector<Timing> all;
  all.push_back(time_copy(1 << 28));
  for (const bool gated : {false, true}) {
    for (const int64_t taps : {32, 128}) {
      all.push_back(time_convolution(LC_F16, 1, 256, kMillion, taps, gated));
      all.push_back(time_convolution(LC_BF16, 1, 256, kMillion, taps, gated));
    }
    all.push_back(time_convolution(LC_F16, 1, 64, 4 * kMillion, 128, gated));
    for (const int64_t length : {8192, 65536})
      for (const int64_t taps : {int64_t{32}, int64_t{128}, length}) all.push_back(time_convolution(LC_F16, 1, 256, length, taps, gated));
    all.push_back(time_convolution(LC_F16, 64, 768, 4096, 128, gated));
    all.push_back(time_convolution(LC_F16, 1, 256, kMillion, 4096, gated));
    all.push_back(time_convolution(LC_F16, 1, 256, kMillion, kMillion, gated));
    all.push_back(time_convolution(LC_F32, 1, 256, kMillion, kMillion, gated, true));
    all.push_back(time_convolution(LC_F32, 64, 768, 4096, 4096, gated, true));
  }
  // The products of a HyenaDNA of width 256 on a million tokens: in_proj (and with its result transposed), out_proj (transposed input), fc1, fc2, head.
  all.push_back(time_gemm(1, kMillion, 768, 256, LC_F16, false, false, false, LC_NONE, false));
  all.push_back(time_gemm(1, 768, kMillion, 256, LC_F16, true, true, true, LC_NONE, false));
  all.push_back(time_gemm(1, kMillion, 256, 256, LC_F32, true, false, false, LC_NONE, true));
  all.push_back(time_gemm(1, kMillion, 1024, 256, LC_F16, false, false, false, LC_GELU_TANH, false));
  all.push_back(time_gemm(1, kMillion, 256, 1024, LC_F32, false, false, false, LC_NONE, true));
  all.push_back(time_gemm(1, kMillion, 16, 256, LC_F32, false, false, false, LC_NONE, false));
  all.push_back(time_gemm(1, 8192, 8192, 8192, LC_F16, false, true, false, LC_NONE, false));
  all.push_back(time_norm(kMillion, 256));
  for (const bool transposed : {false, true}) all.push_back(time_depthwise(768, kMillion, transposed));
  return all;
}

}  // namespace check
