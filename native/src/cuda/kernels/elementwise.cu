// Element-by-element operations with broadcasting and any strides, and the embedding's row gather. Computed in float32.
#include <cstdint>
#include <initializer_list>

#include <gpu/device.h>

#include "activation.h"
#include "pointwise.h"
#include "typed.h"

namespace longconv::cuda {
namespace {

using namespace gpu;

constexpr int kThreads = 256;

__device__ __forceinline__ float compute(int operation, int activation, float a, float b) {
  switch (operation) {
    case LC_ADD: return a + b;
    case LC_SUBTRACT: return a - b;
    case LC_MULTIPLY: return a * b;
    case LC_DIVIDE: return a / b;
    case LC_POWER: return powf(a, b);
    case LC_MAXIMUM: return fmaxf(a, b);
    case LC_MINIMUM: return fminf(a, b);
    case LC_ACTIVATE: return activate(a, activation);
    case LC_NEGATE: return -a;
    case LC_EXPONENTIAL: return expf(a);
    case LC_LOGARITHM: return logf(a);
    case LC_SQUARE_ROOT: return sqrtf(a);
    case LC_RECIPROCAL: return 1.0f / a;
    case LC_ERF: return erff(a);
    case LC_ABSOLUTE: return fabsf(a);
    case LC_SINE: return sinf(a);
    case LC_COSINE: return cosf(a);
    default: return a;
  }
}

__device__ __forceinline__ int64_t place(const lc_view& view, const int64_t (&index)[LC_MAX_RANK], int rank) {
  int64_t at = 0;
#pragma unroll
  for (int d = 0; d < LC_MAX_RANK; ++d) {
    if (d < rank) at += index[d] * view.strides[d];
  }
  return at;
}

struct Parameters {
  lc_cuda_elementwise call;
  int64_t count;
  int same_places;  // every operand is laid out as y, without gaps
};

__global__ void __launch_bounds__(kThreads) elementwise_kernel(Parameters p) {
  const lc_cuda_elementwise& c = p.call;
  const int rank = c.y.rank;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x; i < p.count; i += static_cast<int64_t>(gridDim.x) * kThreads) {
    int64_t at_a = i, at_b = i, at_y = i;
    if (!p.same_places) {
      int64_t index[LC_MAX_RANK], rest = i;
#pragma unroll
      for (int d = LC_MAX_RANK - 1; d >= 0; --d) {
        index[d] = 0;
        if (d < rank) {
          index[d] = rest % c.y.dims[d];
          rest /= c.y.dims[d];
        }
      }
      at_a = place(c.a, index, rank), at_b = place(c.b, index, rank), at_y = place(c.y, index, rank);
    }
    const float a = load_element(c.a.data, c.a.element, at_a);
    const float b = c.b.data ? load_element(c.b.data, c.b.element, at_b) : 0.0f;
    store_element(c.y.data, c.y.element, at_y, compute(c.operation, c.activation, a, b));
  }
}

constexpr int kEach = 8;

/// Eight neighbours, from an address that is a multiple of 16 bytes.
__device__ __forceinline__ void load_eight(float (&value)[kEach], const void* data, int element, int64_t first) {
  if (element == LC_F32) {
    const float4* const from = reinterpret_cast<const float4*>(static_cast<const float*>(data) + first);
    const float4 low = from[0], high = from[1];
    value[0] = low.x, value[1] = low.y, value[2] = low.z, value[3] = low.w, value[4] = high.x, value[5] = high.y, value[6] = high.z, value[7] = high.w;
    return;
  }
  const uint4 words = *reinterpret_cast<const uint4*>(static_cast<const uint16_t*>(data) + first);
  const half_t* const halves = reinterpret_cast<const half_t*>(&words);
  const bf16_t* const brains = reinterpret_cast<const bf16_t*>(&words);
#pragma unroll
  for (int e = 0; e < kEach; ++e) value[e] = element == LC_F16 ? to_float(halves[e]) : to_float(brains[e]);
}

__device__ __forceinline__ void store_eight(void* data, int element, int64_t first, const float (&value)[kEach]) {
  if (element == LC_F32) {
    float4* const to = reinterpret_cast<float4*>(static_cast<float*>(data) + first);
    to[0] = float4{value[0], value[1], value[2], value[3]};
    to[1] = float4{value[4], value[5], value[6], value[7]};
    return;
  }
  uint4* const to = reinterpret_cast<uint4*>(static_cast<uint16_t*>(data) + first);
  if (element == LC_F16) *to = uint4{pack<half_t>(value[0], value[1]), pack<half_t>(value[2], value[3]), pack<half_t>(value[4], value[5]), pack<half_t>(value[6], value[7])};
  else *to = uint4{pack<bf16_t>(value[0], value[1]), pack<bf16_t>(value[2], value[3]), pack<bf16_t>(value[4], value[5]), pack<bf16_t>(value[6], value[7])};
}

/// The same where all operands lie alike and at multiples of 16 bytes: a multiple of eight elements.
__global__ void __launch_bounds__(kThreads) grouped_kernel(Parameters p) {
  const lc_cuda_elementwise& c = p.call;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x; i < p.count / kEach; i += static_cast<int64_t>(gridDim.x) * kThreads) {
    float a[kEach], b[kEach] = {};
    load_eight(a, c.a.data, c.a.element, i * kEach);
    if (c.b.data) load_eight(b, c.b.data, c.b.element, i * kEach);
#pragma unroll 1
    for (int e = 0; e < kEach; ++e) {
      // One copy of the code for all: the elements take turns in the first place.
      const float result = compute(c.operation, c.activation, a[0], b[0]);
#pragma unroll
      for (int next = 1; next < kEach; ++next) a[next - 1] = a[next], b[next - 1] = b[next];
      a[kEach - 1] = result;
    }
    store_eight(c.y.data, c.y.element, i * kEach, a);
  }
}

