// Runs the threads of a block as fibers of one processor thread. A fiber runs until it waits at a barrier, then the next one goes on.
#pragma once

#include <cstdint>

namespace longconv::emulated {

struct Index { unsigned x, y, z; };

constexpr int kLanes = 32;
/// Most bytes that one lane hands to the others in one exchange.
constexpr int kExchangeBytes = 48;

Index thread_index();
Index block_index();
Index block_size();
Index grid_size();
int lane();
unsigned char* shared_memory();

/// Waits for all threads of the block, or of the warp, that have not ended.
void block_barrier();
void warp_barrier();
/// Room for one exchange of the warp: kLanes * kExchangeBytes. Two take turns, so one barrier between write and read is enough.
void* warp_slots();

/// Runs body(data) once for every thread of every block, blocks one after the other. Shared memory starts as garbage, never as zeros.
void run_grid(Index grid, int threads, int64_t shared_bytes, void (*body)(void*), void* data);

}  // namespace longconv::emulated
