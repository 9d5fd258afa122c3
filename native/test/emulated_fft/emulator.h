// What mma.cuh has of the GPU, on a processor: every thread of a block is a fiber (../emulated_gpu/block.h), barriers and tensor-core products
// are the points where fibers change. So index arithmetic, layouts and rounding are tested where there is no GPU. Included by mma.cuh when
// LONGCONV_EMULATE is defined.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "../emulated_gpu/block.h"

#ifndef __noinline__
#define __noinline__ __attribute__((noinline))
#endif

namespace longconv::cuda {

using std::isinf;
using std::max;
using std::min;

inline int thread_index() { return static_cast<int>(emulated::thread_index().x); }
inline int block_index() { return static_cast<int>(emulated::block_index().x); }
inline int block_count() { return static_cast<int>(emulated::grid_size().x); }
inline void block_sync() { emulated::block_barrier(); }
inline void warp_sync() { emulated::warp_barrier(); }

inline int cluster_rank() { return emulated::cluster_rank(); }
inline void cluster_sync() { emulated::cluster_barrier(); }
struct PeerMemory {
  uint32_t* base = nullptr;
  PeerMemory() = default;
  PeerMemory(const uint32_t* shared, int rank)
      : base(reinterpret_cast<uint32_t*>(emulated::shared_memory(rank) + (reinterpret_cast<const unsigned char*>(shared) - emulated::shared_memory()))) {}
  void store(int word, uint4 words) const { *reinterpret_cast<uint4*>(base + word) = words; }
  uint4 load(int word) const { return *reinterpret_cast<const uint4*>(base + word); }
  uint32_t word() const { return *base; }
};

inline bool warp_any(bool value) {
  auto* all = static_cast<uint32_t*>(emulated::warp_slots());
  all[emulated::lane()] = value;
  warp_sync();
  bool any = false;
  for (int i = 0; i < 32; ++i) any = any || all[i];
  return any;
}

inline void mma(float (&d)[4], const uint4& a, uint32_t b0, uint32_t b1, const float (&c)[4]) {
  struct Operands {
    float2 a[4], b[2];
  };
  static_assert(sizeof(Operands) <= emulated::kExchangeBytes);
  auto* all = static_cast<Operands*>(emulated::warp_slots());
  const auto pair = [](uint32_t word) {
    __half2 halves;
    std::memcpy(&halves, &word, 4);
    return __half22float2(halves);
  };
  const int lane = emulated::lane(), g = lane >> 2, t = lane & 3;
  all[lane] = {{pair(a.x), pair(a.y), pair(a.z), pair(a.w)}, {pair(b0), pair(b1)}};
  warp_sync();
  for (int i = 0; i < 4; ++i) {
    const int row = g + 8 * (i >> 1), col = 2 * t + (i & 1);
    double sum = c[i];
    for (int k = 0; k < 8; ++k) {
      const float2 x = all[4 * (row & 7) + (k & 3)].a[(row >> 3) + 2 * (k >> 2)], y = all[4 * col + (k & 3)].b[k >> 2];
      sum += static_cast<double>(x.x) * y.x + static_cast<double>(x.y) * y.y;
    }
    d[i] = static_cast<float>(sum);
  }
}

inline __half2 multiply_add(__half2 a, __half2 b, __half2 c) {
  const float2 x = __half22float2(a), y = __half22float2(b), z = __half22float2(c);
  return __floats2half2_rn(std::fma(x.x, y.x, z.x), std::fma(x.y, y.y, z.y));
}

inline uint32_t permute_bytes(uint32_t a, uint32_t b, uint32_t selector) {
  const uint64_t both = static_cast<uint64_t>(b) << 32 | a;
  uint32_t out = 0;
  for (int i = 0; i < 4; ++i) out |= static_cast<uint32_t>(both >> (8 * (selector >> (4 * i) & 7)) & 0xff) << (8 * i);
  return out;
}

inline void raise_maximum(uint32_t* shared, uint32_t value) { *shared = std::max(*shared, value); }

inline void global_maximum(uint32_t* address, uint32_t value) { *address = std::max(*address, value); }
inline void prefetch_to_l2(const void*) {}
template <int kBytes>
void async_copy(void* shared, const void* global, bool valid) {
  if (valid) std::memcpy(shared, global, kBytes);
  else std::memset(shared, 0, kBytes);
}
inline void async_wait() {}
inline void async_commit() {}
template <bool kButLast>
void async_wait_groups() {}
template <class T>
T load_constant(const T* pointer) { return *pointer; }
template <class T>
T load_once(const T* pointer) { return *pointer; }
template <class T>
T load_shared_level(const T* pointer) { return *pointer; }
template <class T>
void store_once(T* pointer, T value) { *pointer = value; }
template <class T>
void store_shared_level(T* pointer, T value) { *pointer = value; }

}  // namespace longconv::cuda
