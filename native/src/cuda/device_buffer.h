// Device memory with an owner.
#pragma once

#include <cstdint>
#include <utility>

#include <gpu/runtime.h>

namespace longconv::cuda {

class DeviceBuffer {
 public:
  DeviceBuffer() = default;
  explicit DeviceBuffer(int64_t bytes) : data_(gpu::allocate(bytes)) {}
  DeviceBuffer(DeviceBuffer&& other) noexcept : data_(std::exchange(other.data_, nullptr)) {}
  DeviceBuffer& operator=(DeviceBuffer&& other) noexcept {
    std::swap(data_, other.data_);
    return *this;
  }
  ~DeviceBuffer() { gpu::release(data_); }
  void* data() const { return data_; }

 private:
  void* data_ = nullptr;
};

}  // namespace longconv::cuda
