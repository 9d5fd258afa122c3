// Tensor-core product and the register formats around it.
//
// Complex numbers travel as one 32-bit register: half2 (re, im). The k dimension of a product interleaves re and im, so that one
// m16n8k16 product contracts 8 complex values. Lane l = 4 * g + t. Fragments (PTX ISA, mma.m16n8k16):
//   A: a0 (row g, k 2t..2t+1)  a1 (row g+8, same k)  a2 (row g, k 2t+8..2t+9)  a3 (row g+8, k 2t+8..2t+9)
//   B: b0 (k 2t..2t+1, col g)  b1 (k 2t+8..2t+9, col g)
//   D: d0, d1 (row g, cols 2t, 2t+1)  d2, d3 (row g+8, cols 2t, 2t+1)
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstdint>

#ifdef LONGCONV_EMULATE
#include "emulator.h"
#endif

namespace longconv::cuda {

#ifndef LONGCONV_EMULATE
__device__ __forceinline__ int thread_index() { return threadIdx.x; }
__device__ __forceinline__ int block_index() { return blockIdx.x; }
__device__ __forceinline__ int block_count() { return gridDim.x; }
__device__ __forceinline__ void block_sync() { __syncthreads(); }
__device__ __forceinline__ void warp_sync() { __syncwarp(); }

// Clusters: blocks on neighbouring multiprocessors that reach each other's shared memory. From compute capability 9.0 on; kernels that use them
// are not started on other GPUs.
__device__ __forceinline__ int cluster_rank() {
  uint32_t rank = 0;
#if __CUDA_ARCH__ >= 900
  asm volatile("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
#endif
  return static_cast<int>(rank);
}
/// Barrier of all threads of the cluster, also for what they wrote to each other's shared memory.
__device__ __forceinline__ void cluster_sync() {
#if __CUDA_ARCH__ >= 900
  asm volatile("barrier.cluster.arrive.aligned;\nbarrier.cluster.wait.aligned;" ::: "memory");
#endif
}
/// Shared memory of one block of the cluster, seen from another.
struct PeerMemory {
  uint32_t base = 0;
  PeerMemory() = default;
  /// What `shared` is in block `rank`.
  __device__ __forceinline__ PeerMemory(const uint32_t* shared, int rank) {
#if __CUDA_ARCH__ >= 900
    asm("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(base) : "r"(static_cast<uint32_t>(__cvta_generic_to_shared(shared))), "r"(rank));
#endif
  }
  __device__ __forceinline__ void store(int word, uint4 words) const {
#if __CUDA_ARCH__ >= 900
    asm volatile("st.shared::cluster.v4.u32 [%0], {%1, %2, %3, %4};" ::"r"(base + 4 * word), "r"(words.x), "r"(words.y), "r"(words.z), "r"(words.w) : "memory");
#endif
  }
  __device__ __forceinline__ uint4 load(int word) const {
    uint4 out = make_uint4(0, 0, 0, 0);
#if __CUDA_ARCH__ >= 900
    asm volatile("ld.shared::cluster.v4.u32 {%0, %1, %2, %3}, [%4];" : "=r"(out.x), "=r"(out.y), "=r"(out.z), "=r"(out.w) : "r"(base + 4 * word));
#endif
    return out;
  }
  __device__ __forceinline__ uint32_t word() const {
    uint32_t out = 0;
#if __CUDA_ARCH__ >= 900
    asm volatile("ld.shared::cluster.u32 %0, [%1];" : "=r"(out) : "r"(base));
#endif
    return out;
  }
};

/// True if `value` is true for any thread of the warp.
__device__ __forceinline__ bool warp_any(bool value) { return __any_sync(0xffffffffu, value); }

/// d = a * b + c
__device__ __forceinline__ void mma(float (&d)[4], const uint4& a, uint32_t b0, uint32_t b1, const float (&c)[4]) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%10,%11,%12,%13};"
      : "=f"(d[0]), "=f"(d[1]), "=f"(d[2]), "=f"(d[3])
      : "r"(a.x), "r"(a.y), "r"(a.z), "r"(a.w), "r"(b0), "r"(b1), "f"(c[0]), "f"(c[1]), "f"(c[2]), "f"(c[3]));
}

