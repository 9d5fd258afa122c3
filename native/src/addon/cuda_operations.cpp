// The operations of a model on the GPU: matrix products, norms, short convolutions, element-wise work, metrics. Each starts its work and
// returns; metrics and difference resolve when their numbers are there.
#include <array>
#include <memory>

#include "cuda_arguments.h"
#include "cuda_memory.h"

namespace longconv::addon {
namespace {

int32_t activation(const Arguments& arguments) {
  if (!arguments.has("activation")) return LC_NONE;
  const std::string name = arguments.text("activation");
  constexpr const char* kNames[] = {"none", "gelu-tanh", "gelu", "silu", "relu", "sigmoid", "tanh"};
  for (int32_t i = 0; i < 7; ++i)
    if (name == kNames[i]) return i;
  fail(LC_INVALID_ARGUMENT, "There is no activation \"%.32s\" on the GPU.", name.c_str());
}

int32_t operation(const Arguments& arguments) {
  const std::string name = arguments.text("operation");
  constexpr const char* kNames[] = {"copy", "add", "subtract", "multiply", "divide", "power", "maximum", "minimum", "activate",
                                    "negate", "exponential", "logarithm", "square-root", "reciprocal", "erf", "absolute", "sine", "cosine"};
  for (int32_t i = 0; i < 18; ++i)
    if (name == kNames[i]) return i;
  fail(LC_INVALID_ARGUMENT, "There is no element-wise operation \"%.32s\" on the GPU.", name.c_str());
}

/// {address, element, dims: Float64Array, strides: Float64Array}
lc_view view(const Arguments& arguments) {
  lc_view result{};
  result.data = address(arguments, "address");
  result.element = element(arguments, "element");
  const Span<double> dims = arguments.doubles("dims"), strides = arguments.doubles("strides", dims.size);
  if (dims.size > LC_MAX_RANK) fail(LC_NOT_SUPPORTED, "A value of the model has %lld dimensions; on the GPU, it can have %d.", static_cast<long long>(dims.size), LC_MAX_RANK);
  result.rank = static_cast<int32_t>(dims.size);
  for (int32_t d = 0; d < result.rank; ++d) {
    result.dims[d] = static_cast<int64_t>(dims.data[d]);
    result.strides[d] = static_cast<int64_t>(strides.data[d]);
  }
  return result;
}

template <class Body>
Napi::Value call_with(const Napi::CallbackInfo& info, const char* what, Body&& body) {
  return call_checked(info, [&]() -> Napi::Value {
    const Arguments arguments(info[0], what);
    cuda_call([&](lc_status* status) { body(arguments, status); });
    return info.Env().Undefined();
  });
}

Napi::Value gemm(const Napi::CallbackInfo& info) {
  return call_with(info, "gemm", [](const Arguments& a, lc_status* status) {
    lc_cuda_gemm call{};
    call.batch = a.size("batch"), call.rows = a.size("rows"), call.columns = a.size("columns"), call.inner = a.size("inner");
    call.operand_element = element(a, "operandElement");
    call.output_element = element(a, "outputElement");
    call.transposed_a = flag(a, "transposedA"), call.transposed_b = flag(a, "transposedB");
    call.a = address(a, "a"), call.b = address(a, "b"), call.d = address(a, "d");
    call.a_stride = a.size("aStride", 0), call.b_stride = a.size("bStride", 0), call.d_stride = a.size("dStride", 0);
    call.bias = static_cast<const float*>(address_or_null(a, "bias"));
    call.bias_along_rows = flag(a, "biasAlongRows");
    call.activation = activation(a);
    call.residual = static_cast<const float*>(address_or_null(a, "residual"));
    cuda().gemm(&call, status);
  });
}

Napi::Value norm(const Napi::CallbackInfo& info) {
  return call_with(info, "norm", [](const Arguments& a, lc_status* status) {
    lc_cuda_norm call{};
    call.x = address(a, "x"), call.y = address(a, "y");
    call.x_element = element(a, "xElement"), call.y_element = element(a, "yElement");
    call.scale = static_cast<const float*>(address(a, "scale"));
    call.shift = static_cast<const float*>(address_or_null(a, "shift"));
    call.epsilon = a.number("epsilon");
    call.rows = a.size("rows"), call.width = a.size("width");
    call.root_mean_square = flag(a, "rootMeanSquare");
    cuda().norm(&call, status);
  });
}

Napi::Value depthwise(const Napi::CallbackInfo& info) {
  return call_with(info, "depthwise", [](const Arguments& a, lc_status* status) {
    lc_cuda_depthwise call{};
    call.x = address(a, "x"), call.y = address(a, "y");
    call.transposed_x = flag(a, "transposedX");
    call.element = element(a, "element");
    call.weight = static_cast<const float*>(address(a, "weight"));
    call.bias = static_cast<const float*>(address_or_null(a, "bias"));
    call.batch = a.size("batch"), call.channels = a.size("channels"), call.length = a.size("length"), call.output_length = a.size("outputLength");
    call.taps = a.size("taps"), call.pad_left = a.size("padLeft", 0), call.groups = a.size("groups");
    cuda().depthwise(&call, status);
  });
}

Napi::Value elementwise(const Napi::CallbackInfo& info) {
  return call_with(info, "elementwise", [](const Arguments& a, lc_status* status) {
    lc_cuda_elementwise call{};
    call.operation = operation(a);
    call.activation = activation(a);
    call.a = view(a.object("a"));
    if (a.has("b")) call.b = view(a.object("b"));
    call.y = view(a.object("y"));
    cuda().elementwise(&call, status);
  });
}

Napi::Value gather(const Napi::CallbackInfo& info) {
  return call_with(info, "gather", [](const Arguments& a, lc_status* status) {
    cuda().gather(static_cast<const int32_t*>(address(a, "index")), a.size("rows"), static_cast<const float*>(address(a, "table")), a.size("tableRows"), a.size("width"),
                  address(a, "y"), element(a, "yElement"), status);
  });
}

/// metrics({logits, dense?, targets, rows, classes}) -> {nll, correct, divergence, finite}, sums over the rows
Napi::Value metrics(const Napi::CallbackInfo& info) {
  return call_async(info, [&]() -> Napi::Value {
    const Arguments a(info[0], "metrics");
    const auto* logits = static_cast<const float*>(address(a, "logits"));
    const auto* dense = static_cast<const float*>(address_or_null(a, "dense"));
    const auto* targets = static_cast<const int32_t*>(address(a, "targets"));
    const int64_t rows = a.size("rows"), classes = a.size("classes");
    auto sums = std::make_shared<lc_cuda_metrics>();
    const auto work = [=] { cuda_call([&](lc_status* status) { cuda().metrics(logits, dense, targets, rows, classes, sums.get(), status); }); };
    return start_cuda_job(info.Env(), work, [=](Napi::Env env) -> Napi::Value {
      Napi::Object object = Napi::Object::New(env);
      object.Set("nll", sums->negative_log_likelihood);
      object.Set("correct", sums->correct);
      object.Set("divergence", sums->divergence);
      object.Set("finite", sums->finite);
      return object;
    }, {});
  });
}

/// difference({a, b, element, count}) -> [sum (a - b)^2, sum b^2]
Napi::Value difference(const Napi::CallbackInfo& info) {
  return call_async(info, [&]() -> Napi::Value {
    const Arguments arguments(info[0], "difference");
    const void* a = address(arguments, "a");
    const void* b = address(arguments, "b");
    const int32_t type = element(arguments, "element");
    const int64_t count = arguments.size("count");
    auto sums = std::make_shared<std::array<double, 2>>();
    const auto work = [=] { cuda_call([&](lc_status* status) { cuda().difference(a, b, type, count, sums->data(), status); }); };
    return start_cuda_job(info.Env(), work, [=](Napi::Env env) -> Napi::Value {
      Napi::Array pair = Napi::Array::New(env, 2);
      pair.Set(0u, (*sums)[0]);
      pair.Set(1u, (*sums)[1]);
      return pair;
    }, {});
  });
}

}  // namespace

void define_cuda_operations(Napi::Env env, Napi::Object object) {
  object.Set("gemm", Napi::Function::New(env, gemm, "gemm"));
  object.Set("norm", Napi::Function::New(env, norm, "norm"));
  object.Set("depthwise", Napi::Function::New(env, depthwise, "depthwise"));
  object.Set("elementwise", Napi::Function::New(env, elementwise, "elementwise"));
  object.Set("gather", Napi::Function::New(env, gather, "gather"));
  object.Set("metrics", Napi::Function::New(env, metrics, "metrics"));
  object.Set("difference", Napi::Function::New(env, difference, "difference"));
}

}  // namespace longconv::addon
