#include "runtime.h"

#include <algorithm>
#include <mutex>
#include <unordered_map>

#include "check.h"

namespace longconv::gpu {
namespace {

/// Least shared memory a block must be able to have: the FFT kernels keep whole sequences there.
constexpr int64_t kLeastSharedBytes = 96 * 1024;
/// Oldest compute capability with the instructions that the kernels use (asynchronous copies, bfloat16 matrix units).
constexpr int kLeastMajor = 8;

struct Device {
  lc_cuda_device info{};
  cudaStream_t stream{};
};

std::mutex mutex;
Device* device = nullptr;

struct Use {
  std::unordered_map<void*, int64_t> sizes;
  int64_t used = 0, peak = 0;
} use;

[[noreturn]] void refuse_driver(cudaError_t error) {
  int runtime = 0;
  cudaRuntimeGetVersion(&runtime);
  int driver = 0;
  cudaDriverGetVersion(&driver);
  if (driver == 0) {
    fail(LC_NOT_SUPPORTED, "there is no NVIDIA driver on this machine. Install one that supports CUDA %d (release 580 or later).", runtime / 1000);
  }
  if (error == cudaErrorInsufficientDriver || driver / 1000 < runtime / 1000) {
    fail(LC_NOT_SUPPORTED, "the NVIDIA driver supports CUDA %d.%d only, and CUDA %d is needed. Update the driver to release 580 or later.", driver / 1000,
         driver % 1000 / 10, runtime / 1000);
  }
  if (error == cudaErrorNoDevice) fail(LC_NOT_SUPPORTED, "the NVIDIA driver finds no GPU. Check CUDA_VISIBLE_DEVICES and the output of nvidia-smi.");
  fail(LC_NOT_SUPPORTED, "the NVIDIA driver does not start: %s (%s). Check the output of nvidia-smi.", cudaGetErrorString(error), cudaGetErrorName(error));
}

/// The first device that CUDA lists; CUDA_VISIBLE_DEVICES chooses another.
Device* open_first() {
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error != cudaSuccess) refuse_driver(error);
  if (count == 0) refuse_driver(cudaErrorNoDevice);
  check(cudaSetDevice(0), "choose the GPU");
  cudaDeviceProp found{};
  check(cudaGetDeviceProperties(&found, 0), "read the GPU's properties");
  auto* opened = new Device;
  lc_cuda_device& info = opened->info;
  std::snprintf(info.name, sizeof info.name, "%.95s", found.name);
  info.major = found.major;
  info.minor = found.minor;
  info.multiprocessors = found.multiProcessorCount;
  info.memory_bytes = static_cast<int64_t>(found.totalGlobalMem);
  info.shared_bytes = static_cast<int64_t>(found.sharedMemPerBlockOptin);
  cudaDriverGetVersion(&info.driver);
  if (info.major < kLeastMajor) {
    fail(LC_NOT_SUPPORTED, "%s has compute capability %d.%d, and the kernels need %d.0 or later (Ampere).", info.name, info.major, info.minor, kLeastMajor);
  }
  if (info.shared_bytes < kLeastSharedBytes) {
    fail(LC_NOT_SUPPORTED, "a block of %s has at most %lld bytes of shared memory, and the kernels need %lld.", info.name,
         static_cast<long long>(info.shared_bytes), static_cast<long long>(kLeastSharedBytes));
  }
  check(cudaStreamCreateWithFlags(&opened->stream, cudaStreamNonBlocking), "create a stream");
  // Released memory stays with the pool: a model allocates the same sizes again and again.
  cudaMemPool_t pool{};
  check(cudaDeviceGetDefaultMemPool(&pool, 0), "find the memory pool");
  uint64_t threshold = UINT64_MAX;
  check(cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &threshold), "set up the memory pool");
  return opened;
}

}  // namespace

