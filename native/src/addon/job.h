// Long calls: checked on the JavaScript thread, run on a job thread, settled as a promise on the JavaScript thread again.
#pragma once

#include <napi.h>

#include <functional>
#include <vector>

#include "../status.h"

namespace longconv::addon {

class Job {
 public:
  virtual ~Job() = default;
  /// On a job thread; throws Error or std::bad_alloc. Must not touch JavaScript.
  virtual void execute() = 0;
  /// On the JavaScript thread, after execute returned.
  virtual Napi::Value result(Napi::Env env) = 0;

  /// Keeps a JavaScript value, and the memory of an array, alive until the job is settled.
  void keep(Napi::Value value);

 private:
  std::vector<Napi::Reference<Napi::Value>> kept_;
};

/// Queues the job; the promise resolves with its result or rejects with an Error that has `code`.
Napi::Promise start(Napi::Env env, std::unique_ptr<Job> job);

/// Error with the message and `code` of a status: 'invalid-argument', 'out-of-memory', 'cancelled', 'not-supported' or 'internal'.
Napi::Error to_error(Napi::Env env, const lc_status& status);

/// Runs the body of an exported function: what it throws becomes a JavaScript exception.
Napi::Value call_checked(const Napi::CallbackInfo& info, const std::function<Napi::Value()>& body);
/// The same for functions that return a promise: it rejects.
Napi::Value call_async(const Napi::CallbackInfo& info, const std::function<Napi::Value()>& body);

/// Throws the Error of a status that is not LC_OK.
inline void check(const lc_status& status) {
  if (status.code != LC_OK) throw Error(static_cast<lc_code>(status.code), status.message);
}

}  // namespace longconv::addon
