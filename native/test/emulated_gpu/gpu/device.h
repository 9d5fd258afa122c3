// Stands in for src/cuda/gpu/device.h where kernels are compiled for a processor: every CUDA thread of a block is a fiber, matrix units
// and shuffles work on what all 32 lanes hand in, asynchronous copies happen at once. So kernels can be tested without a GPU: index
// arithmetic, fragment layouts, tails and rounding are the GPU's. Not tested this way: races, alignment faults, speed.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "../../../src/status.h"
#include "../block.h"
#include "../numbers.h"

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __restrict__
#define __launch_bounds__(...)

struct alignas(16) uint4 { uint32_t x, y, z, w; };
struct alignas(8) uint2 { uint32_t x, y; };
struct alignas(16) float4 { float x, y, z, w; };
struct alignas(8) float2 { float x, y; };
struct dim3 {
  unsigned x, y, z;
  dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};

#define threadIdx (::longconv::emulated::thread_index())
#define blockIdx (::longconv::emulated::block_index())
#define blockDim (::longconv::emulated::block_size())
#define gridDim (::longconv::emulated::grid_size())

inline void __syncthreads() { longconv::emulated::block_barrier(); }
inline void __syncwarp() { longconv::emulated::warp_barrier(); }
inline double atomicAdd(double* address, double value) {
  const double old = *address;
  *address = old + value;
  return old;
}

namespace longconv::gpu {

using emulated::bf16_t;
using emulated::half_t;

inline float to_float(float value) { return value; }
inline float to_float(half_t value) { return value.value(); }
inline float to_float(bf16_t value) { return value.value(); }
template <class T>
T from_float(float value) {
  return T(value);
}

template <class T>
uint32_t pack(float low, float high) {
  return static_cast<uint32_t>(T(low).bits) | static_cast<uint32_t>(T(high).bits) << 16;
}

namespace detail {

/// Every lane hands in `mine` and sees what all 32 handed in.
template <class Value>
const Value* exchange(const Value& mine) {
  static_assert(sizeof(Value) <= emulated::kExchangeBytes);
  auto* all = static_cast<Value*>(emulated::warp_slots());
  all[emulated::lane()] = mine;
  emulated::warp_barrier();
  return all;
}

template <class T>
float element(uint32_t word, int index) {
  return T::from_bits(static_cast<uint16_t>(index ? word >> 16 : word)).value();
}

struct Operands { uint32_t a[4], b[2]; };

inline void load_matrices(uint32_t (&r)[4], const void* row, bool transposed) {
  const void* const* rows = exchange(row);
  const int lane = emulated::lane();
  for (int matrix = 0; matrix < 4; ++matrix) {
    uint16_t pair[2];
    for (int i = 0; i < 2; ++i) {
      const int along = lane / 4, across = 2 * (lane % 4) + i;
      const auto* source = static_cast<const uint16_t*>(rows[8 * matrix + (transposed ? across : along)]);
      pair[i] = source[transposed ? along : across];
    }
    r[matrix] = static_cast<uint32_t>(pair[0]) | static_cast<uint32_t>(pair[1]) << 16;
  }
}

}  // namespace detail

template <class T>
void mma_16x8x16(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
  const detail::Operands* all = detail::exchange(detail::Operands{{a[0], a[1], a[2], a[3]}, {b0, b1}});
  const int lane = emulated::lane();
  for (int i = 0; i < 4; ++i) {
    const int row = lane / 4 + (i & 2 ? 8 : 0), column = 2 * (lane % 4) + (i & 1);
    float sum = d[i];
    for (int k = 0; k < 16; ++k) {
      const detail::Operands& left = all[4 * (row % 8) + k % 8 / 2];
      const detail::Operands& right = all[4 * column + k % 8 / 2];
      sum += detail::element<T>(left.a[(row >= 8) + 2 * (k >= 8)], k % 2) * detail::element<T>(right.b[k >= 8], k % 2);
    }
    d[i] = sum;
  }
}

inline void load_matrices(uint32_t (&r)[4], const void* row) { detail::load_matrices(r, row, false); }
inline void load_matrices_transposed(uint32_t (&r)[4], const void* row) { detail::load_matrices(r, row, true); }

inline void copy_async_16(void* shared, const void* global, bool valid) {
  if (valid) std::memcpy(shared, global, 16);
  else std::memset(shared, 0, 16);
}
inline void copy_async_commit() {}
template <int N>
void copy_async_wait() {}

inline float fast_exp(float x) { return std::exp(x); }
inline float fast_divide(float a, float b) { return a / b; }

inline void sin_cos_pi(float x, float& sine, float& cosine) {
  sine = static_cast<float>(std::sin(M_PI * static_cast<double>(x)));
  cosine = static_cast<float>(std::cos(M_PI * static_cast<double>(x)));
}

template <class Value>
Value shuffle_xor(Value value, int mask) {
  return detail::exchange(value)[emulated::lane() ^ mask];
}

inline unsigned char* shared_memory() { return emulated::shared_memory(); }

template <class Parameters>
void launch(void (*kernel)(Parameters), dim3 grid, int threads, int64_t shared_bytes, const Parameters& parameters) {
  struct Call { void (*kernel)(Parameters); const Parameters* parameters; } call{kernel, &parameters};
  emulated::run_grid({grid.x, grid.y, grid.z}, threads, shared_bytes, [](void* data) {
    const auto* it = static_cast<Call*>(data);
    it->kernel(*it->parameters);
  }, &call);
}

}  // namespace longconv::gpu
