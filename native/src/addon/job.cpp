#include "job.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace longconv::addon {

namespace {

/// Threads that start jobs. The kernels' own pool does the work; these wait for it, so they may be more than processors.
class JobThreads {
 public:
  static JobThreads& instance() {
    static auto* threads = new JobThreads;  // never destroyed: a job may still run when the process exits
    return *threads;
  }

  void run(std::function<void()> work) {
    const std::lock_guard<std::mutex> lock(mutex_);
    queue_.push_back(std::move(work));
    if (idle_ < static_cast<int>(queue_.size()) && threads_ < kMostThreads) {
      std::thread(&JobThreads::loop, this).detach();
      ++threads_;
    }
    ready_.notify_one();
  }

 private:
  static constexpr int kMostThreads = 8;

  void loop() {
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      ++idle_;
      ready_.wait(lock, [&] { return !queue_.empty(); });
      --idle_;
      std::function<void()> work = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      work();
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<std::function<void()>> queue_;
  int idle_ = 0;
  int threads_ = 0;
};

const char* code_name(int32_t code) {
  switch (code) {
    case LC_INVALID_ARGUMENT: return "invalid-argument";
    case LC_OUT_OF_MEMORY: return "out-of-memory";
    case LC_CANCELLED: return "cancelled";
    case LC_NOT_SUPPORTED: return "not-supported";
    default: return "internal";
  }
}

/// A job on its way, owned by whoever will settle it.
struct Running {
  std::unique_ptr<Job> job;
  Napi::Promise::Deferred deferred;
  lc_status status{};
};

void settle(Napi::Env env, Napi::Function, Running* running) {
  const std::unique_ptr<Running> owned(running);
  if (!env) return;  // the environment is being torn down
  const Napi::HandleScope scope(env);
  if (owned->status.code == LC_OK) owned->deferred.Resolve(owned->job->result(env));
  else owned->deferred.Reject(to_error(env, owned->status).Value());
}

}  // namespace

void Job::keep(Napi::Value value) {
  if (value.IsObject()) kept_.push_back(Napi::Persistent(value));
}

Napi::Error to_error(Napi::Env env, const lc_status& status) {
  Napi::Error error = Napi::Error::New(env, status.message);
  error.Set("code", Napi::String::New(env, code_name(status.code)));
  return error;
}

Napi::Promise start(Napi::Env env, std::unique_ptr<Job> job) {
  auto* running = new Running{std::move(job), Napi::Promise::Deferred::New(env)};
  const Napi::Promise promise = running->deferred.Promise();
  auto done = Napi::ThreadSafeFunction::New(env, Napi::Function::New(env, [](const Napi::CallbackInfo&) {}), "longconv job", 0, 1);
  JobThreads::instance().run([running, done]() mutable {
    guarded(&running->status, [&] { running->job->execute(); });
    done.BlockingCall(running, settle);
    done.Release();
  });
  return promise;
}

Napi::Value call_checked(const Napi::CallbackInfo& info, const std::function<Napi::Value()>& body) {
  lc_status status{};
  Napi::Value value = info.Env().Undefined();
  if (guarded(&status, [&] { value = body(); }) == LC_OK) return value;
  to_error(info.Env(), status).ThrowAsJavaScriptException();
  return info.Env().Undefined();
}

Napi::Value call_async(const Napi::CallbackInfo& info, const std::function<Napi::Value()>& body) {
  lc_status status{};
  Napi::Value value = info.Env().Undefined();
  if (guarded(&status, [&] { value = body(); }) == LC_OK) return value;
  const auto deferred = Napi::Promise::Deferred::New(info.Env());
  deferred.Reject(to_error(info.Env(), status).Value());
  return deferred.Promise();
}

}  // namespace longconv::addon
