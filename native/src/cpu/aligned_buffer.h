// Memory for kernels: 64-byte aligned, uninitialised unless asked otherwise, and a pool that lends scratch to worker threads.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

namespace longconv {

/// Memory for std::free: aligned to 64 bytes, or to huge pages (and asked to be made of them) from 1 MiB on. Throws std::bad_alloc.
void* allocate_aligned(std::size_t bytes);

template <class T>
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  /// Throws std::bad_alloc, also where the size does not fit in memory addresses.
  explicit AlignedBuffer(int64_t count) : count_(count) {
    if (count < 0 || count > INT64_MAX / 4 / static_cast<int64_t>(sizeof(T))) throw std::bad_alloc();
    data_ = static_cast<T*>(allocate_aligned(static_cast<std::size_t>(count) * sizeof(T)));
  }
  AlignedBuffer(AlignedBuffer&& other) noexcept : data_(std::exchange(other.data_, nullptr)), count_(std::exchange(other.count_, 0)) {}
  AlignedBuffer& operator=(AlignedBuffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(count_, other.count_);
    return *this;
  }
  ~AlignedBuffer() { std::free(data_); }

  T* data() { return data_; }
  const T* data() const { return data_; }
  int64_t size() const { return count_; }
  T& operator[](int64_t i) { return data_[i]; }
  const T& operator[](int64_t i) const { return data_[i]; }
  void clear() {
    if (count_) std::memset(static_cast<void*>(data_), 0, static_cast<std::size_t>(count_) * sizeof(T));
  }

 private:
  T* data_ = nullptr;
  int64_t count_ = 0;
};

/// Scratch of one worker for one row; given back to the pool when it goes out of scope.
class Scratch {
 public:
  explicit Scratch(int64_t bytes);
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  /// The next `count` elements, 64-byte aligned. Throws std::bad_alloc when more is asked for than was announced.
  template <class T>
  T* take(int64_t count) {
    const int64_t bytes = padded(count * static_cast<int64_t>(sizeof(T)));
    if (used_ + bytes > buffer_.size()) throw std::bad_alloc();
    T* p = reinterpret_cast<T*>(buffer_.data() + used_);
    used_ += bytes;
    return p;
  }
  /// Bytes that a take() of so many bytes uses.
  static int64_t padded(int64_t bytes) { return (bytes + 63) / 64 * 64; }

 private:
  AlignedBuffer<unsigned char> buffer_;
  int64_t used_ = 0;
};

}  // namespace longconv
