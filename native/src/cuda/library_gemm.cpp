#include "library_gemm.h"

#include <dlfcn.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "device_buffer.h"
#include "gpu/check.h"
#include "kernels/gemm.h"
#include "kernels/pointwise.h"
#include "kernels/reductions.h"

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

namespace {

bool run_with(Library* l, const lc_cuda_gemm& call) {
  const std::optional<uint32_t> wanted = epilogue(call);
  if (!wanted || !fits(call)) return false;
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

/// 16-bit or float32 numbers between -1 and 1, different for every seed.
DeviceBuffer test_values(int32_t element, int64_t count, uint32_t seed) {
  std::vector<float> host(static_cast<std::size_t>(count));
  for (float& value : host) {
    seed = seed * 1664525u + 1013904223u;
    value = static_cast<float>(seed >> 8) / 8388608.0f - 1.0f;
  }
  DeviceBuffer single(count * 4), converted(count * 4);
  gpu::upload(single.data(), host.data(), count * 4);
  const auto view = [&](void* data, int32_t type) { return lc_view{data, type, 1, {count}, {1}}; };
  run_elementwise({LC_COPY, LC_NONE, view(single.data(), LC_F32), lc_view{}, view(converted.data(), element)});
  return converted;
}

/// Whether the library gives what our kernel gives; also where it declines, since then our kernel runs.
bool agrees(Library* l, int32_t operand, int32_t output, bool transposed_a, bool transposed_b, int32_t activation, bool bias, bool residual) {
  constexpr int64_t kBatch = 2, kRows = 64, kColumns = 96, kInner = 32;
  const DeviceBuffer a = test_values(operand, kBatch * kRows * kInner, 1), b = test_values(operand, kInner * kColumns, 2), bias_values = test_values(LC_F32, kColumns, 3);
  const DeviceBuffer residual_values = test_values(LC_F32, kBatch * kRows * kColumns, 4);
  const DeviceBuffer ours(kBatch * kRows * kColumns * 4), theirs(kBatch * kRows * kColumns * 4);
  lc_cuda_gemm call{};
  call.batch = kBatch, call.rows = kRows, call.columns = kColumns, call.inner = kInner;
  call.operand_element = operand, call.output_element = output, call.transposed_a = transposed_a, call.transposed_b = transposed_b;
  call.a = a.data(), call.b = b.data(), call.a_stride = kRows * kInner, call.d_stride = kRows * kColumns;
  call.activation = activation;
  if (bias) call.bias = static_cast<const float*>(bias_values.data());
  if (residual) call.residual = static_cast<const float*>(residual_values.data());
  call.d = theirs.data();
  if (!run_with(l, call)) return true;
  call.d = ours.data();
  run_own_gemm(call);
  double energies[2];
  difference_energy(theirs.data(), ours.data(), output, kBatch * kRows * kColumns, energies);
  constexpr double kTolerance = 5e-3;  // both round to 16 bits
  return energies[1] > 0 && energies[0] <= kTolerance * kTolerance * energies[1];
}

Library* trusted_library() {
  Library* const l = open_library();
  if (!l) return nullptr;
  for (const int32_t operand : {LC_F16, LC_BF16}) {
    for (const bool transposed_a : {false, true}) {
      for (const bool transposed_b : {false, true}) {
        const bool right = agrees(l, operand, operand, transposed_a, transposed_b, LC_GELU_TANH, true, false) && agrees(l, operand, operand, transposed_a, transposed_b, LC_NONE, true, false) &&
                           agrees(l, operand, operand, transposed_a, transposed_b, LC_RELU, false, false) && agrees(l, operand, LC_F32, transposed_a, transposed_b, LC_NONE, true, true) &&
                           agrees(l, operand, LC_F32, transposed_a, transposed_b, LC_NONE, false, false);
        if (!right) return nullptr;
      }
    }
  }
  return l;
}

}  // namespace

bool run_library_gemm(const lc_cuda_gemm& call) {
  if (call.operand_element == LC_F32) return false;
  static Library* const library = trusted_library();
  return library && run_with(library, call);
}

}  // namespace longconv::cuda