/// a * b + c, rounded once.
__device__ __forceinline__ __half2 multiply_add(__half2 a, __half2 b, __half2 c) { return __hfma2(a, b, c); }

/// The bytes of a (0..3) and b (4..7) that the four nibbles of `selector` name.
__device__ __forceinline__ uint32_t permute_bytes(uint32_t a, uint32_t b, uint32_t selector) { return __byte_perm(a, b, selector); }

__device__ __forceinline__ void raise_maximum(uint32_t* shared, uint32_t value) {
  const uint32_t warp = __reduce_max_sync(0xffffffffu, value);
  if ((threadIdx.x & 31) == 0) atomicMax(shared, warp);
}

__device__ __forceinline__ void global_maximum(uint32_t* address, uint32_t value) { atomicMax(address, value); }

// Tables and spectra, which no kernel that reads them writes; signals, read once; intermediates, which another block wrote before.
template <class T>
__device__ __forceinline__ T load_constant(const T* pointer) { return __ldg(pointer); }
template <class T>
__device__ __forceinline__ T load_once(const T* pointer) { return __ldcs(pointer); }
template <class T>
__device__ __forceinline__ T load_shared_level(const T* pointer) { return __ldcg(pointer); }
template <class T>
__device__ __forceinline__ void store_once(T* pointer, T value) { __stcs(pointer, value); }
template <class T>
__device__ __forceinline__ void store_shared_level(T* pointer, T value) { __stcg(pointer, value); }

/// Starts a copy to shared memory, of zeros if not `valid`; the thread sees it after async_wait().
template <int kBytes>
__device__ __forceinline__ void async_copy(void* shared, const void* global, bool valid) {
  const uint32_t to = static_cast<uint32_t>(__cvta_generic_to_shared(shared));
  const int bytes = valid ? kBytes : 0;
  if constexpr (kBytes == 16)
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(global), "r"(bytes) : "memory");
  else
    asm volatile("cp.async.ca.shared.global [%0], [%1], 8, %2;" ::"r"(to), "l"(global), "r"(bytes) : "memory");
}
__device__ __forceinline__ void async_wait() { asm volatile("cp.async.wait_all;" ::: "memory"); }
/// Ends a group of copies of the thread.
__device__ __forceinline__ void async_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }
/// Waits for all groups but the last one, or for that, too.
template <bool kButLast>
__device__ __forceinline__ void async_wait_groups() { asm volatile("cp.async.wait_group %0;" ::"n"(kButLast ? 1 : 0) : "memory"); }

/// Brings the line of `pointer` into L2.
__device__ __forceinline__ void prefetch_to_l2(const void* pointer) { asm volatile("prefetch.global.L2 [%0];" ::"l"(pointer)); }
#endif

__device__ __forceinline__ uint32_t bits(__half2 value) {
  uint32_t out;
  memcpy(&out, &value, 4);
  return out;
}
__device__ __forceinline__ __half2 as_half2(uint32_t value) {
  __half2 out;
  memcpy(&out, &value, 4);
  return out;
}
__device__ __forceinline__ uint32_t pack(float low, float high) { return bits(__floats2half2_rn(low, high)); }
__device__ __forceinline__ float2 unpack(uint32_t value) { return __half22float2(as_half2(value)); }
/// The 16-bit halves number `odd` of a and b, as (a, b).
__device__ __forceinline__ uint32_t zip(uint32_t a, uint32_t b, int odd) { return permute_bytes(a, b, odd ? 0x7632u : 0x5410u); }

__device__ __forceinline__ float2 multiply(float2 a, float2 b) { return make_float2(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x); }

}  // namespace longconv::cuda
