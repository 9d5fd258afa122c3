#include "cuda_library.h"

#include <cstdlib>
#include <filesystem>
#include <string>

#include "../status.h"

#if defined(__linux__)
#include <dlfcn.h>
#endif

namespace longconv::addon {
namespace {

/// Names another library than the one beside the addon: for tests, and for builds for other GPUs.
constexpr const char* kVariable = "LONGCONV_CUDA_LIBRARY";

struct Opened {
  const lc_cuda_api* api = nullptr;
  lc_cuda_device device{};
  lc_status status{};
};

#if defined(__linux__)

std::string library_path() {
  if (const char* given = std::getenv(kVariable); given && *given) return given;
  Dl_info self{};
  if (!dladdr(reinterpret_cast<const void*>(&library_path), &self) || !self.dli_fname) fail(LC_NOT_SUPPORTED, "the folder of the native addon cannot be found.");
  return (std::filesystem::path(self.dli_fname).parent_path() / "liblongconv_cuda.so").string();
}

void open_library(Opened& opened) {
  const std::string path = library_path();
  if (!std::filesystem::exists(path)) {
    fail(LC_NOT_SUPPORTED, "this build has no CUDA kernels (%.200s is missing). Build it on a machine with CUDA 13 (nvcc).", path.c_str());
  }
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) fail(LC_NOT_SUPPORTED, "the CUDA kernels cannot be loaded: %.240s.", dlerror());
  const auto entry = reinterpret_cast<lc_cuda_entry_function>(dlsym(library, LC_CUDA_ENTRY));
  if (!entry) fail(LC_NOT_SUPPORTED, "%.200s is not a library of CUDA kernels: it has no function %s.", path.c_str(), LC_CUDA_ENTRY);
  const lc_cuda_api* api = entry();
  if (api->abi != LC_CUDA_ABI) {
    fail(LC_NOT_SUPPORTED, "the CUDA kernels have interface version %d, and the addon needs %d. Build both from the same source.", api->abi, LC_CUDA_ABI);
  }
  lc_status status{};
  if (api->open(&opened.device, &status) != LC_OK) throw Error(static_cast<lc_code>(status.code), status.message);
  opened.api = api;
}

#else

void open_library(Opened&) { fail(LC_NOT_SUPPORTED, "the CUDA kernels are made for Linux only."); }

#endif

const Opened& opened() {
  static const Opened once = [] {
    Opened result;
    guarded(&result.status, [&] { open_library(result); });
    return result;
  }();
  if (once.status.code != LC_OK) throw Error(static_cast<lc_code>(once.status.code), once.status.message);
  return once;
}

}  // namespace

const lc_cuda_api& cuda() { return *opened().api; }
const lc_cuda_device& cuda_device() { return opened().device; }

}  // namespace longconv::addon
