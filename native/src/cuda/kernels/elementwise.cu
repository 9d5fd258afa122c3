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
  if (p.count > 0) launch(elementwise_kernel, dim3(blocks_for(p.count, kThreads)), kThreads, 0, p);
}

void run_gather(const int32_t* index, int64_t rows, const float* table, int64_t table_rows, int64_t width, void* y, int32_t y_element) {
  check_signal_element(y_element, "An embedding");
  const GatherParameters p{index, table, y, rows, table_rows, width, y_element};
  launch(gather_kernel, dim3(blocks_for(rows * width, kThreads)), kThreads, 0, p);
}

}  // namespace longconv::cuda
