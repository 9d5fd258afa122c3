// Runs the threads of a block, or of a cluster of blocks, as fibers of one processor thread. A fiber runs until it waits at a barrier, then the
// next one goes on.
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
/// Of the block, or of block `rank` of its cluster.
unsigned char* shared_memory();
unsigned char* shared_memory(int rank);
int cluster_rank();

/// Waits for all threads of the cluster, the block or the warp that have not ended.
void cluster_barrier();
void block_barrier();
void warp_barrier();
/// Room for one exchange of the warp: kLanes * kExchangeBytes. Two take turns, so one barrier between write and read is enough.
void* warp_slots();

/// Runs body(data) once for every thread of every block, clusters of `cluster` blocks along x one after the other. Shared memory starts as
/// garbage, never as zeros.
void run_grid(Index grid, int threads, int64_t shared_bytes, void (*body)(void*), void* data, int cluster = 1);

}  // namespace longconv::emulated
