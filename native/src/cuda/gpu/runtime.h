// Device memory, copies and time, as the rest of the library sees them. runtime.cpp is CUDA's; the emulated GPU has its own.
// Everything is ordered by one stream: a buffer that is released may still be read by work that was started before.
#pragma once

#include <cstdint>

#include "longconv/cuda.h"

namespace longconv::gpu {

/// Chooses the device and makes it ready. Throws LC_NOT_SUPPORTED with a sentence for people where CUDA cannot be used.
const lc_cuda_device& open_device();

void* allocate(int64_t bytes);
void release(void* pointer) noexcept;
void upload(void* device, const void* host, int64_t bytes);
/// Waits for everything before it.
void download(void* host, const void* device, int64_t bytes);
void copy(void* to, const void* from, int64_t bytes);
void fill_zero(void* device, int64_t bytes);
void synchronize();
/// Most bytes in use at a time since the last call with reset, and bytes in use now.
lc_cuda_memory memory_use(bool reset);

/// Seconds of device time between two marks. A mark is taken in the order of the stream.
void* make_mark();
double seconds_between(void* first, void* second);
void free_mark(void* mark) noexcept;

}  // namespace longconv::gpu
