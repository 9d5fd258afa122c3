// The float32 products, on the ordinary units: every sum in float32, as the exact convolutions beside which they run. One 128 x 128 tile of d
// for each block, 8 x 8 sums for each thread, operands through shared memory 16 along the inner dimension at a time.
#include "gemm_kernel.h"

namespace longconv::cuda::gemm {
namespace {

constexpr int kDepth = 16;
constexpr int kFloatLine = kTile + 4;
constexpr int kTileEach = kTile * kDepth / kThreads;  // elements of an operand's tile that a thread brings

/// Brings [kDepth][128] of an operand, [inner][outer] in shared memory, zeros beyond the matrix. Neighbouring threads read neighbours.
__device__ __forceinline__ void load_tile(float* shared, const float* matrix, bool inner_contiguous, int64_t line, int64_t outer_start, int64_t outer_size,
                                          int64_t inner_start, int64_t inner_size) {
#pragma unroll
  for (int i = 0; i < kTileEach; ++i) {
    const int at = static_cast<int>(threadIdx.x) + i * kThreads;
    const int inner = inner_contiguous ? at % kDepth : at / kTile, outer = inner_contiguous ? at / kDepth : at % kTile;
    const int64_t o = outer_start + outer, k = inner_start + inner;
    shared[inner * kFloatLine + outer] = o < outer_size && k < inner_size ? matrix[inner_contiguous ? o * line + k : k * line + o] : 0.0f;
  }
}

__global__ void __launch_bounds__(kThreads, 2) gemm_float(Parameters p) {
  float* const left = reinterpret_cast<float*>(shared_memory());
  float* const right = left + kDepth * kFloatLine;
  const int64_t row_start = static_cast<int64_t>(blockIdx.x) / p.column_tiles * kTile, column_start = static_cast<int64_t>(blockIdx.x) % p.column_tiles * kTile;
  const int64_t item = blockIdx.y;
  const float* const a = static_cast<const float*>(p.call.a) + item * p.call.a_stride;
  const float* const b = static_cast<const float*>(p.call.b) + item * p.call.b_stride;
  // Rows row + 64 i + 0..3 and columns column + 64 j + 0..3.
  const int row = static_cast<int>(threadIdx.x) / 16 * 4, column = static_cast<int>(threadIdx.x) % 16 * 4;
  float sum[8][8] = {};
  for (int64_t k = 0; k < p.call.inner; k += kDepth) {
    load_tile(left, a, !p.call.transposed_a, p.a_line, row_start, p.call.rows, k, p.call.inner);
    load_tile(right, b, p.call.transposed_b, p.b_line, column_start, p.call.columns, k, p.call.inner);
    __syncthreads();
#pragma unroll 2
    for (int depth = 0; depth < kDepth; ++depth) {
      float x[8], y[8];
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const float4 rows = *reinterpret_cast<const float4*>(left + depth * kFloatLine + row + 64 * half);
        const float4 columns = *reinterpret_cast<const float4*>(right + depth * kFloatLine + column + 64 * half);
        x[4 * half] = rows.x, x[4 * half + 1] = rows.y, x[4 * half + 2] = rows.z, x[4 * half + 3] = rows.w;
        y[4 * half] = columns.x, y[4 * half + 1] = columns.y, y[4 * half + 2] = columns.z, y[4 * half + 3] = columns.w;
      }
#pragma unroll
      for (int i = 0; i < 8; ++i)
#pragma unroll
        for (int j = 0; j < 8; ++j) sum[i][j] = fmaf(x[i], y[j], sum[i][j]);
    }
    __syncthreads();
  }
#pragma unroll
  for (int i = 0; i < 8; ++i) {
    const int64_t at_row = row_start + row + i / 4 * 64 + i % 4;
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int64_t at_column = column_start + column + 64 * half;
      if (at_row >= p.call.rows || at_column >= p.call.columns) continue;
      float value[4] = {sum[i][4 * half], sum[i][4 * half + 1], sum[i][4 * half + 2], sum[i][4 * half + 3]};
      finish_four<float>(p, at_row, at_column, item * p.call.d_stride + at_row * p.call.columns + at_column, value);
    }
  }
}

}  // namespace

void start_float(const Parameters& p, dim3 grid) { launch(gemm_float, grid, kThreads, 2 * kDepth * kFloatLine * 4, p); }

}  // namespace longconv::cuda::gemm
