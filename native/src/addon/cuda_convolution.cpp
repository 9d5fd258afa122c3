// prepareConvolution, predictConvolution, runConvolution and freeConvolution of `cuda`.
#include <memory>

#include "cuda_arguments.h"
#include "cuda_memory.h"
#include "prepared.h"

namespace longconv::addon {
namespace {

/// predictConvolution(spec) -> {algorithm, preparedBytes, seconds}; spec.exact: 1 for float32 accuracy
Napi::Value predict_convolution(const Napi::CallbackInfo& info) {
  return call_checked(info, [&]() -> Napi::Value {
    const Arguments a(info[0], "spec");
    const Spec spec{a};
    lc_cuda_plan plan{};
    cuda_call([&](lc_status* status) { cuda().plan_convolution(&spec.native, flag(a, "exact"), &plan, status); });
    Napi::Object object = Napi::Object::New(info.Env());
    object.Set("algorithm", plan.name);
    object.Set("preparedBytes", static_cast<double>(plan.prepared_bytes));
    object.Set("seconds", plan.seconds);
    return object;
  });
}

/// prepareConvolution(spec, filter) -> handle
Napi::Value prepare_convolution(const Napi::CallbackInfo& info) {
  return call_async(info, [&]() -> Napi::Value {
    const Arguments a(info[0], "spec");
    Napi::Object given = Napi::Object::New(info.Env());
    given.Set("filter", info[1]);
    const Arguments arguments(given, "prepareConvolution");
    const auto spec = std::make_shared<const Spec>(a);
    const bool exact = flag(a, "exact");
    const float* const filter = arguments.floats("filter", product({spec->native.channels, spec->native.filter_length})).data;
    auto prepared = std::make_shared<lc_cuda_convolution*>(nullptr);
    const auto work = [=] { cuda_call([&](lc_status* status) { cuda().prepare_convolution(&spec->native, exact, filter, prepared.get(), status); }); };
    const auto result = [=](Napi::Env env) -> Napi::Value { return Napi::Number::New(env, static_cast<double>(reinterpret_cast<std::uintptr_t>(*prepared))); };
    return start_cuda_job(info.Env(), work, result, {a.kept(), info[1]});
  });
}

/// runConvolution(call): starts it.
Napi::Value run_convolution(const Napi::CallbackInfo& info) {
  return call_checked(info, [&]() -> Napi::Value {
    const Arguments a(info[0], "call");
    lc_cuda_convolution_call call{};
    call.element = element(a, "element");
    call.input = address(a, "input");
    call.output = address(a, "output");
    call.pre_gate = address_or_null(a, "preGate");
    call.post_gate = address_or_null(a, "postGate");
    call.skip = static_cast<const float*>(address_or_null(a, "skip"));
    call.batch = a.size("batch");
    call.length = a.size("length");
    call.total_channels = a.size("totalChannels");
    call.first_channel = a.size("firstChannel", 0);
    const auto* prepared = static_cast<const lc_cuda_convolution*>(address(a, "convolution"));
    cuda_call([&](lc_status* status) { cuda().run_convolution(prepared, &call, status); });
    return info.Env().Undefined();
  });
}

/// freeConvolution({convolution})
Napi::Value release_convolution(const Napi::CallbackInfo& info) {
  return call_checked(info, [&]() -> Napi::Value {
    cuda().free_convolution(static_cast<lc_cuda_convolution*>(address(Arguments(info[0], "freeConvolution"), "convolution")));
    return info.Env().Undefined();
  });
}

}  // namespace

void define_cuda_convolutions(Napi::Env env, Napi::Object object) {
  object.Set("predictConvolution", Napi::Function::New(env, predict_convolution, "predictConvolution"));
  object.Set("prepareConvolution", Napi::Function::New(env, prepare_convolution, "prepareConvolution"));
  object.Set("runConvolution", Napi::Function::New(env, run_convolution, "runConvolution"));
  object.Set("freeConvolution", Napi::Function::New(env, release_convolution, "freeConvolution"));
}

}  // namespace longconv::addon