bool aligned(const lc_view& view) { return reinterpret_cast<std::uintptr_t>(view.data) % 16 == 0; }

bool contiguous(const lc_view& view) {
  int64_t stride = 1;
  for (int d = view.rank - 1; d >= 0; --d) {
    if (view.dims[d] != 1 && view.strides[d] != stride) return false;
    stride *= view.dims[d];
  }
  return true;
}

struct GatherParameters {
  const int32_t* index;
  const float* table;
  void* y;
  int64_t rows, table_rows, width;
  int y_element;
};

__global__ void __launch_bounds__(kThreads) gather_kernel(GatherParameters p) {
  const int64_t count = p.rows * p.width;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x; i < count; i += static_cast<int64_t>(gridDim.x) * kThreads) {
    const int64_t row = i / p.width;
    const int64_t entry = p.index[row];
    const bool inside = entry >= 0 && entry < p.table_rows;
    store_element(p.y, p.y_element, i, inside ? p.table[entry * p.width + i % p.width] : nanf(""));
  }
}

}  // namespace

void run_elementwise(const lc_cuda_elementwise& call) {
  if (call.y.rank < 0 || call.y.rank > LC_MAX_RANK) fail(LC_NOT_SUPPORTED, "A value of the model has %d dimensions; on the GPU, it can have %d.", call.y.rank, LC_MAX_RANK);
  for (const lc_view* view : {&call.a, &call.b, &call.y}) {
    if (view->data) check_signal_element(view->element, "An element-wise operation");
  }
  Parameters p{call, 1, contiguous(call.y) && contiguous(call.a) && (!call.b.data || contiguous(call.b))};
  for (int d = 0; d < call.y.rank; ++d) p.count *= call.y.dims[d];
  if (p.count == 0) return;
  if (p.same_places && p.count % kEach == 0 && aligned(call.a) && aligned(call.b) && aligned(call.y)) {
    launch(grouped_kernel, dim3(blocks_for(p.count / kEach, kThreads)), kThreads, 0, p);
    return;
  }
  launch(elementwise_kernel, dim3(blocks_for(p.count, kThreads)), kThreads, 0, p);
}

void run_gather(const int32_t* index, int64_t rows, const float* table, int64_t table_rows, int64_t width, void* y, int32_t y_element) {
  check_signal_element(y_element, "An embedding");
  const GatherParameters p{index, table, y, rows, table_rows, width, y_element};
  launch(gather_kernel, dim3(blocks_for(rows * width, kThreads)), kThreads, 0, p);
}

}  // namespace longconv::cuda
