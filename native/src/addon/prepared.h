// The JavaScript object of a prepared convolution, and what leads to one.
#pragma once

#include <napi.h>

#include <memory>
#include <string>

#include "arguments.h"
#include "longconv/backend.h"

namespace longconv::addon {

/// ConvolutionSpec of core/engine/engine.ts, read and checked.
struct Spec {
  explicit Spec(const Arguments& arguments);
  lc_convolution_spec native{};
  std::string instruction_set;
  const char* variant() const { return instruction_set.empty() ? nullptr : instruction_set.c_str(); }
  /// Measured rates of the backend for this instruction set.
  lc_costs costs() const;
};

/// `PreparedConvolution` of core/engine/engine.ts, without its `spec`.
class Prepared final : public Napi::ObjectWrap<Prepared> {
 public:
  static void define(Napi::Env env);
  static Napi::Object create(Napi::Env env, std::shared_ptr<const lc_prepared> prepared, const lc_convolution_spec& spec, const lc_plan& plan);
  explicit Prepared(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Prepared>(info) {}

 private:
  Napi::Value run(const Napi::CallbackInfo& info);
  Napi::Value prediction(const Napi::CallbackInfo& info);
  Napi::Value release(const Napi::CallbackInfo& info);

  std::shared_ptr<const lc_prepared> prepared_;
  lc_convolution_spec spec_{};
  lc_plan plan_{};
};

/// Prediction of engine.ts.
Napi::Object prediction_object(Napi::Env env, const lc_plan& plan);

Napi::Value prepare(const Napi::CallbackInfo& info);
Napi::Value predict(const Napi::CallbackInfo& info);

}  // namespace longconv::addon
