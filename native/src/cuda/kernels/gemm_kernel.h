// Matrix product d = residual + activation(a b + bias), one 128 x 128 tile of d for each block of 8 warps (2 x 4, each 64 x 32).
//
// Operands come through shared memory in four stages of 32 along the inner dimension, by asynchronous copies of 16 bytes, and from there by
// ldmatrix. An operand whose inner dimension is contiguous is kept as [128][32], one whose outer dimension is contiguous as [32][128], read
// with transposition; so no layout needs a transposed copy. 16-byte chunks are permuted (swizzled) so that both writes and reads are free of
// bank conflicts. Sums leave through shared memory, whole rows of the tile at a time.
// Cost: 2 rows columns inner flop; each operand is read once per tile of the other (from L2 but for the first time).
#pragma once

#include <type_traits>

#include <gpu/device.h>

#include "activation.h"
#include "longconv/cuda.h"

namespace longconv::cuda::gemm {

using namespace gpu;

constexpr int kTile = 128;
constexpr int kInner = 32;
constexpr int kStages = 4;
constexpr int kThreads = 256;
constexpr int kOperandElements = kTile * kInner;
constexpr int kChunk = 8;  // elements of 16 bytes
/// Elements from one row of the finished tile to the next: writes of fragments fall on all banks.
constexpr int kResultLine = kTile + 8;
constexpr int kSharedBytes = kTile * kResultLine * 4;
static_assert(kSharedBytes >= kStages * 2 * kOperandElements * 2);

struct Parameters {
  lc_cuda_gemm call;
  int64_t column_tiles;
  int64_t a_line, b_line;  // elements from one line of the operand in memory to the next, multiples of 8
  int aligned_d;           // rows of d start at multiples of 16 bytes
};

/// Place of element (outer, inner) of an operand tile in shared memory; 16-byte chunks stay whole.
template <bool kInnerContiguous>
__device__ __forceinline__ int place(int outer, int inner) {
  if constexpr (kInnerContiguous) return outer * kInner + ((inner / kChunk) ^ (outer / 2 % 4)) * kChunk + inner % kChunk;
  else return inner * kTile + ((outer / kChunk) ^ (inner % 8)) * kChunk + outer % kChunk;
}

/// Brings one operand's tiles to shared memory, two chunks of each by each thread. Elements beyond the matrix become 0.
template <class T, bool kInnerContiguous>
class TileLoader {
 public:
  /// `line`: elements from one line of the matrix in memory to the next, a multiple of 8 like its address.
  __device__ __forceinline__ TileLoader(const T* matrix, int64_t line, int64_t outer_start, int64_t outer_size, int64_t inner_size)
      : fallback_(matrix), inner_size_(static_cast<int>(inner_size)) {
    constexpr int kChunksPerLine = (kInnerContiguous ? kInner : kTile) / kChunk;
    const int at = static_cast<int>(threadIdx.x) / kChunksPerLine, along = static_cast<int>(threadIdx.x) % kChunksPerLine * kChunk;
    outer_ = kInnerContiguous ? at : along;
    inner_ = kInnerContiguous ? along : at;
    outside_ = kInnerContiguous ? static_cast<int>(outer_size - outer_start < kTile ? outer_size - outer_start : kTile) : outer_start + outer_ < outer_size;
    from_ = matrix + (kInnerContiguous ? (outer_start + outer_) * line + inner_ : inner_ * line + outer_start + outer_);
    second_ = kHalf * line;
    step_ = kInnerContiguous ? kInner : kInner * line;
  }

  /// Starts the copies of the next tile along the inner dimension.
  __device__ __forceinline__ void next(T* shared) {
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      bool inside;
      if constexpr (kInnerContiguous) inside = outer_ + i * kHalf < outside_ && inner_ < inner_size_;
      else inside = outside_ && inner_ + i * kHalf < inner_size_;
      const int outer = outer_ + (kInnerContiguous ? i * kHalf : 0), inner = inner_ % kInner + (kInnerContiguous ? 0 : i * kHalf);
      copy_async_16(shared + place<kInnerContiguous>(outer, inner), inside ? from_ + i * second_ : fallback_, inside);
    }
    from_ += step_;
    inner_ += kInner;
  }

