#include "aligned_buffer.h"

#include "thread_pool.h"

namespace longconv {

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
