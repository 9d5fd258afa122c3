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

enum class State { kReady, kAtWarp, kAtBlock, kEnded };

struct Fiber {
  std::unique_ptr<unsigned char[]> stack{new unsigned char[kStackBytes]};
  ucontext_t start{};
  jmp_buf point{};
  State state = State::kEnded;
  bool started = false;
  int turn = 0;  // which of the warp's two exchange buffers comes next
};

struct Block {
  std::vector<Fiber> fibers;
  std::vector<unsigned char> slots;  // [warps][2][kLanes * kExchangeBytes]
  std::vector<unsigned char> shared;
  Index block{}, grid{};
  int threads = 0, current = 0;
  void (*body)(void*) = nullptr;
  void* data = nullptr;
  jmp_buf scheduler{};
};

thread_local Block here;

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

/// Runs the threads [first, last) until each waits at the block's barrier or has ended. Returns whether any still lives.
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
  bool alive = false;
  for (int i = first; i < last; ++i) alive |= here.fibers[static_cast<std::size_t>(i)].state == State::kAtBlock;
  return alive;
}

void run_block() {
  for (int i = 0; i < here.threads; ++i) {
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
  for (bool alive = true; alive;) {
    alive = false;
    for (int first = 0; first < here.threads; first += kLanes) alive |= run_warp(first, first + kLanes < here.threads ? first + kLanes : here.threads);
    for (int i = 0; i < here.threads; ++i) {
      Fiber& fiber = here.fibers[static_cast<std::size_t>(i)];
      if (fiber.state == State::kAtBlock) fiber.state = State::kReady;
    }
  }
}

}  // namespace

Index thread_index() { return {static_cast<unsigned>(here.current), 0, 0}; }
Index block_index() { return here.block; }
Index block_size() { return {static_cast<unsigned>(here.threads), 1, 1}; }
Index grid_size() { return here.grid; }
int lane() { return here.current % kLanes; }
unsigned char* shared_memory() {
  auto address = reinterpret_cast<std::uintptr_t>(here.shared.data());
  return here.shared.data() + (128 - address % 128) % 128;
}

void block_barrier() { wait_at(State::kAtBlock); }
void warp_barrier() { wait_at(State::kAtWarp); }

void* warp_slots() {
  Fiber& self = here.fibers[static_cast<std::size_t>(here.current)];
  const int turn = self.turn;
  self.turn ^= 1;
  return here.slots.data() + static_cast<std::size_t>(here.current / kLanes * 2 + turn) * kLanes * kExchangeBytes;
}

void run_grid(Index grid, int threads, int64_t shared_bytes, void (*body)(void*), void* data) {
  if (here.fibers.size() < static_cast<std::size_t>(threads)) here.fibers.resize(static_cast<std::size_t>(threads));
  here.slots.resize(static_cast<std::size_t>((threads + kLanes - 1) / kLanes) * 2 * kLanes * kExchangeBytes);
  here.shared.resize(static_cast<std::size_t>(shared_bytes) + 128);
  here.grid = grid;
  here.threads = threads;
  here.body = body;
  here.data = data;
  for (unsigned z = 0; z < grid.z; ++z) {
    for (unsigned y = 0; y < grid.y; ++y) {
      for (unsigned x = 0; x < grid.x; ++x) {
        here.block = {x, y, z};
        std::memset(here.shared.data(), 0x7b, here.shared.size());  // as a half 61,000: nothing that was not written goes unseen
        run_block();
      }
    }
  }
}

}  // namespace longconv::emulated