 private:
  /// Lines between a thread's two chunks of a tile.
  static constexpr int kHalf = kOperandElements / kChunk / 2 / ((kInnerContiguous ? kInner : kTile) / kChunk);
  static_assert(kOperandElements / kChunk == 2 * kThreads);
  const T* from_;
  const T* fallback_;
  int64_t second_, step_;
  int outer_, inner_, outside_, inner_size_;  // outside_: first outer index beyond the matrix, or whether ours is in it
};

/// Fragments of the 16 x 16 piece of an operand tile at (outer, inner): quadrants (outer, inner) lo-lo, hi-lo, lo-hi, hi-hi.
template <class T, bool kInnerContiguous>
__device__ __forceinline__ void load_piece(uint32_t (&r)[4], const T* shared, int outer, int inner, int lane) {
  const int quadrant = lane / 8, line = lane % 8;
  const int o = outer + quadrant % 2 * 8, k = inner + quadrant / 2 * 8;
  if constexpr (kInnerContiguous) load_matrices(r, shared + place<true>(o + line, k));
  else load_matrices_transposed(r, shared + place<false>(o, k + line));
}

/// bias, activation and residual of up to 4 neighbours in a row of d, and their store. `index`: of the first of them in d.
template <class T>
__device__ __forceinline__ void finish_four(const Parameters& p, int64_t row, int64_t column, int64_t index, float (&value)[4]) {
  const int count = p.call.columns - column < 4 ? static_cast<int>(p.call.columns - column) : 4;
  const bool whole = p.aligned_d && count == 4;
  if (p.call.bias) {
#pragma unroll
    for (int e = 0; e < 4; ++e) value[e] += e < count ? p.call.bias[p.call.bias_along_rows ? row : column + e] : 0.0f;
  }
  if (p.call.activation != LC_NONE) {
    activate_four(value, p.call.activation);
  }
  if (p.call.residual) {
    if (whole) {
      const float4 four = *reinterpret_cast<const float4*>(p.call.residual + index);
      value[0] += four.x, value[1] += four.y, value[2] += four.z, value[3] += four.w;
    } else {
#pragma unroll
      for (int e = 0; e < 4; ++e) value[e] += e < count ? p.call.residual[index + e] : 0.0f;
    }
  }
  if (std::is_same_v<T, float> || p.call.output_element == LC_F32) {
    float* const to = static_cast<float*>(p.call.d) + index;
    if (whole) {
      *reinterpret_cast<float4*>(to) = float4{value[0], value[1], value[2], value[3]};
      return;
    }
#pragma unroll
    for (int e = 0; e < 4; ++e) if (e < count) to[e] = value[e];
  } else if constexpr (!std::is_same_v<T, float>) {
    T* const to = static_cast<T*>(p.call.d) + index;
    if (whole) {
      *reinterpret_cast<uint2*>(to) = uint2{pack<T>(value[0], value[1]), pack<T>(value[2], value[3])};
      return;
    }
#pragma unroll
    for (int e = 0; e < 4; ++e) if (e < count) to[e] = from_float<T>(value[e]);
  }
}

