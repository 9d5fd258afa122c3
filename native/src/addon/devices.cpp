#include "devices.h"

#include "../cpu/dispatch.h"
#include "../cpu/thread_pool.h"

namespace longconv::addon {

Napi::Value devices(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Napi::Object cpu = Napi::Object::New(env);
  cpu.Set("name", processor_name());
  const auto& tables = available_kernels();
  Napi::Array sets = Napi::Array::New(env, tables.size());
  for (std::size_t i = 0; i < tables.size(); ++i) sets.Set(static_cast<uint32_t>(i), tables[i]->name);
  cpu.Set("instructionSets", sets);
  cpu.Set("threads", hardware_threads());
  Napi::Object cuda = Napi::Object::New(env);
  cuda.Set("usable", false);
  cuda.Set("reason", "This build has no CUDA kernels.");
  Napi::Object report = Napi::Object::New(env);
  report.Set("cpu", cpu);
  report.Set("cuda", cuda);
  return report;
}

}  // namespace longconv::addon
