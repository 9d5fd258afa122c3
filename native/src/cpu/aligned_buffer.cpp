#include "aligned_buffer.h"

#ifdef __linux__
#include <sys/mman.h>
#endif

#include "thread_pool.h"

namespace longconv {

void* allocate_aligned(std::size_t bytes) {
  constexpr std::size_t kLine = 64, kHugePage = std::size_t{2} << 20;
  // A transform walks through its work array in long strides: with small pages it would miss the address cache at every step.
  const bool huge = bytes >= kHugePage / 2;
  const std::size_t alignment = huge ? kHugePage : kLine;
  const std::size_t size = (bytes + alignment - 1) / alignment * alignment;
  void* memory = std::aligned_alloc(alignment, size ? size : alignment);
  if (!memory) throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
  if (huge) madvise(memory, size, MADV_HUGEPAGE);  // advice only: without it everything works the same
#endif
  return memory;
}

namespace {

/// At most one idle buffer per processor is kept.
struct ScratchPool {
  std::mutex mutex;
  std::vector<AlignedBuffer<unsigned char>> idle;
  static ScratchPool& instance() {
    static ScratchPool* pool = new ScratchPool;  // never destroyed: worker threads may outlive main
    return *pool;
  }
};

/// Larger buffers go back to the system, so that one long run does not hold memory for ever.
constexpr int64_t kKeptBytes = 64 << 20;

}  // namespace

Scratch::Scratch(int64_t bytes) {
  {
    ScratchPool& pool = ScratchPool::instance();
    const std::lock_guard<std::mutex> lock(pool.mutex);
    if (!pool.idle.empty()) {
      buffer_ = std::move(pool.idle.back());
      pool.idle.pop_back();
    }
  }
  if (buffer_.size() < bytes) buffer_ = AlignedBuffer<unsigned char>(bytes);
}

Scratch::~Scratch() {
  if (buffer_.size() > kKeptBytes) return;
  ScratchPool& pool = ScratchPool::instance();
  const std::lock_guard<std::mutex> lock(pool.mutex);
  if (static_cast<int>(pool.idle.size()) < hardware_threads()) {
    try {
      pool.idle.push_back(std::move(buffer_));
    } catch (const std::bad_alloc&) {
      return;  // the buffer is simply released
    }
  }
}

}  // namespace longconv
