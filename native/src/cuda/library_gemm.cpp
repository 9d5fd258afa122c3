#include "library_gemm.h"

#include <dlfcn.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <optional>

#include "device_buffer.h"
#include "gpu/check.h"
#include "kernels/pointwise.h"

namespace longconv::cuda {
namespace {

// The part of cuBLASLt's C interface that is used, as its documentation describes it. Unchanged from version 11 to 13.
constexpr int kSuccess = 0;
constexpr int kReal32 = 0, kReal16 = 2, kBrain16 = 14;  // cudaDataType
constexpr int kCompute32 = 68;                          // CUBLAS_COMPUTE_32F
constexpr int32_t kPlain = 0, kTransposed = 1;          // cublasOperation_t
enum DescriptorAttribute { kTransA = 3, kTransB = 4, kEpilogue = 7, kBiasPointer = 8 };
enum LayoutAttribute { kBatchCount = 5, kBatchStride = 6 };
enum PreferenceAttribute { kMostWorkspace = 1 };
enum Epilogue : uint32_t { kDefault = 1, kRelu = 2, kBias = 4, kReluBias = 6, kGelu = 32, kGeluBias = 36 };

using Handle = void*;
struct Algorithm { uint64_t data[8]; };
struct Heuristic {
  Algorithm algorithm;
  std::size_t workspace_bytes;
  int state;
  float waves;
  int reserved[4];
};

constexpr int64_t kWorkspaceBytes = int64_t{32} << 20;

/// Everything that decides which algorithm is chosen.
using Key = std::array<int64_t, 13>;

struct Library {
  int (*create)(Handle*) = nullptr;
  int (*matmul)(Handle, Handle, const void*, const void*, Handle, const void*, Handle, const void*, const void*, Handle, void*, Handle, const Algorithm*, void*, std::size_t,
                cudaStream_t) = nullptr;
  int (*descriptor_create)(Handle*, int, int) = nullptr;
  int (*descriptor_set)(Handle, int, const void*, std::size_t) = nullptr;
  int (*descriptor_destroy)(Handle) = nullptr;
  int (*layout_create)(Handle*, int, uint64_t, uint64_t, int64_t) = nullptr;
  int (*layout_set)(Handle, int, const void*, std::size_t) = nullptr;
  int (*layout_destroy)(Handle) = nullptr;
  int (*preference_create)(Handle*) = nullptr;
  int (*preference_set)(Handle, int, const void*, std::size_t) = nullptr;
  int (*preference_destroy)(Handle) = nullptr;
  int (*heuristic)(Handle, Handle, Handle, Handle, Handle, Handle, Handle, int, Heuristic*, int*) = nullptr;
  Handle handle = nullptr;
  void* workspace = nullptr;
  /// Empty where cuBLASLt has no kernel.
  std::map<Key, std::optional<Algorithm>> chosen;
  std::mutex mutex;
};

template <class Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  return function != nullptr;
}

Library* open_library() {
  const char* wish = std::getenv("LONGCONV_CUBLASLT");
  if (wish && std::strcmp(wish, "off") == 0) return nullptr;
  void* found = nullptr;
  for (const char* name : {"libcublasLt.so.13", "libcublasLt.so.12"}) {
    if ((found = dlopen(name, RTLD_NOW | RTLD_LOCAL))) break;
  }
  if (!found) return nullptr;
  auto* l = new Library;
  const bool whole = find(found, "cublasLtCreate", l->create) && find(found, "cublasLtMatmul", l->matmul) && find(found, "cublasLtMatmulDescCreate", l->descriptor_create) &&
                     find(found, "cublasLtMatmulDescSetAttribute", l->descriptor_set) && find(found, "cublasLtMatmulDescDestroy", l->descriptor_destroy) &&
                     find(found, "cublasLtMatrixLayoutCreate", l->layout_create) && find(found, "cublasLtMatrixLayoutSetAttribute", l->layout_set) &&
                     find(found, "cublasLtMatrixLayoutDestroy", l->layout_destroy) && find(found, "cublasLtMatmulPreferenceCreate", l->preference_create) &&
                     find(found, "cublasLtMatmulPreferenceSetAttribute", l->preference_set) && find(found, "cublasLtMatmulPreferenceDestroy", l->preference_destroy) &&
                     find(found, "cublasLtMatmulAlgoGetHeuristic", l->heuristic);
  if (!whole || l->create(&l->handle) != kSuccess) {
    delete l;
    return nullptr;
  }
  l->workspace = gpu::allocate(kWorkspaceBytes);
  return l;
}

Library* library() {
  static Library* const once = open_library();
  return once;
}

/// A descriptor, layout or preference of the library that is destroyed with it.
struct Owned {
  Handle handle = nullptr;
  int (*destroy)(Handle);
  explicit Owned(int (*destroy_)(Handle)) : destroy(destroy_) {}
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  ~Owned() {
    if (handle) destroy(handle);
  }
};

std::optional<uint32_t> epilogue(const lc_cuda_gemm& call) {
  switch (call.activation) {
    case LC_NONE: return call.bias ? kBias : kDefault;
    case LC_RELU: return call.bias ? kReluBias : kRelu;
    case LC_GELU_TANH: return call.bias ? kGeluBias : kGelu;  // cuBLASLt's GELU is the tanh form
    default: return std::nullopt;
  }
}

bool aligned(const void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer) % 16 == 0; }

