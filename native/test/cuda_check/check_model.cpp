// The other operations of a model against float64.
#include <cmath>

#include "library.h"

namespace check {
namespace {

double rounding(int32_t element) { return element == LC_BF16 ? 2e-3 : element == LC_F16 ? 3e-4 : 2e-6; }

/// A bfloat16 result whose bias, as cuBLASLt takes it, is rounded too.
constexpr double kRoundedBias = 2.5e-3;

double activated(double x, int32_t activation) {
  switch (activation) {
    case LC_GELU_TANH: return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    case LC_GELU_ERF: return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
    case LC_SILU: return x / (1 + std::exp(-x));
    case LC_RELU: return x < 0 ? 0 : x;
    case LC_SIGMOID: return 1 / (1 + std::exp(-x));
    case LC_TANH: return std::tanh(x);
    default: return x;
  }
}

struct Product {
  int64_t batch, rows, columns, inner;
  int32_t operand, output;
  bool transposed_a, transposed_b, bias, bias_along_rows, residual;
  int32_t activation;
  bool shared_a;
};

void check_gemm(const Product& c) {
  const Array a(c.operand, random_values((c.shared_a ? 1 : c.batch) * c.rows * c.inner));
  const Array b(c.operand, random_values(c.inner * c.columns, 1 / std::sqrt(static_cast<double>(c.inner))));
  const Array bias(LC_F32, random_values(c.bias_along_rows ? c.rows : c.columns));
  const Array residual(LC_F32, random_values(c.batch * c.rows * c.columns));
  const Array d(c.output, c.batch * c.rows * c.columns);
  lc_cuda_gemm call{};
  call.batch = c.batch, call.rows = c.rows, call.columns = c.columns, call.inner = c.inner;
  call.operand_element = c.operand, call.output_element = c.output;
  call.transposed_a = c.transposed_a, call.transposed_b = c.transposed_b;
  call.a = a.data(), call.b = b.data(), call.d = d.data();
  call.a_stride = c.shared_a ? 0 : c.rows * c.inner, call.b_stride = 0, call.d_stride = c.rows * c.columns;
  if (c.bias) call.bias = static_cast<const float*>(bias.data()), call.bias_along_rows = c.bias_along_rows;
  call.activation = c.activation;
  if (c.residual) call.residual = static_cast<const float*>(residual.data());
  lc_status status{};
  require(api().gemm(&call, &status), status);
  const std::vector<double> got = d.download();
  std::vector<double> want(got.size());
  for (int64_t i = 0; i < c.batch; ++i) {
    for (int64_t r = 0; r < c.rows; ++r) {
      for (int64_t n = 0; n < c.columns; ++n) {
        double sum = c.bias ? bias.values()[static_cast<std::size_t>(c.bias_along_rows ? r : n)] : 0;
        for (int64_t k = 0; k < c.inner; ++k) {
          const int64_t at_a = (c.shared_a ? 0 : i * c.rows * c.inner) + (c.transposed_a ? k * c.rows + r : r * c.inner + k);
          const int64_t at_b = c.transposed_b ? n * c.inner + k : k * c.columns + n;
          sum += a.values()[static_cast<std::size_t>(at_a)] * b.values()[static_cast<std::size_t>(at_b)];
        }
        const int64_t at = (i * c.rows + r) * c.columns + n;
        want[static_cast<std::size_t>(at)] = activated(sum, c.activation) + (c.residual ? residual.values()[static_cast<std::size_t>(at)] : 0);
      }
    }
  }
  compare("matrix product " + std::string(element_name(c.operand)) + " -> " + element_name(c.output) + " " + std::to_string(c.batch) + " x " + std::to_string(c.rows) +
              " x " + std::to_string(c.inner) + " x " + std::to_string(c.columns) + (c.transposed_a ? " a^T" : "") + (c.transposed_b ? " b^T" : "") +
              (c.bias ? c.bias_along_rows ? " row bias" : " bias" : "") + (c.activation ? " activation " + std::to_string(c.activation) : "") + (c.residual ? " residual" : ""),
          got, want, c.bias && c.output == LC_BF16 ? kRoundedBias : rounding(c.output));
}

void check_norm(int32_t from, int32_t to, int64_t rows, int64_t width, bool root_mean_square) {
  std::vector<double> shifted = random_values(rows * width);
  for (double& value : shifted) value += 3;  // a mean that matters
  const Array x(from, shifted), scale(LC_F32, random_values(width)), shift(LC_F32, random_values(width));
  const Array y(to, rows * width);
  const lc_cuda_norm call{x.data(), y.data(), from, to, static_cast<const float*>(scale.data()),
                          root_mean_square ? nullptr : static_cast<const float*>(shift.data()), 1e-5, rows, width, root_mean_square};
  lc_status status{};
  require(api().norm(&call, &status), status);
  std::vector<double> want(static_cast<std::size_t>(rows * width));
  for (int64_t r = 0; r < rows; ++r) {
    double mean = 0, squares = 0;
    for (int64_t c = 0; c < width; ++c) mean += x.values()[static_cast<std::size_t>(r * width + c)] / static_cast<double>(width);
    if (root_mean_square) mean = 0;
    for (int64_t c = 0; c < width; ++c) squares += std::pow(x.values()[static_cast<std::size_t>(r * width + c)] - mean, 2) / static_cast<double>(width);
    for (int64_t c = 0; c < width; ++c) {
      const auto at = static_cast<std::size_t>(r * width + c);
      want[at] = (x.values()[at] - mean) / std::sqrt(squares + 1e-5) * scale.values()[static_cast<std::size_t>(c)] +
                 (root_mean_square ? 0 : shift.values()[static_cast<std::size_t>(c)]);
    }
  }
  compare(std::string(root_mean_square ? "root-mean-square norm " : "layer norm ") + element_name(from) + " -> " + element_name(to) + " " + std::to_string(rows) + " x " +
              std::to_string(width), y.download(), want, rounding(to));
}

void check_depthwise(int32_t element, int64_t batch, int64_t channels, int64_t length, int64_t taps, int64_t pad, int64_t groups, int64_t output_length, bool transposed) {
  const Array x(element, random_values(batch * channels * length)), weight(LC_F32, random_values(channels * taps)), bias(LC_F32, random_values(channels));
  const Array y(element, batch * channels * output_length);
  const lc_cuda_depthwise call{x.data(), transposed, y.data(), element, static_cast<const float*>(weight.data()), static_cast<const float*>(bias.data()),
                               batch, channels, length, output_length, taps, pad, groups};
  lc_status status{};
  require(api().depthwise(&call, &status), status);
  std::vector<double> want;
  const int64_t each = channels / groups;
  for (int64_t g = 0; g < groups; ++g)
    for (int64_t b = 0; b < batch; ++b)
      for (int64_t c = g * each; c < (g + 1) * each; ++c)
        for (int64_t t = 0; t < output_length; ++t) {
          double sum = bias.values()[static_cast<std::size_t>(c)];
          for (int64_t j = 0; j < taps; ++j) {
            const int64_t from = t + j - pad;
            if (from >= 0 && from < length) sum += weight.values()[static_cast<std::size_t>(c * taps + j)] * x.values()[static_cast<std::size_t>(transposed ? (b * length + from) * channels + c : (b * channels + c) * length + from)];
          }
          want.push_back(sum);
        }
  compare(std::string("depthwise ") + element_name(element) + " B" + std::to_string(batch) + " C" + std::to_string(channels) + " L" + std::to_string(length) + " taps " +
              std::to_string(taps) + " in " + std::to_string(groups) + " groups" + (transposed ? ", transposed" : ""), y.download(), want, rounding(element));
}

lc_view view(void* data, int32_t element, std::vector<int64_t> dims, std::vector<int64_t> strides) {
  lc_view result{data, element, static_cast<int32_t>(dims.size()), {}, {}};
  std::copy(dims.begin(), dims.end(), result.dims);
  std::copy(strides.begin(), strides.end(), result.strides);
  return result;
}

void check_elementwise() {
  const int64_t n = 3, m = 5, k = 7;
  const Array a(LC_F16, random_values(n * m * k)), b(LC_F32, random_values(k)), y(LC_BF16, n * m * k);
  lc_status status{};
  // y[i][j][l] = a[j][i][l] * b[l]: a transposition and a broadcast.
  lc_cuda_elementwise call{LC_MULTIPLY, LC_NONE, view(a.data(), LC_F16, {n, m, k}, {k, n * k, 1}), view(b.data(), LC_F32, {n, m, k}, {0, 0, 1}),
                           view(y.data(), LC_BF16, {n, m, k}, {m * k, k, 1})};
  require(api().elementwise(&call, &status), status);
  std::vector<double> want;
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < m; ++j)
      for (int64_t l = 0; l < k; ++l) want.push_back(a.values()[static_cast<std::size_t>((j * n + i) * k + l)] * b.values()[static_cast<std::size_t>(l)]);
  compare("element-wise product, transposed and broadcast", y.download(), want, rounding(LC_BF16));

