// Device memory with an owner.
#pragma once

#include <cstddef>
#include <vector>

#include "check.h"

namespace longconv::cuda {

class DeviceMemory {
 public:
  DeviceMemory() = default;
  explicit DeviceMemory(size_t bytes) : bytes_(bytes) {
    if (bytes > 0) check(cudaMalloc(&data_, bytes), "reserve memory");
  }
  ~DeviceMemory() { cudaFree(data_); }
  DeviceMemory(DeviceMemory&& other) noexcept { swap(other); }
  DeviceMemory& operator=(DeviceMemory&& other) noexcept {
    swap(other);
    return *this;
  }

  /// A copy of host data; complete on return.
  template <class T>
  static DeviceMemory of(const std::vector<T>& host) {
    DeviceMemory out(host.size() * sizeof(T));
    if (!host.empty()) check(cudaMemcpy(out.data_, host.data(), out.bytes_, cudaMemcpyHostToDevice), "receive a table");
    return out;
  }

  template <class T>
  T* as() const {
    return static_cast<T*>(data_);
  }
  size_t bytes() const { return bytes_; }

 private:
  void swap(DeviceMemory& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
  }
  void* data_ = nullptr;
  size_t bytes_ = 0;
};

}  // namespace longconv::cuda
