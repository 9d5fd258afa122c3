#include "prepared.h"

#include <chrono>

#include "../cpu/aligned_buffer.h"
#include "../cpu/backend.h"
#include "../cpu/dispatch.h"
#include "../plan/planner.h"
#include "../plan/prepared_cache.h"
#include "../status.h"
#include "job.h"

namespace longconv::addon {

namespace {

int32_t mode_of(const std::string& name) {
  if (name == "causal") return LC_CAUSAL;
  if (name == "grid") return LC_GRID;
  if (name == "circular") return LC_CIRCULAR;
  fail(LC_INVALID_ARGUMENT, "There is no convolution mode \"%.32s\": it is causal, grid or circular.", name.c_str());
}

int32_t threads_of(const Arguments& arguments) {
  const int64_t threads = arguments.size_or("threads", 0, 0);
  if (threads > 4096) fail(LC_INVALID_ARGUMENT, "%lld threads are more than can be used.", static_cast<long long>(threads));
  return static_cast<int32_t>(threads);
}

class PrepareJob final : public Job {
 public:
  PrepareJob(Spec spec, const void* filter, const int32_t* cancel) : spec_(std::move(spec)), filter_(filter), cancel_(cancel) {
    plan_ = plan_convolution(spec_.native, spec_.costs(), 1, spec_.native.max_length, 1);
  }
  void execute() override {
    const auto* filter = static_cast<const float*>(filter_);
    AlignedBuffer<float> widened;
    if (spec_.filter_type != LC_FLOAT32) {
      widened = AlignedBuffer<float>(spec_.native.channels * spec_.native.filter_length);
      select_kernels(spec_.variant()).widen(widened.data(), static_cast<const uint16_t*>(filter_), spec_.filter_type, widened.size());
      filter = widened.data();
    }
    prepared_ = PreparedCache::instance().get(cpu_backend(), spec_.native, plan_, spec_.variant(), filter, cancel_);
  }
  Napi::Value result(Napi::Env env) override { return Prepared::create(env, prepared_, spec_.native, plan_); }

 private:
  Spec spec_;
  const void* filter_;
  const int32_t* cancel_;
  lc_plan plan_;
  std::shared_ptr<const lc_prepared> prepared_;
};

class RunJob final : public Job {
 public:
  RunJob(std::shared_ptr<const lc_prepared> prepared, const lc_convolution_call& call, const int32_t* cancel) : prepared_(std::move(prepared)), call_(call), cancel_(cancel) {}
  void execute() override {
    lc_status status{};
    const auto begin = std::chrono::steady_clock::now();
    cpu_backend().run(prepared_.get(), &call_, cancel_, &status);
    seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    check(status);
  }
  Napi::Value result(Napi::Env env) override { return Napi::Number::New(env, seconds_); }

 private:
  std::shared_ptr<const lc_prepared> prepared_;
  lc_convolution_call call_;
  const int32_t* cancel_;
  double seconds_ = 0;
};

/// An array of a call, by its place in memory.
struct Extent {
  const char* name;
  const void* data;
  int64_t bytes;
};

void refuse_overlap(const Extent& written, const Extent& other) {
  const auto a = reinterpret_cast<uintptr_t>(written.data), b = reinterpret_cast<uintptr_t>(other.data);
  if (written.data && other.data && a < b + static_cast<uintptr_t>(other.bytes) && b < a + static_cast<uintptr_t>(written.bytes))
    fail(LC_INVALID_ARGUMENT, "The %s of a convolution must not overlap its %s.", written.name, other.name);
}

void check_factors(const Arguments& grid, int64_t fft_size) {
  int64_t points = 1;
  for (const int64_t factor : grid.sizes("factors")) points = product({points, factor});
  if (points != fft_size) fail(LC_INVALID_ARGUMENT, "The factors of the grid multiply to %lld, but fftSize is %lld.", static_cast<long long>(points), static_cast<long long>(fft_size));
}

}  // namespace

Spec::Spec(const Arguments& arguments) {
  native.mode = mode_of(arguments.text("mode"));
  native.channels = arguments.size("channels");
  native.filter_length = arguments.size("filterLength");
  native.max_length = arguments.size("maxLength");
  filter_type = arguments.sample_type("filterType");
  if (arguments.has("instructionSet")) instruction_set = arguments.text("instructionSet");
  if (native.mode == LC_GRID) {
    const Arguments grid = arguments.object("grid");
    native.fft_size = grid.size("fftSize", 2);
    check_factors(grid, native.fft_size);
    native.kept = grid.bytes("kept", native.fft_size / 2 + 1).data;
  }
  check_spec(native);
}

lc_costs Spec::costs() const {
  lc_costs costs{};
  lc_status status{};
  cpu_backend().costs(variant(), &costs, &status);
  check(status);
  return costs;
}

Napi::Object prediction_object(Napi::Env env, const lc_plan& plan) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("algorithm", plan.name);
  object.Set("seconds", plan.seconds);
  object.Set("preparedBytes", static_cast<double>(plan.prepared_bytes));
  object.Set("executedFraction", plan.executed_fraction);
  return object;
}

/// predict(spec, batch, length, threads)
Napi::Value predict(const Napi::CallbackInfo& info) {
  return call_checked(info, [&]() -> Napi::Value {
    const Arguments given(info[0], "spec");
    Napi::Object sizes = Napi::Object::New(info.Env());
    sizes.Set("batch", info[1]);
    sizes.Set("length", info[2]);
    sizes.Set("threads", info[3]);
    const Arguments arguments(sizes, "predict");
    const Spec spec(given);
    const int64_t batch = arguments.size("batch"), length = arguments.size("length");
    if (length > spec.native.max_length)
      fail(LC_INVALID_ARGUMENT, "Inputs of %lld points were asked about, but the longest is %lld.", static_cast<long long>(length), static_cast<long long>(spec.native.max_length));
    return prediction_object(info.Env(), plan_convolution(spec.native, spec.costs(), batch, length, std::max(1, threads_of(arguments))));
  });
}