  for (int32_t activation = LC_GELU_TANH; activation <= LC_TANH; ++activation) {
    const int64_t count = 4097;
    const Array x(LC_F32, random_values(count, 3)), z(LC_F32, count);
    const lc_cuda_elementwise one{LC_ACTIVATE, activation, view(x.data(), LC_F32, {count}, {1}), lc_view{}, view(z.data(), LC_F32, {count}, {1})};
    require(api().elementwise(&one, &status), status);
    std::vector<double> expected;
    for (const double value : x.values()) expected.push_back(activated(value, activation));
    compare("activation " + std::to_string(activation), z.download(), expected, rounding(LC_F32));
  }
}

void check_embedding() {
  const int64_t rows = 37, table_rows = 11, width = 20;
  std::vector<double> index;
  for (int64_t i = 0; i < rows; ++i) index.push_back(static_cast<double>(generator()() % static_cast<uint64_t>(table_rows)));
  const Array which(LC_I32, index), table(LC_F32, random_values(table_rows * width)), y(LC_F32, rows * width);
  lc_status status{};
  require(api().gather(static_cast<const int32_t*>(which.data()), rows, static_cast<const float*>(table.data()), table_rows, width, y.data(), LC_F32, &status), status);
  std::vector<double> want;
  for (const double row : index)
    for (int64_t c = 0; c < width; ++c) want.push_back(table.values()[static_cast<std::size_t>(static_cast<int64_t>(row) * width + c)]);
  compare("embedding", y.download(), want, rounding(LC_F32));
}

void check_metrics(int64_t rows, int64_t classes) {
  const Array logits(LC_F32, random_values(rows * classes, 2)), dense(LC_F32, random_values(rows * classes, 2));
  std::vector<double> index;
  for (int64_t r = 0; r < rows; ++r) index.push_back(static_cast<double>(generator()() % static_cast<uint64_t>(classes)));
  const Array targets(LC_I32, index);
  lc_cuda_metrics got{};
  lc_status status{};
  require(api().metrics(static_cast<const float*>(logits.data()), static_cast<const float*>(dense.data()), static_cast<const int32_t*>(targets.data()), rows, classes, &got,
                        &status), status);
  double nll = 0, correct = 0, divergence = 0;
  for (int64_t r = 0; r < rows; ++r) {
    const double* row = logits.values().data() + r * classes;
    const double* other = dense.values().data() + r * classes;
    double sum = 0, dense_sum = 0;
    int64_t best = 0;
    for (int64_t v = 0; v < classes; ++v) {
      sum += std::exp(row[v]), dense_sum += std::exp(other[v]);
      if (row[v] > row[best]) best = v;
    }
    const auto target = static_cast<int64_t>(index[static_cast<std::size_t>(r)]);
    nll += std::log(sum) - row[target];
    correct += best == target;
    for (int64_t v = 0; v < classes; ++v) divergence += std::exp(other[v]) / dense_sum * (other[v] - std::log(dense_sum) - row[v] + std::log(sum));
  }
  compare("softmax metrics of " + std::to_string(rows) + " x " + std::to_string(classes), {got.negative_log_likelihood, got.correct, got.divergence, got.finite},
          {nll, correct, divergence, static_cast<double>(rows)}, 1e-6);
}

void check_difference() {
  const Array a(LC_F16, random_values(10007)), b(LC_F16, random_values(10007));
  double got[2], want[2] = {0, 0};
  lc_status status{};
  require(api().difference(a.data(), b.data(), LC_F16, 10007, got, &status), status);
  for (std::size_t i = 0; i < 10007; ++i) {
    want[0] += std::pow(a.values()[i] - b.values()[i], 2);
    want[1] += std::pow(b.values()[i], 2);
  }
  compare("difference energy", {got[0], got[1]}, {want[0], want[1]}, 1e-6);
}

}  // namespace

