#include "cuda_memory.h"

#include <memory>

#include "cuda_arguments.h"

namespace longconv::addon {

int32_t element(const Arguments& arguments, const char* field) {
  const std::string name = arguments.text(field);
  if (name == "f32") return LC_F32;
  if (name == "f16") return LC_F16;
  if (name == "bf16") return LC_BF16;
  if (name == "i32") return LC_I32;
  fail(LC_INVALID_ARGUMENT, "There is no element type \"%.32s\" on the GPU: it is f32, f16, bf16 or i32.", name.c_str());
}

bool flag(const Arguments& arguments, const char* field) { return arguments.has(field) && arguments.size(field, 0) != 0; }

Napi::Value start_cuda_job(Napi::Env env, std::function<void()> work, std::function<Napi::Value(Napi::Env)> result, std::initializer_list<Napi::Value> kept) {
  class Both final : public Job {
   public:
    Both(std::function<void()> work, std::function<Napi::Value(Napi::Env)> result) : work_(std::move(work)), result_(std::move(result)) {}
    void execute() override { work_(); }
    Napi::Value result(Napi::Env env) override { return result_ ? result_(env) : env.Undefined(); }

   private:
    std::function<void()> work_;
    std::function<Napi::Value(Napi::Env)> result_;
  };
  auto job = std::make_unique<Both>(std::move(work), std::move(result));
  for (const Napi::Value& value : kept) job->keep(value);
  return start(env, std::move(job));
}

namespace {

/// Bytes of a typed array and where they lie.
struct Bytes {
  void* data = nullptr;
  int64_t size = 0;
};

Bytes bytes_of(const Napi::Value& value) {
  if (!value.IsTypedArray()) fail(LC_INVALID_ARGUMENT, "A typed array is needed to copy to or from the GPU.");
  const auto array = value.As<Napi::TypedArray>();
  return {static_cast<unsigned char*>(array.ArrayBuffer().Data()) + array.ByteOffset(), static_cast<int64_t>(array.ByteLength())};
}

Napi::Value open(const Napi::CallbackInfo& info) {
  return call_checked(info, [&]() -> Napi::Value {
    const lc_cuda_device& device = cuda_device();
    Napi::Object object = Napi::Object::New(info.Env());
    object.Set("name", device.name);
    object.Set("computeCapability", std::to_string(device.major) + "." + std::to_string(device.minor));
    object.Set("memoryBytes", static_cast<double>(device.memory_bytes));
    return object;
  });
}

/// allocate({bytes}) -> address
Napi::Value allocate(const Napi::CallbackInfo& info) {
  return call_checked(info, [&]() -> Napi::Value {
    void* pointer = nullptr;
    const int64_t bytes = Arguments(info[0], "allocate").size("bytes", 0);
    cuda_call([&](lc_status* status) { cuda().allocate(bytes, &pointer, status); });
    return Napi::Number::New(info.Env(), static_cast<double>(reinterpret_cast<std::uintptr_t>(pointer)));
  });
}

/// release({address})
Napi::Value release(const Napi::CallbackInfo& info) {
  return call_checked(info, [&]() -> Napi::Value {
    cuda().release(address(Arguments(info[0], "release"), "address"));
    return info.Env().Undefined();
  });
}

/// upload({address}, array): done when the promise resolves.
Napi::Value upload(const Napi::CallbackInfo& info) {
  return call_async(info, [&]() -> Napi::Value {
    void* const to = address(Arguments(info[0], "upload"), "address");
    const Bytes from = bytes_of(info[1]);
    return start_cuda_job(info.Env(), [=] { cuda_call([&](lc_status* status) { cuda().upload(to, from.data, from.size, status); }); }, nullptr, {info[1]});
  });
}

/// download({address}, array): fills the array.
Napi::Value download(const Napi::CallbackInfo& info) {
  return call_async(info, [&]() -> Napi::Value {
    const void* const from = address(Arguments(info[0], "download"), "address");
    const Bytes to = bytes_of(info[1]);
    return start_cuda_job(info.Env(), [=] { cuda_call([&](lc_status* status) { cuda().download(to.data, from, to.size, status); }); }, nullptr, {info[1]});
  });
}

Napi::Value synchronize(const Napi::CallbackInfo& info) {
  return call_async(info, [&]() -> Napi::Value {
    cuda();
    return start_cuda_job(info.Env(), [] { cuda_call([](lc_status* status) { cuda().synchronize(status); }); }, nullptr, {});
  });
}

/// memory({resetPeak}) -> {usedBytes, peakBytes, freeBytes}
Napi::Value memory(const Napi::CallbackInfo& info) {
  return call_checked(info, [&]() -> Napi::Value {
    lc_cuda_memory now{};
    const bool reset = flag(Arguments(info[0], "memory"), "resetPeak");
    cuda_call([&](lc_status* status) { cuda().memory(reset, &now, status); });
    Napi::Object object = Napi::Object::New(info.Env());
    object.Set("usedBytes", static_cast<double>(now.used_bytes));
    object.Set("peakBytes", static_cast<double>(now.peak_bytes));
    object.Set("freeBytes", static_cast<double>(now.device_free_bytes));
    return object;
  });
}

Napi::Value make_mark(const Napi::CallbackInfo& info) {
  return call_checked(info, [&]() -> Napi::Value {
    void* mark = nullptr;
    cuda_call([&](lc_status* status) { cuda().make_mark(&mark, status); });
    return Napi::Number::New(info.Env(), static_cast<double>(reinterpret_cast<std::uintptr_t>(mark)));
  });
}

/// secondsBetween({first, second}) -> seconds; frees both marks.
Napi::Value seconds_between(const Napi::CallbackInfo& info) {
  return call_async(info, [&]() -> Napi::Value {
    const Arguments arguments(info[0], "marks");
    void* const first = address(arguments, "first");
    void* const second = address(arguments, "second");
    auto seconds = std::make_shared<double>(0);
    const auto work = [=] {
      lc_status status{};
      cuda().seconds_between(first, second, seconds.get(), &status);
      cuda().free_mark(first);
      cuda().free_mark(second);
      check(status);
    };
    return start_cuda_job(info.Env(), work, [=](Napi::Env env) -> Napi::Value { return Napi::Number::New(env, *seconds); }, {});
  });
}

}  // namespace

Napi::Object cuda_object(Napi::Env env) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("open", Napi::Function::New(env, open, "open"));
  object.Set("allocate", Napi::Function::New(env, allocate, "allocate"));
  object.Set("release", Napi::Function::New(env, release, "release"));
  object.Set("upload", Napi::Function::New(env, upload, "upload"));
  object.Set("download", Napi::Function::New(env, download, "download"));
  object.Set("synchronize", Napi::Function::New(env, synchronize, "synchronize"));
  object.Set("memory", Napi::Function::New(env, memory, "memory"));
  object.Set("makeMark", Napi::Function::New(env, make_mark, "makeMark"));
  object.Set("secondsBetween", Napi::Function::New(env, seconds_between, "secondsBetween"));
  define_cuda_convolutions(env, object);
  define_cuda_operations(env, object);
  return object;
}

}  // namespace longconv::addon
