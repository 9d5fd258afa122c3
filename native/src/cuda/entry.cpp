// The C table of cuda.h: every function turns what is thrown below it into a status.
#include "../status.h"
#include "convolution.h"
#include "kernels/gemm.h"
#include "kernels/pointwise.h"
#include "kernels/reductions.h"

namespace longconv::cuda {
namespace {

const lc_cuda_api kApi = {
    LC_CUDA_ABI,
    [](lc_cuda_device* device, lc_status* status) { return guarded(status, [&] { *device = gpu::open_device(); }); },

    [](int64_t bytes, void** pointer, lc_status* status) { return guarded(status, [&] { *pointer = gpu::allocate(bytes); }); },
    [](void* pointer) { gpu::release(pointer); },
    [](void* device, const void* host, int64_t bytes, lc_status* status) { return guarded(status, [&] { gpu::upload(device, host, bytes); }); },
    [](void* host, const void* device, int64_t bytes, lc_status* status) { return guarded(status, [&] { gpu::download(host, device, bytes); }); },
    [](lc_status* status) { return guarded(status, [] { gpu::synchronize(); }); },
    [](int32_t reset, lc_cuda_memory* memory, lc_status* status) { return guarded(status, [&] { *memory = gpu::memory_use(reset != 0); }); },

    [](void** mark, lc_status* status) { return guarded(status, [&] { *mark = gpu::make_mark(); }); },
    [](void* first, void* second, double* seconds, lc_status* status) { return guarded(status, [&] { *seconds = gpu::seconds_between(first, second); }); },
    [](void* mark) { gpu::free_mark(mark); },

    [](const lc_convolution_spec* spec, int32_t exact, lc_cuda_plan* plan, lc_status* status) {
      return guarded(status, [&] { *plan = plan_convolution(*spec, exact != 0); });
    },
    [](const lc_convolution_spec* spec, int32_t exact, const float* filter, lc_cuda_convolution** prepared, lc_status* status) {
      return guarded(status, [&] { *prepared = prepare_convolution(*spec, exact != 0, filter).release(); });
    },
    [](const lc_cuda_convolution* prepared, const lc_cuda_convolution_call* call, lc_status* status) {
      return guarded(status, [&] { run_convolution(*prepared, *call); });
    },
    [](lc_cuda_convolution* prepared) { delete prepared; },

    [](const lc_cuda_gemm* call, lc_status* status) { return guarded(status, [&] { run_gemm(*call); }); },
    [](const lc_cuda_norm* call, lc_status* status) { return guarded(status, [&] { run_norm(*call); }); },
    [](const lc_cuda_depthwise* call, lc_status* status) { return guarded(status, [&] { run_depthwise(*call); }); },
    [](const lc_cuda_elementwise* call, lc_status* status) { return guarded(status, [&] { run_elementwise(*call); }); },
    [](const int32_t* index, int64_t rows, const float* table, int64_t table_rows, int64_t width, void* y, int32_t y_element, lc_status* status) {
      return guarded(status, [&] { run_gather(index, rows, table, table_rows, width, y, y_element); });
    },
    [](const float* logits, const float* dense, const int32_t* targets, int64_t rows, int64_t classes, lc_cuda_metrics* metrics, lc_status* status) {
      return guarded(status, [&] { *metrics = token_metrics(logits, dense, targets, rows, classes); });
    },
    [](const void* a, const void* b, int32_t element, int64_t count, double* sums, lc_status* status) {
      return guarded(status, [&] { difference_energy(a, b, element, count, sums); });
    },
};

}  // namespace
}  // namespace longconv::cuda

extern "C" __attribute__((visibility("default"))) const lc_cuda_api* lc_cuda_entry(void) { return &longconv::cuda::kApi; }