/// prepare(spec, filter, cancel?)
Napi::Value prepare(const Napi::CallbackInfo& info) {
  return call_async(info, [&]() -> Napi::Value {
    const Arguments spec_arguments(info[0], "spec");
    Napi::Object given = Napi::Object::New(info.Env());
    given.Set("filter", info[1]);
    const Arguments arguments(given, "prepare");
    Spec spec(spec_arguments);
    const void* filter = arguments.samples("filter", spec.filter_type, product({spec.native.channels, spec.native.filter_length}));
    auto job = std::make_unique<PrepareJob>(std::move(spec), filter, cancel_flag(info[2]));
    job->keep(spec_arguments.kept());
    job->keep(info[1]);
    job->keep(info[2]);
    return start(info.Env(), std::move(job));
  });
}

namespace {

/// The class of prepared convolutions, for each environment.
struct InstanceData {
  Napi::FunctionReference prepared;
};

}  // namespace

void Prepared::define(Napi::Env env) {
  auto* data = new InstanceData;
  data->prepared = Napi::Persistent(DefineClass(env, "PreparedConvolution",
                                                {InstanceMethod<&Prepared::run>("run"), InstanceMethod<&Prepared::prediction>("prediction"), InstanceMethod<&Prepared::release>("free")}));
  env.SetInstanceData(data);
}

Napi::Object Prepared::create(Napi::Env env, std::shared_ptr<const lc_prepared> prepared, const lc_convolution_spec& spec, const lc_plan& plan) {
  Napi::Object object = env.GetInstanceData<InstanceData>()->prepared.New({});
  Prepared& self = *Unwrap(object);
  self.prepared_ = std::move(prepared);
  self.spec_ = spec;
  self.spec_.kept = nullptr;
  self.plan_ = plan;
  return object;
}

/// run(call, cancel?)
Napi::Value Prepared::run(const Napi::CallbackInfo& info) {
  return call_async(info, [&]() -> Napi::Value {
    const Arguments arguments(info[0], "call");
    if (!prepared_) fail(LC_INVALID_ARGUMENT, "This prepared convolution has been freed.");
    lc_convolution_call call{};
    call.batch = arguments.size("batch");
    call.length = arguments.size("length");
    call.first_channel = arguments.size_or("firstChannel", 0, 0);
    call.total_channels = arguments.size_or("totalChannels", call.first_channel + spec_.channels);
    call.threads = threads_of(arguments);
    if (call.length > spec_.max_length || (spec_.mode == LC_CIRCULAR && call.length != spec_.max_length))
      fail(LC_INVALID_ARGUMENT, "An input of %lld points was given to a convolution prepared for %s %lld.", static_cast<long long>(call.length),
           spec_.mode == LC_CIRCULAR ? "exactly" : "at most", static_cast<long long>(spec_.max_length));
    if (call.first_channel > call.total_channels - spec_.channels)
      fail(LC_INVALID_ARGUMENT, "Channels %lld to %lld were asked for of an array of %lld channels.", static_cast<long long>(call.first_channel),
           static_cast<long long>(call.first_channel + spec_.channels), static_cast<long long>(call.total_channels));
    const int64_t count = product({call.batch, call.total_channels, call.length});
    call.sample_type = arguments.sample_type("sampleType");
    call.input = arguments.samples("input", call.sample_type, count);
    call.output = arguments.samples("output", call.sample_type, count);
    if (arguments.has("preGate")) call.pre_gate = arguments.samples("preGate", call.sample_type, count);
    if (arguments.has("postGate")) call.post_gate = arguments.samples("postGate", call.sample_type, count);
    if (arguments.has("skip")) call.skip = arguments.floats("skip", call.total_channels).data;
    int64_t history_count = 0;
    if (arguments.has("history")) {
      if (spec_.mode != LC_CAUSAL) fail(LC_INVALID_ARGUMENT, "Only a causal convolution continues an earlier input: call.history does not go with this mode.");
      history_count = product({call.batch, spec_.channels, spec_.filter_length - 1});
      call.history = arguments.floats("history", history_count).data;
    }
    const int64_t bytes = count * (call.sample_type == LC_FLOAT32 ? 4 : 2);
    const Extent output{"output", call.output, bytes}, history{"history", call.history, history_count * 4};
    for (const Extent& read : {Extent{"input", call.input, bytes}, Extent{"gates", call.pre_gate, bytes}, Extent{"gates", call.post_gate, bytes},
                               Extent{"skip term", call.skip, call.total_channels * 4}}) {
      refuse_overlap(output, read);
      refuse_overlap(history, read);
    }
    refuse_overlap(output, history);
    auto job = std::make_unique<RunJob>(prepared_, call, cancel_flag(info[1]));
    job->keep(arguments.kept());
    job->keep(info[1]);
    return start(info.Env(), std::move(job));
  });
}

Napi::Value Prepared::prediction(const Napi::CallbackInfo& info) { return prediction_object(info.Env(), plan_); }

Napi::Value Prepared::release(const Napi::CallbackInfo& info) {
  prepared_.reset();
  return info.Env().Undefined();
}

}  // namespace longconv::addon