void check_model_operations(bool quick) {
  for (const int32_t operand : {LC_F16, LC_BF16}) {
    for (const bool transposed_a : {false, true}) {
      for (const bool transposed_b : {false, true}) {
        check_gemm({1, 200, 136, 72, operand, operand, transposed_a, transposed_b, true, false, false, LC_GELU_TANH, false});
        check_gemm({2, 37, 53, 41, operand, LC_F32, transposed_a, transposed_b, true, true, true, LC_NONE, false});
      }
    }
    // Shapes that NVIDIA's library takes, where it is installed.
    check_gemm({1, 256, 64, 128, operand, operand, false, false, true, false, false, LC_GELU_TANH, false});
    check_gemm({1, 256, 64, 128, operand, LC_F32, true, false, true, false, true, LC_NONE, false});
    check_gemm({3, 64, 128, 64, operand, operand, false, true, true, false, false, LC_RELU, false});
    check_gemm({2, 129, 16, 256, operand, LC_F32, false, false, false, false, false, LC_NONE, false});
    check_gemm({3, 64, 130, 40, operand, operand, true, false, true, true, true, LC_SILU, true});
  }
  for (const bool transposed_a : {false, true}) {
    for (const bool transposed_b : {false, true}) {
      check_gemm({2, 200, 137, 41, LC_F32, LC_F32, transposed_a, transposed_b, true, transposed_a, transposed_b, transposed_a ? LC_GELU_ERF : LC_NONE, transposed_b});
    }
  }
  if (!quick) check_gemm({1, 3000, 1024, 256, LC_F16, LC_F16, false, false, true, false, false, LC_GELU_TANH, false});
  check_norm(LC_F32, LC_F16, 19, 256, false);
  check_norm(LC_F16, LC_F32, 9, 1500, false);
  check_norm(LC_BF16, LC_F16, 11, 768, true);
  check_norm(LC_F32, LC_BF16, 3, 128, false);
  check_norm(LC_BF16, LC_BF16, 5, 33, true);
  for (const bool transposed : {false, true}) {
    check_depthwise(LC_F16, 2, 12, 1000, 3, 2, 3, 1000, transposed);
    check_depthwise(LC_F16, 1, 192, 128, 3, 2, 3, 128, transposed);
    check_depthwise(LC_BF16, 1, 7, 77, 4, 3, 1, 77, transposed);
    check_depthwise(LC_F32, 2, 4, 128, 5, 2, 2, 130, transposed);
  }
  check_elementwise();
  check_embedding();
  check_metrics(100, 16);
  check_metrics(7, 300);
  check_difference();
}

}  // namespace check
