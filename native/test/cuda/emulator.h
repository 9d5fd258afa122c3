// Runs the CUDA kernels on the CPU, so that their index arithmetic is tested where there is no GPU: every thread of a block is a fiber,
// barriers and tensor-core products are the points where fibers change. Included by mma.cuh when LONGCONV_EMULATE is defined.
#pragma once

#include <ucontext.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <vector>

#ifndef __noinline__
#define __noinline__ __attribute__((noinline))
#endif

namespace longconv::cuda {

using std::isinf;
using std::max;
using std::min;

class Emulator {
 public:
  static Emulator& current() {
    static Emulator emulator;
    return emulator;
  }

  /// One block: runs `body` for every thread.
  void run(int threads, int block, int blocks, const std::function<void()>& body) {
    body_ = &body;
    block_ = block;
    blocks_ = blocks;
    fibers_.resize(threads);
    arrived_block_.assign(threads, 0);
    arrived_warp_.assign(threads, 0);
    for (int i = 0; i < threads; ++i) {
      Fiber& f = fibers_[i];
      if (!f.stack) f.stack.reset(new char[kStack]);
      f.done = false;
      getcontext(&f.context);
      f.context.uc_stack.ss_sp = f.stack.get();
      f.context.uc_stack.ss_size = kStack;
      f.context.uc_link = &main_;
      makecontext(&f.context, &Emulator::enter, 0);
    }
    bool any = true;
    while (any) {
      any = false;
      for (int i = 0; i < threads; ++i) {
        if (fibers_[i].done) continue;
        any = true;
        thread_ = i;
        swapcontext(&main_, &fibers_[i].context);
      }
    }
  }

  int thread() const { return thread_; }
  int block() const { return block_; }
  int blocks() const { return blocks_; }
  int threads() const { return static_cast<int>(fibers_.size()); }

  /// Returns once `count` threads from `first` on have called as often as this one, for the same kind of barrier.
  void wait_for(std::vector<int>& arrived, int first, int count) {
    const int round = ++arrived[thread_];
    for (;;) {
      bool all = true;
      for (int i = first; i < first + count && all; ++i) all = arrived[i] >= round || fibers_[i].done;
      if (all) return;
      swapcontext(&fibers_[thread_].context, &main_);
    }
  }

  void wait_for_block() { wait_for(arrived_block_, 0, threads()); }
  void wait_for_warp() { wait_for(arrived_warp_, thread_ & ~31, 32); }

  std::vector<uint32_t> exchange = std::vector<uint32_t>(1024 * 8);

 private:
  static constexpr size_t kStack = 256 * 1024;
  struct Fiber {
    ucontext_t context;
    std::unique_ptr<char[]> stack;
    bool done = true;
  };
  static void enter() {
    Emulator& e = current();
    (*e.body_)();
    e.fibers_[e.thread_].done = true;
  }
  const std::function<void()>* body_ = nullptr;
  std::vector<Fiber> fibers_;
  std::vector<int> arrived_block_, arrived_warp_;
  ucontext_t main_;
  int thread_ = 0, block_ = 0, blocks_ = 1;
};

inline int thread_index() { return Emulator::current().thread(); }
inline int block_index() { return Emulator::current().block(); }
inline int block_count() { return Emulator::current().blocks(); }
inline void block_sync() { Emulator::current().wait_for_block(); }

inline bool block_any(bool value) {
  Emulator& e = Emulator::current();
  block_sync();
  e.exchange[8 * e.thread()] = value;
  block_sync();
  bool any = false;
  for (int i = 0; i < e.threads(); ++i) any = any || e.exchange[8 * i];
  block_sync();
  return any;
}

inline void warp_sync() { Emulator::current().wait_for_warp(); }

inline void mma(float (&d)[4], const uint4& a, uint32_t b0, uint32_t b1, const float (&c)[4]) {
  Emulator& e = Emulator::current();
  const int warp = e.thread() & ~31, lane = e.thread() & 31, g = lane >> 2, t = lane & 3;
  warp_sync();
  uint32_t* own = &e.exchange[8 * e.thread()];
  own[0] = a.x, own[1] = a.y, own[2] = a.z, own[3] = a.w, own[4] = b0, own[5] = b1;
  warp_sync();
  auto half = [&](int thread, int reg, int part) {
    __half2 pair;
    std::memcpy(&pair, &e.exchange[8 * (warp + thread) + reg], 4);
    const float2 v = __half22float2(pair);
    return part ? v.y : v.x;
  };
  for (int i = 0; i < 4; ++i) {
    const int row = g + 8 * (i >> 1), col = 2 * t + (i & 1);
    double sum = c[i];
    for (int k = 0; k < 16; ++k) {
      const int k_thread = (k & 7) >> 1;
      const double x = half(4 * (row & 7) + k_thread, (row >> 3) + 2 * (k >> 3), k & 1);
      sum += x * half(4 * col + k_thread, 4 + (k >> 3), k & 1);
    }
    d[i] = static_cast<float>(sum);
  }
  warp_sync();
}

inline uint32_t permute_bytes(uint32_t a, uint32_t b, uint32_t selector) {
  const uint64_t both = static_cast<uint64_t>(b) << 32 | a;
  uint32_t out = 0;
  for (int i = 0; i < 4; ++i) out |= static_cast<uint32_t>(both >> (8 * (selector >> (4 * i) & 7)) & 0xff) << (8 * i);
  return out;
}

inline void raise_maximum(uint32_t* shared, uint32_t value) {
  warp_sync();
  *shared = std::max(*shared, value);
  warp_sync();
}

inline void global_maximum(uint32_t* address, uint32_t value) { *address = std::max(*address, value); }
inline uint32_t global_count(uint32_t* address) { return (*address)++; }
inline uint32_t global_take(uint32_t* address) {
  const uint32_t value = *address;
  *address = 0;
  return value;
}
inline void prefetch_to_l2(const void*) {}
template <int kBytes>
void async_copy(void* shared, const void* global, bool valid) {
  if (valid) std::memcpy(shared, global, kBytes);
  else std::memset(shared, 0, kBytes);
}
inline void async_wait() {}
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