const lc_cuda_device& open_device() {
  const std::lock_guard<std::mutex> lock(mutex);
  if (!device) device = open_first();
  check(cudaSetDevice(0), "choose the GPU");  // per thread
  return device->info;
}

cudaStream_t stream() {
  open_device();
  return device->stream;
}

void* allocate(int64_t bytes) {
  if (bytes < 0) fail(LC_INVALID_ARGUMENT, "%lld bytes of GPU memory were asked for.", static_cast<long long>(bytes));
  void* pointer = nullptr;
  const cudaError_t error = cudaMallocAsync(&pointer, static_cast<std::size_t>(std::max<int64_t>(bytes, 1)), stream());
  if (error == cudaErrorMemoryAllocation) {
    cudaGetLastError();  // clears it: the device stays usable
    const lc_cuda_memory now = memory_use(false);
    fail(LC_OUT_OF_MEMORY, "The GPU has no %.1f GB left (%.1f GB in use here, %.1f GB free). Use a shorter input or a smaller batch.",
         static_cast<double>(bytes) / 1e9, static_cast<double>(now.used_bytes) / 1e9, static_cast<double>(now.device_free_bytes) / 1e9);
  }
  check(error, "allocate memory");
  const std::lock_guard<std::mutex> lock(mutex);
  use.sizes[pointer] = bytes;
  use.used += bytes;
  use.peak = std::max(use.peak, use.used);
  return pointer;
}

void release(void* pointer) noexcept {
  if (!pointer) return;
  {
    const std::lock_guard<std::mutex> lock(mutex);
    const auto known = use.sizes.find(pointer);
    if (known == use.sizes.end()) return;
    use.used -= known->second;
    use.sizes.erase(known);
  }
  cudaSetDevice(0);
  cudaFreeAsync(pointer, device->stream);
}

void upload(void* to, const void* host, int64_t bytes) {
  check(cudaMemcpyAsync(to, host, static_cast<std::size_t>(bytes), cudaMemcpyHostToDevice, stream()), "copy to the GPU");
  synchronize();  // the caller may change its array afterwards
}

void download(void* host, const void* from, int64_t bytes) {
  check(cudaMemcpyAsync(host, from, static_cast<std::size_t>(bytes), cudaMemcpyDeviceToHost, stream()), "copy from the GPU");
  synchronize();
}

void copy(void* to, const void* from, int64_t bytes) {
  check(cudaMemcpyAsync(to, from, static_cast<std::size_t>(bytes), cudaMemcpyDeviceToDevice, stream()), "copy on the GPU");
}

void fill_zero(void* pointer, int64_t bytes) { check(cudaMemsetAsync(pointer, 0, static_cast<std::size_t>(bytes), stream()), "clear memory"); }

void synchronize() { check(cudaStreamSynchronize(stream()), "finish its work"); }

lc_cuda_memory memory_use(bool reset) {
  std::size_t free_bytes = 0, total = 0;
  check(cudaMemGetInfo(&free_bytes, &total), "read its free memory");
  const std::lock_guard<std::mutex> lock(mutex);
  const lc_cuda_memory now{use.used, use.peak, static_cast<int64_t>(free_bytes)};
  if (reset) use.peak = use.used;
  return now;
}

void* make_mark() {
  cudaEvent_t event{};
  const cudaStream_t on = stream();
  check(cudaEventCreate(&event), "create an event");
  check(cudaEventRecord(event, on), "record an event");
  return event;
}

double seconds_between(void* first, void* second) {
  float milliseconds = 0;
  check(cudaEventSynchronize(static_cast<cudaEvent_t>(second)), "finish its work");
  check(cudaEventElapsedTime(&milliseconds, static_cast<cudaEvent_t>(first), static_cast<cudaEvent_t>(second)), "read the time");
  return milliseconds * 1e-3;
}

void free_mark(void* mark) noexcept {
  if (mark) cudaEventDestroy(static_cast<cudaEvent_t>(mark));
}

}  // namespace longconv::gpu
