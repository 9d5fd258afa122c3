// libFuzzer beside a running Node: fuzz(flags, call) runs it in a thread of its own, and each of its inputs is one call of JavaScript, which may take
// its time (the addon's jobs end in the event loop). The coverage that guides it is that of every library built with -fsanitize=fuzzer-no-link: they
// count it with this one's functions, so it is preloaded, before AddressSanitizer's, which has empty ones. libFuzzer ends the process itself: with
// 0 when its time is up, else after a report of what it found.
#include <napi.h>

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <future>
#include <string>
#include <thread>
#include <vector>

extern "C" int LLVMFuzzerRunDriver(int* argc, char*** argv, int (*target)(const uint8_t*, std::size_t));

namespace {

struct Input {
  const uint8_t* data;
  std::size_t size;
  /// What is wrong; empty if nothing is.
  std::promise<std::string> verdict;
};

Napi::ThreadSafeFunction javascript;

/// call(bytes, done): done() when it has ended, done(text) when it went wrong.
void call_javascript(Napi::Env env, Napi::Function call, Input* input) {
  const Napi::HandleScope scope(env);
  const auto done = Napi::Function::New(env, [input](const Napi::CallbackInfo& info) {
    input->verdict.set_value(info[0].IsString() ? info[0].As<Napi::String>().Utf8Value() : std::string());
  });
  call.Call({Napi::Buffer<uint8_t>::Copy(env, input->data, input->size), done});
}

int run_one(const uint8_t* data, std::size_t size) {
  Input input{data, size, {}};
  auto verdict = input.verdict.get_future();
  javascript.BlockingCall(&input, call_javascript);
  const std::string wrong = verdict.get();
  if (!wrong.empty()) {
    std::fprintf(stderr, "%s\n", wrong.c_str());
    __builtin_trap();
  }
  return 0;
}

Napi::Value fuzz(const Napi::CallbackInfo& info) {
  std::vector<std::string> flags{"fuzz"};
  const auto given = info[0].As<Napi::Array>();
  for (uint32_t i = 0; i < given.Length(); ++i) flags.push_back(given.Get(i).As<Napi::String>().Utf8Value());
  javascript = Napi::ThreadSafeFunction::New(info.Env(), info[1].As<Napi::Function>(), "libFuzzer", 0, 1);
  std::thread([flags = std::move(flags)]() mutable {
    std::vector<char*> argv;
    for (std::string& flag : flags) argv.push_back(flag.data());
    int argc = static_cast<int>(argv.size());
    argv.push_back(nullptr);
    char** pointers = argv.data();
    // libFuzzer calls exit() from this thread; what Node would clean up then is in use by its own.
    on_exit([](int status, void*) { std::fflush(nullptr); _exit(status); }, nullptr);
    std::exit(LLVMFuzzerRunDriver(&argc, &pointers, run_one));
  }).detach();
  return info.Env().Undefined();
}

}  // namespace

static Napi::Object init_module(Napi::Env env, Napi::Object exports) {
  exports.Set("fuzz", Napi::Function::New(env, fuzz, "fuzz"));
  return exports;
}
NODE_API_MODULE(longconv_fuzz_host, init_module)
