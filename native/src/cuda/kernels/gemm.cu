#include "gemm.h"

#include <algorithm>
#include <cstdint>

#include <gpu/runtime.h>

#include "../device_buffer.h"
#include "../library_gemm.h"
#include "gemm_kernel.h"

namespace longconv::cuda {
namespace {

constexpr int64_t kMostItems = 65535;  // of a grid's second dimension

struct PadParameters {
  const uint16_t* from;
  uint16_t* to;
  int64_t line, padded, lines, from_stride, total;  // elements; lines per item
};

__global__ void pad_kernel(PadParameters p) {
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < p.total; i += static_cast<int64_t>(gridDim.x) * blockDim.x) {
    const int64_t along = i % p.padded, line = i / p.padded;
    p.to[i] = along < p.line ? p.from[line / p.lines * p.from_stride + line % p.lines * p.line + along] : uint16_t{0};
  }
}

/// An operand as the 16-bit kernels want it: lines and address at multiples of 16 bytes. Copied with zeros behind each line where it is not so.
struct Operand {
  const void* data;
  int64_t line, stride;
  DeviceBuffer copy;

  Operand(const void* from, int64_t line_elements, int64_t lines, int64_t item_stride, int64_t items, bool any_line) : data(from), line(line_elements), stride(item_stride) {
    if (any_line || (reinterpret_cast<std::uintptr_t>(from) % 16 == 0 && line % gemm::kChunk == 0 && stride % gemm::kChunk == 0)) return;
    line = (line_elements + gemm::kChunk - 1) / gemm::kChunk * gemm::kChunk;
    const int64_t copies = item_stride == 0 ? 1 : items;
    stride = item_stride == 0 ? 0 : line * lines;
    const PadParameters p{static_cast<const uint16_t*>(from), nullptr, line_elements, line, lines, item_stride, copies * line * lines};
    copy = DeviceBuffer(p.total * 2);
    PadParameters filled = p;
    filled.to = static_cast<uint16_t*>(copy.data());
    gpu::launch(pad_kernel, dim3(static_cast<unsigned>(std::min<int64_t>((p.total + 255) / 256, 1 << 20))), 256, 0, filled);
    data = copy.data();
  }
};

}  // namespace

void run_gemm(const lc_cuda_gemm& call) {
  if (!run_library_gemm(call)) run_own_gemm(call);
}

void run_own_gemm(const lc_cuda_gemm& call) {
  if (call.rows < 1 || call.columns < 1 || call.inner < 1 || call.batch < 1) {
    fail(LC_INVALID_ARGUMENT, "A matrix product of %lld x %lld x %lld, %lld times, is empty.", static_cast<long long>(call.rows),
         static_cast<long long>(call.inner), static_cast<long long>(call.columns), static_cast<long long>(call.batch));
  }
  const bool single = call.operand_element == LC_F32;
  if (!single && call.operand_element != LC_F16 && call.operand_element != LC_BF16)
    fail(LC_INVALID_ARGUMENT, "Matrix products take float32, float16 or bfloat16 operands, not element type %d.", call.operand_element);
  if (call.output_element != LC_F32 && call.output_element != call.operand_element) {
    fail(LC_INVALID_ARGUMENT, "A matrix product gives float32 or its operands' element type, not element type %d.", call.output_element);
  }
  const Operand a(call.a, call.transposed_a ? call.rows : call.inner, call.transposed_a ? call.inner : call.rows, call.a_stride, call.batch, single);
  const Operand b(call.b, call.transposed_b ? call.inner : call.columns, call.transposed_b ? call.columns : call.inner, call.b_stride, call.batch, single);
  const bool residual_aligned = reinterpret_cast<std::uintptr_t>(call.residual) % 16 == 0;
  gemm::Parameters p{};
  p.call = call;
  p.call.a_stride = a.stride, p.call.b_stride = b.stride;
  p.a_line = a.line, p.b_line = b.line;
  p.column_tiles = (call.columns + gemm::kTile - 1) / gemm::kTile;
  p.aligned_d = reinterpret_cast<std::uintptr_t>(call.d) % 16 == 0 && call.columns % 8 == 0 && call.d_stride % 8 == 0 && residual_aligned;
  const int64_t tiles = (call.rows + gemm::kTile - 1) / gemm::kTile * p.column_tiles;
  const int64_t element_bytes = single ? 4 : 2, output_bytes = call.output_element == LC_F32 ? 4 : 2;
  for (int64_t first = 0; first < call.batch; first += kMostItems) {
    const int64_t items = std::min(call.batch - first, kMostItems);
    gemm::Parameters some = p;
    some.call.a = static_cast<const char*>(a.data) + first * a.stride * element_bytes;
    some.call.b = static_cast<const char*>(b.data) + first * b.stride * element_bytes;
    some.call.d = static_cast<char*>(call.d) + first * call.d_stride * output_bytes;
    some.call.residual = call.residual ? call.residual + first * call.d_stride : nullptr;
    const dim3 grid(static_cast<unsigned>(tiles), static_cast<unsigned>(items));
    if (single) gemm::start_float(some, grid);
    else if (call.operand_element == LC_F16) gemm::start_half(some, grid);
    else gemm::start_bfloat16(some, grid);
  }
}

}  // namespace longconv::cuda