template <class T, bool kRowsOfA, bool kRowsOfB>  // whether the inner dimension is contiguous in a, and in b
__global__ void __launch_bounds__(kThreads, 2) gemm_kernel(Parameters p) {
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const int64_t row_start = static_cast<int64_t>(blockIdx.x) / p.column_tiles * kTile;
  const int64_t column_start = static_cast<int64_t>(blockIdx.x) % p.column_tiles * kTile;
  const int64_t item = blockIdx.y;
  const int64_t rows = p.call.rows, columns = p.call.columns, inner = p.call.inner;
  const T* const a = static_cast<const T*>(p.call.a) + item * p.call.a_stride;
  const T* const b = static_cast<const T*>(p.call.b) + item * p.call.b_stride;
  T* const shared = reinterpret_cast<T*>(shared_memory());

  const int steps = static_cast<int>((inner + kInner - 1) / kInner);
  TileLoader<T, kRowsOfA> load_a(a, p.a_line, row_start, rows, inner);
  TileLoader<T, kRowsOfB> load_b(b, p.b_line, column_start, columns, inner);
  const auto fetch = [&](int step) {
    if (step < steps) {
      T* const stage = shared + step % kStages * 2 * kOperandElements;
      load_a.next(stage);
      load_b.next(stage + kOperandElements);
    }
    copy_async_commit();
  };
  for (int step = 0; step < kStages - 1; ++step) fetch(step);

  const int row = warp / 4 * 64, column = warp % 4 * 32;
  float sum[4][4][4] = {};
  for (int step = 0; step < steps; ++step) {
    copy_async_wait<kStages - 2>();
    __syncthreads();  // this stage is there, and everybody has left the one that is fetched next
    fetch(step + kStages - 1);
    const T* const stage = shared + step % kStages * 2 * kOperandElements;
#pragma unroll
    for (int k = 0; k < kInner; k += 16) {
      uint32_t left[4][4], right[2][4];
#pragma unroll
      for (int m = 0; m < 4; ++m) load_piece<T, kRowsOfA>(left[m], stage, row + 16 * m, k, lane);
#pragma unroll
      for (int n = 0; n < 2; ++n) load_piece<T, kRowsOfB>(right[n], stage + kOperandElements, column + 16 * n, k, lane);
#pragma unroll
      for (int m = 0; m < 4; ++m) {
#pragma unroll
        for (int n = 0; n < 4; ++n) mma_16x8x16<T>(sum[m][n], left[m], right[n / 2][n % 2], right[n / 2][n % 2 + 2]);
      }
    }
  }

  copy_async_wait<0>();
  __syncthreads();  // the stages are free: the sums go through the same memory, so that rows leave as a whole
  float* const result = reinterpret_cast<float*>(shared);
#pragma unroll
  for (int m = 0; m < 4; ++m) {
#pragma unroll
    for (int n = 0; n < 4; ++n) {
      float* const at = result + (row + 16 * m + lane / 4) * kResultLine + column + 8 * n + 2 * (lane % 4);
      *reinterpret_cast<float2*>(at) = float2{sum[m][n][0], sum[m][n][1]};
      *reinterpret_cast<float2*>(at + 8 * kResultLine) = float2{sum[m][n][2], sum[m][n][3]};
    }
  }
  __syncthreads();
  const int64_t at_column = column_start + 4 * lane;
  if (at_column >= columns) return;
#pragma unroll 1
  for (int line = warp; line < kTile && row_start + line < rows; line += kThreads / 32) {
    const float4 four = *reinterpret_cast<const float4*>(result + line * kResultLine + 4 * lane);
    float value[4] = {four.x, four.y, four.z, four.w};
    finish_four<T>(p, row_start + line, at_column, item * p.call.d_stride + (row_start + line) * columns + at_column, value);
  }
}

template <class T, bool kRowsOfA, bool kRowsOfB>
void start(const Parameters& p, dim3 grid) {
  launch(gemm_kernel<T, kRowsOfA, kRowsOfB>, grid, kThreads, kSharedBytes, p);
}

template <class T>
void start_layout(const Parameters& p, dim3 grid) {
  const bool rows_a = !p.call.transposed_a, rows_b = p.call.transposed_b;
  if (rows_a && rows_b) start<T, true, true>(p, grid);
  else if (rows_a) start<T, true, false>(p, grid);
  else if (rows_b) start<T, false, true>(p, grid);
  else start<T, false, false>(p, grid);
}

void start_half(const Parameters& p, dim3 grid);
void start_bfloat16(const Parameters& p, dim3 grid);
/// Lines of a and b need no alignment.
void start_float(const Parameters& p, dim3 grid);

}  // namespace longconv::cuda::gemm