bool fits(const lc_cuda_gemm& call) {
  // Its bias runs along the columns, and its activation comes after the sum with what is added.
  if ((call.bias && call.bias_along_rows) || (call.residual && call.activation != LC_NONE)) return false;
  if (call.residual && call.output_element != LC_F32) return false;
  return aligned(call.a) && aligned(call.b) && aligned(call.d) && aligned(call.residual) && call.rows % 8 == 0 && call.columns % 8 == 0 && call.inner % 8 == 0;
}

/// bias in the product's output type, which is what the library takes.
DeviceBuffer converted_bias(const lc_cuda_gemm& call) {
  DeviceBuffer bias(call.columns * 2);
  const auto view = [&](void* data, int32_t element) { return lc_view{data, element, 1, {call.columns}, {1}}; };
  run_elementwise({LC_COPY, LC_NONE, view(const_cast<float*>(call.bias), LC_F32), lc_view{}, view(bias.data(), call.output_element)});
  return bias;
}

}  // namespace

bool run_library_gemm(const lc_cuda_gemm& call) {
  Library* const l = library();
  const std::optional<uint32_t> wanted = epilogue(call);
  if (!l || !wanted || !fits(call)) return false;
  const std::lock_guard<std::mutex> lock(l->mutex);

  // The library thinks in columns: our row-major d is its d^T = b^T a^T.
  const int operand = call.operand_element == LC_F16 ? kReal16 : kBrain16, output = call.output_element == LC_F32 ? kReal32 : operand;
  Owned descriptor(l->descriptor_destroy), left(l->layout_destroy), right(l->layout_destroy), result(l->layout_destroy);
  const int32_t left_operation = call.transposed_b ? kTransposed : kPlain, right_operation = call.transposed_a ? kTransposed : kPlain;
  const bool made =
      l->descriptor_create(&descriptor.handle, kCompute32, kReal32) == kSuccess &&
      l->layout_create(&left.handle, operand, static_cast<uint64_t>(call.transposed_b ? call.inner : call.columns), static_cast<uint64_t>(call.transposed_b ? call.columns : call.inner),
                       call.transposed_b ? call.inner : call.columns) == kSuccess &&
      l->layout_create(&right.handle, operand, static_cast<uint64_t>(call.transposed_a ? call.rows : call.inner), static_cast<uint64_t>(call.transposed_a ? call.inner : call.rows),
                       call.transposed_a ? call.rows : call.inner) == kSuccess &&
      l->layout_create(&result.handle, output, static_cast<uint64_t>(call.columns), static_cast<uint64_t>(call.rows), call.columns) == kSuccess;
  if (!made) return false;
  DeviceBuffer bias;
  const void* bias_pointer = call.bias;
  if (call.bias && output != kReal32) {
    bias = converted_bias(call);
    bias_pointer = bias.data();
  }
  const auto set = [&](int attribute, const void* value, std::size_t bytes) { return l->descriptor_set(descriptor.handle, attribute, value, bytes) == kSuccess; };
  if (!set(kTransA, &left_operation, 4) || !set(kTransB, &right_operation, 4) || !set(kEpilogue, &*wanted, 4)) return false;
  if (call.bias && !set(kBiasPointer, &bias_pointer, sizeof bias_pointer)) return false;
  const auto items = static_cast<int32_t>(call.batch);
  for (const auto& [layout, stride] : {std::pair<Handle, int64_t>{left.handle, call.b_stride}, {right.handle, call.a_stride}, {result.handle, call.d_stride}}) {
    if (call.batch > 1 && (l->layout_set(layout, kBatchCount, &items, 4) != kSuccess || l->layout_set(layout, kBatchStride, &stride, 8) != kSuccess)) return false;
  }

  const Key key{call.batch, call.rows, call.columns, call.inner, operand, output, left_operation, right_operation, static_cast<int64_t>(*wanted), call.a_stride, call.b_stride,
                call.d_stride, call.residual != nullptr};
  auto known = l->chosen.find(key);
  if (known == l->chosen.end()) {
    Owned preference(l->preference_destroy);
    const uint64_t most = static_cast<uint64_t>(kWorkspaceBytes);
    Heuristic best{};
    int found = 0;
    const bool chosen = l->preference_create(&preference.handle) == kSuccess && l->preference_set(preference.handle, kMostWorkspace, &most, sizeof most) == kSuccess &&
                        l->heuristic(l->handle, descriptor.handle, left.handle, right.handle, result.handle, result.handle, preference.handle, 1, &best, &found) == kSuccess &&
                        found > 0 && best.state == kSuccess;
    known = l->chosen.emplace(key, chosen ? std::optional<Algorithm>(best.algorithm) : std::nullopt).first;
  }
  if (!known->second) return false;
  const float one = 1, added = call.residual ? 1.0f : 0.0f;
  const void* c = call.residual ? static_cast<const void*>(call.residual) : call.d;
  return l->matmul(l->handle, descriptor.handle, &one, call.b, left.handle, call.a, right.handle, &added, c, result.handle, call.d, result.handle, &*known->second, l->workspace,
                   static_cast<std::size_t>(kWorkspaceBytes), gpu::stream()) == kSuccess;
}

}  // namespace longconv::cuda
