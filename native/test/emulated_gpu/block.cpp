#include "block.h"

#include <setjmp.h>
#include <ucontext.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

namespace longconv::emulated {
namespace {

constexpr std::size_t kStackBytes = 128 * 1024;

enum class State { kReady, kAtWarp, kAtBlock, kAtCluster, kEnded };

struct Fiber {
  std::unique_ptr<unsigned char[]> stack{new unsigned char[kStackBytes]};
  ucontext_t start{};
  jmp_buf point{};
  State state = State::kEnded;
  bool started = false;
  int turn = 0;  // which of the warp's two exchange buffers comes next
};

/// The blocks that run: a cluster, of one block where clusters are not used.
struct Cluster {
  std::vector<Fiber> fibers;         // [blocks][threads]
  std::vector<unsigned char> slots;  // [blocks][warps][2][kLanes * kExchangeBytes]
  std::vector<unsigned char> shared;
  std::size_t shared_stride = 0;
  Index block{}, grid{};  // the cluster's first block
  int blocks = 1, threads = 0, current = 0;
  void (*body)(void*) = nullptr;
  void* data = nullptr;
  jmp_buf scheduler{};
};

thread_local Cluster here;

void fiber_main() {
  here.body(here.data);
  here.fibers[static_cast<std::size_t>(here.current)].state = State::kEnded;
  _longjmp(here.scheduler, 1);
}

/// Gives the processor back until the scheduler comes round again.
void wait_at(State state) {
  Fiber& self = here.fibers[static_cast<std::size_t>(here.current)];
  self.state = state;
  if (_setjmp(self.point) == 0) _longjmp(here.scheduler, 1);
}

void resume(int index) {
  Fiber& fiber = here.fibers[static_cast<std::size_t>(index)];
  here.current = index;
  fiber.state = State::kReady;
  if (_setjmp(here.scheduler) != 0) return;
  if (fiber.started) _longjmp(fiber.point, 1);
  fiber.started = true;
  setcontext(&fiber.start);
}

/// Runs the threads [first, last) until each waits at a barrier of the block or the cluster, or has ended. Returns whether any is at the block's.
bool run_warp(int first, int last) {
  for (;;) {
    bool waiting = false;
    for (int i = first; i < last; ++i) {
      Fiber& fiber = here.fibers[static_cast<std::size_t>(i)];
      if (fiber.state != State::kReady) continue;
      resume(i);
    }
    // Everyone that lives is at a barrier now: those at the warp's go on together.
    for (int i = first; i < last; ++i) {
      Fiber& fiber = here.fibers[static_cast<std::size_t>(i)];
      if (fiber.state == State::kAtWarp) {
        fiber.state = State::kReady;
        waiting = true;
      }
    }
    if (!waiting) break;
  }
  bool at_block = false;
  for (int i = first; i < last; ++i) at_block |= here.fibers[static_cast<std::size_t>(i)].state == State::kAtBlock;
  return at_block;
}

/// Threads at `barrier` go on; whether there were any.
bool release(int first, int last, State barrier) {
  bool any = false;
  for (int i = first; i < last; ++i) {
    Fiber& fiber = here.fibers[static_cast<std::size_t>(i)];
    if (fiber.state != barrier) continue;
    fiber.state = State::kReady;
    any = true;
  }
  return any;
}

/// Runs a block until each of its threads waits for the cluster or has ended.
void run_block(int first) {
  const int last = first + here.threads;
  for (bool more = true; more;) {
    more = false;
    for (int warp = first; warp < last; warp += kLanes) more |= run_warp(warp, warp + kLanes < last ? warp + kLanes : last);
    release(first, last, State::kAtBlock);
  }
}

void run_cluster() {
  const int all = here.blocks * here.threads;
  for (int i = 0; i < all; ++i) {
    Fiber& fiber = here.fibers[static_cast<std::size_t>(i)];
    getcontext(&fiber.start);
    fiber.start.uc_stack.ss_sp = fiber.stack.get();
    fiber.start.uc_stack.ss_size = kStackBytes;
    fiber.start.uc_link = nullptr;
    makecontext(&fiber.start, fiber_main, 0);
    fiber.started = false;
    fiber.state = State::kReady;
    fiber.turn = 0;
  }
  do {
    for (int rank = 0; rank < here.blocks; ++rank) run_block(rank * here.threads);
  } while (release(0, all, State::kAtCluster));
}

}  // namespace

Index thread_index() { return {static_cast<unsigned>(here.current % here.threads), 0, 0}; }
Index block_index() { return {here.block.x + static_cast<unsigned>(cluster_rank()), here.block.y, here.block.z}; }
Index block_size() { return {static_cast<unsigned>(here.threads), 1, 1}; }
Index grid_size() { return here.grid; }
int lane() { return here.current % here.threads % kLanes; }
int cluster_rank() { return here.current / here.threads; }
unsigned char* shared_memory(int rank) {
  auto address = reinterpret_cast<std::uintptr_t>(here.shared.data());
  return here.shared.data() + (128 - address % 128) % 128 + static_cast<std::size_t>(rank) * here.shared_stride;
}
unsigned char* shared_memory() { return shared_memory(cluster_rank()); }

void cluster_barrier() { wait_at(State::kAtCluster); }
void block_barrier() { wait_at(State::kAtBlock); }
void warp_barrier() { wait_at(State::kAtWarp); }

void* warp_slots() {
  Fiber& self = here.fibers[static_cast<std::size_t>(here.current)];
  const int turn = self.turn;
  self.turn ^= 1;
  const int warps = (here.threads + kLanes - 1) / kLanes, warp = cluster_rank() * warps + here.current % here.threads / kLanes;
  return here.slots.data() + static_cast<std::size_t>(warp * 2 + turn) * kLanes * kExchangeBytes;
}

void run_grid(Index grid, int threads, int64_t shared_bytes, void (*body)(void*), void* data, int cluster) {
  const auto blocks = static_cast<std::size_t>(cluster);
  if (here.fibers.size() < blocks * static_cast<std::size_t>(threads)) here.fibers.resize(blocks * static_cast<std::size_t>(threads));
  here.slots.resize(blocks * static_cast<std::size_t>((threads + kLanes - 1) / kLanes) * 2 * kLanes * kExchangeBytes);
  here.shared_stride = (static_cast<std::size_t>(shared_bytes) + 127) / 128 * 128;
  here.shared.resize(blocks * here.shared_stride + 128);
  here.grid = grid;
  here.blocks = cluster;
  here.threads = threads;
  here.body = body;
  here.data = data;
  for (unsigned z = 0; z < grid.z; ++z) {
    for (unsigned y = 0; y < grid.y; ++y) {
      for (unsigned x = 0; x < grid.x; x += static_cast<unsigned>(cluster)) {
        here.block = {x, y, z};
        std::memset(here.shared.data(), 0x7b, here.shared.size());  // as a half 61,000: nothing that was not written goes unseen
        run_cluster();
      }
    }
  }
}

}  // namespace longconv::emulated
