// The emulated GPU's memory is the processor's. Released buffers are filled with garbage first, as are new ones.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <unordered_map>

#include "../../src/cuda/gpu/runtime.h"
#include "../../src/status.h"

namespace longconv::gpu {
namespace {

constexpr int kGarbage = 0x7b;
std::mutex mutex;
std::unordered_map<void*, int64_t> sizes;
int64_t used = 0, peak = 0;

}  // namespace

const lc_cuda_device& open_device() {
  static const lc_cuda_device device = {"emulated GPU", 8, 0, 1, 0, int64_t{4} << 30, 96 * 1024};
  return device;
}

void* allocate(int64_t bytes) {
  const auto room = static_cast<std::size_t>((std::max<int64_t>(bytes, 1) + 127) / 128 * 128);
  void* pointer = std::aligned_alloc(128, room);
  if (!pointer) fail(LC_OUT_OF_MEMORY, "The emulated GPU has no memory left.");
  std::memset(pointer, kGarbage, room);
  const std::lock_guard<std::mutex> lock(mutex);
  sizes[pointer] = bytes;
  used += bytes;
  peak = std::max(peak, used);
  return pointer;
}

void release(void* pointer) noexcept {
  const std::lock_guard<std::mutex> lock(mutex);
  const auto known = sizes.find(pointer);
  if (known == sizes.end()) return;
  used -= known->second;
  std::memset(pointer, kGarbage, static_cast<std::size_t>(known->second));
  sizes.erase(known);
  std::free(pointer);
}

void upload(void* device, const void* host, int64_t bytes) { std::memcpy(device, host, static_cast<std::size_t>(bytes)); }
void download(void* host, const void* device, int64_t bytes) { std::memcpy(host, device, static_cast<std::size_t>(bytes)); }
void copy(void* to, const void* from, int64_t bytes) { std::memmove(to, from, static_cast<std::size_t>(bytes)); }
void fill_zero(void* device, int64_t bytes) { std::memset(device, 0, static_cast<std::size_t>(bytes)); }
void synchronize() {}

lc_cuda_memory memory_use(bool reset) {
  const lc_cuda_memory now{used, peak, 0};
  if (reset) peak = used;
  return now;
}

void* make_mark() { return new std::chrono::steady_clock::time_point(std::chrono::steady_clock::now()); }
double seconds_between(void* first, void* second) {
  using Point = std::chrono::steady_clock::time_point;
  return std::chrono::duration<double>(*static_cast<Point*>(second) - *static_cast<Point*>(first)).count();
}
void free_mark(void* mark) noexcept { delete static_cast<std::chrono::steady_clock::time_point*>(mark); }

}  // namespace longconv::gpu
