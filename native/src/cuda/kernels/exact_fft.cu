// One pass takes tiles of R rows and 2048 / R columns through the R-point DFT as a matrix product, twiddles them and puts them back:
//   forward  x[f, c] <- w_(R inner)^(f c) sum_r F[f, r] x[r, c]        inverse  x[r, c] <- sum_f conj(F[f, r]) conj(w^(f c)) x[f, c]
// so that a transform and its inverse share their order of points and need no permutation. The inverse works on numbers with re and im
// swapped: conj(F) x = swap(F swap(x)). Right-angle convolutions shift all frequencies by a quarter: f - 1/4 in place of f in the first digit;
// the inverse does that by a factor for each row of results.
//
// Accuracy: operands are split into two halves each, x = high + low with |low| <= 2^-11 |high|, and
//   F x = F_high x_high + (F_high x_low + F_low x_high),
// every tile scaled by a power of two so that its largest number lies in [1, 2). Tensor cores round sums towards zero, so each product of the
// high parts is added to its sum in float32 by itself; the low parts are 2^11 times smaller and may add up inside.
// Rows f and f + R / 2 share their products: those of even k give E, those of odd k give O, and x[f] = E + O, x[f + R / 2] = E - O.
// Cost for each point and pass: 8 bytes read and written, 3 R / 512 products of 16 x 8 x 16.
#include "exact_fft.h"

#include <algorithm>

#include <gpu/device.h>

#include "block_scale.h"
#include "typed.h"

namespace longconv::cuda {
namespace {

using namespace gpu;

constexpr int kThreads = 256;
constexpr int kEach = static_cast<int>(kExactTile) / kThreads;  // points of a thread
constexpr double kTau = 6.283185307179586476925286766559;

__host__ __device__ constexpr int log_2(int n) { return n == 1 ? 0 : 1 + log_2(n / 2); }

/// exp(2 pi i turns)
__device__ __forceinline__ float2 circle(float turns) {
  float2 out;
  sin_cos_pi(2 * turns, out.y, out.x);
  return out;
}
__device__ __forceinline__ float2 multiply(float2 a, float2 b) { return float2{a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x}; }

/// One row's place in the signal; null where the batch ends.
struct Row {
  int64_t start, channel;
  bool present;
};

__device__ __forceinline__ Row row_of(const ExactPass& p, int32_t sequence, int member) {
  const int32_t channel = sequence / p.per_channel;
  const int64_t b = static_cast<int64_t>(sequence - channel * p.per_channel) * (p.signal.pairs ? 2 : 1) + member;
  const int64_t own = p.signal.first_channel + channel;
  return {(b * p.signal.total_channels + own) * p.signal.stride, own, b < p.signal.batch};
}

__device__ __forceinline__ float sample(const ExactPass& p, const Row& row, int64_t t) {
  if (!row.present || t >= p.signal.length) return 0;
  const float u = load_element(p.signal.input, p.signal.element, row.start + t);
  return p.signal.pre_gate ? u * load_element(p.signal.pre_gate, p.signal.element, row.start + t) : u;
}

__device__ __forceinline__ float2 read_signal(const ExactPass& p, int32_t sequence, int64_t t) {
  return float2{sample(p, row_of(p, sequence, 0), t), p.signal.pairs ? sample(p, row_of(p, sequence, 1), t) : 0.0f};
}

__device__ __forceinline__ void write_row(const ExactPass& p, const Row& row, int64_t t, float y) {
  if (!row.present || t >= p.signal.length) return;
  if (p.signal.skip) y += p.signal.skip[row.channel] * sample(p, row, t);
  if (p.signal.post_gate) y *= load_element(p.signal.post_gate, p.signal.element, row.start + t);
  store_element(p.signal.output, p.signal.element, row.start + t, y);
}

__device__ __forceinline__ void write_signal(const ExactPass& p, int32_t sequence, int64_t t, float2 value) {
  write_row(p, row_of(p, sequence, 0), t, value.x);
  if (p.signal.pairs) write_row(p, row_of(p, sequence, 1), t, value.y);
}

/// w_(R inner)^((row - quarters / 4) column): arguments are exact below 2^24 quarters. The last digit has none.
__device__ __forceinline__ float2 twiddle(const ExactPass& p, int row, int column) {
  if (p.inner_bits == 0) return float2{1, 0};
  return circle(-static_cast<float>((4 * row - p.quarters) * column) * p.quarter_turn);
}

/// Point number `index` of the chunk as the pass takes it: from the signal, or from row `row` of the digit with its twiddle and the spectrum.
__device__ __forceinline__ float2 read_point(const ExactPass& p, int64_t index, int row, int column) {
  const int32_t sequence = static_cast<int32_t>(index >> p.n_bits);
  const int64_t at = index & ((int64_t{1} << p.n_bits) - 1);
  if (p.from_signal) return read_signal(p, p.first_sequence + sequence, at);
  float2 value = p.data[index];
  if (p.spectrum) {
    const float2 k = p.spectrum[(static_cast<int64_t>((p.first_sequence + sequence) / p.per_channel) << p.n_bits) + at];
    value = multiply(value, float2{k.x * p.factor, k.y * p.factor});
  }
  if (!p.inverse) return value;
  const float2 w = twiddle(p, row, column);
  value = multiply(value, float2{w.x, -w.y});
  return float2{value.y, value.x};
}

/// `turn`: of the row, where frequencies are shifted.
__device__ __forceinline__ void write_point(const ExactPass& p, int64_t index, int row, int column, float2 turn, float2 value) {
  if (p.inverse) {
    value = float2{value.y, value.x};
    if (p.quarters) value = multiply(value, turn);
    if (p.to_signal) return write_signal(p, p.first_sequence + static_cast<int32_t>(index >> p.n_bits), index & ((int64_t{1} << p.n_bits) - 1), value);
  } else {
    value = multiply(value, twiddle(p, row, column));
  }
  p.data[index] = value;
}

/// Both numbers as halves, and what that leaves.
__device__ __forceinline__ void split(float2 value, uint32_t& high, uint32_t& low) {
  const half_t x = from_float<half_t>(value.x), y = from_float<half_t>(value.y);
  const float left_x = value.x - to_float(x), left_y = value.y - to_float(y);
  high = pack<half_t>(value.x, value.y);
  low = pack<half_t>(left_x, left_y);
}

/// A lane's sums for row g of 8 columns; [0], [1] re and [2], [3] im of columns 2 t and 2 t + 1.
struct Sums {
  float high[4], low[4];
};

__device__ __forceinline__ void add_product(Sums& s, const uint4& f_high, const uint4& f_low, const uint32_t (&x_high)[2], const uint32_t (&x_low)[2]) {
  const uint32_t high[4] = {f_high.x, f_high.y, f_high.z, f_high.w}, low[4] = {f_low.x, f_low.y, f_low.z, f_low.w};
  float part[4] = {};
  mma_16x8x16<half_t>(part, high, x_high[0], x_high[1]);
  mma_16x8x16<half_t>(s.low, high, x_low[0], x_low[1]);
  mma_16x8x16<half_t>(s.low, low, x_high[0], x_high[1]);
#pragma unroll
  for (int i = 0; i < 4; ++i) s.high[i] += part[i];
}

template <int R>
__global__ void __launch_bounds__(kThreads, 4) exact_pass(ExactPass p) {
  constexpr int kColumns = static_cast<int>(kExactTile) / R, kColumnBits = log_2(kColumns);
  constexpr int kLine = kColumns + 4;  // the operands of a warp, rows 2 t apart, fall on all banks
  constexpr int kTiles = R / 16, kSteps = R / 16;  // pairs of 8 rows; steps of 8 even, or odd, k
  constexpr int kColumnTiles = static_cast<int>(kExactTile) / 1024;  // of a warp
  const int thread = threadIdx.x, lane = thread % 32, warp = thread / 32;
  uint32_t* const high = reinterpret_cast<uint32_t*>(shared_memory());
  uint32_t* const low = high + R * kLine;
  float* const maxima = reinterpret_cast<float*>(low + R * kLine);
  const int64_t points = static_cast<int64_t>(p.sequences) << p.n_bits, first_column = static_cast<int64_t>(blockIdx.x) * kColumns;
  // Column c of row r lies (c / inner) R inner + r inner + c % inner points after the first; a tile's columns begin a group, or stay in one.
  const int inner_mask = (1 << p.inner_bits) - 1, first_inner = static_cast<int>(first_column & inner_mask);
  const int64_t base = ((first_column >> p.inner_bits) * R << p.inner_bits) + first_inner;
  const auto place = [&](int column, int row) { return (((column >> p.inner_bits) * R + row) << p.inner_bits) + (column & inner_mask); };
  // Threads take neighbours in memory: columns along a line, then the rows, then the next line.
  const int line_bits = p.inner_bits < kColumnBits ? p.inner_bits : kColumnBits;

  const auto column_of = [&](int m) { return ((m >> line_bits) / R << line_bits) + (m & ((1 << line_bits) - 1)); };

  float2 value[kEach];
  float largest = 0;
#pragma unroll
  for (int i = 0; i < kEach; ++i) {
    const int m = thread + i * kThreads, row = (m >> line_bits) % R;
    const int column = column_of(m);
    const int64_t index = base + place(column, row);
    value[i] = index < points ? read_point(p, index, row, first_inner + (column & inner_mask)) : float2{0, 0};
    largest = fmaxf(largest, fmaxf(fabsf(value[i].x), fabsf(value[i].y)));
  }
  largest = warp_max(largest);
  if (lane == 0) maxima[warp] = largest;
  __syncthreads();
  for (int i = 0; i < kThreads / 32; ++i) largest = fmaxf(largest, maxima[i]);
  const float scale = scale_to_one(largest);
#pragma unroll
  for (int i = 0; i < kEach; ++i) {
    const int m = thread + i * kThreads, row = (m >> line_bits) % R, column = column_of(m);
    split(float2{value[i].x * scale, value[i].y * scale}, high[row * kLine + column], low[row * kLine + column]);
  }
  __syncthreads();

  const int g = lane / 4, t = lane % 4, tile = warp % kTiles, column = warp / kTiles * 8 * kColumnTiles;
  float total[2][kColumnTiles][4];  // of even and odd k
#pragma unroll
  for (int parity = 0; parity < 2; ++parity) {
    Sums sums[kColumnTiles] = {};
#pragma unroll 1
    for (int step = 0; step < kSteps; ++step) {
      const uint4* const f = p.matrix + ((tile * 2 + parity) * kSteps + step) * 64 + lane;
      const uint4 f_high = f[0], f_low = f[32];
#pragma unroll
      for (int n = 0; n < kColumnTiles; ++n) {
        const int at = (2 * (8 * step + t) + parity) * kLine + column + 8 * n + g;
        const uint32_t x_high[2] = {high[at], high[at + 8 * kLine]}, x_low[2] = {low[at], low[at + 8 * kLine]};
        add_product(sums[n], f_high, f_low, x_high, x_low);
      }
    }
#pragma unroll
    for (int n = 0; n < kColumnTiles; ++n)
#pragma unroll
      for (int i = 0; i < 4; ++i) total[parity][n][i] = sums[n].high[i] + sums[n].low[i];
  }

  const float unscale = 1 / scale;
#pragma unroll
  for (int far = 0; far < 2; ++far) {
    const int row = 8 * tile + g + far * (R / 2);
    const float sign = far ? -1.0f : 1.0f;
    const float2 turn = circle(-static_cast<float>(row) * (0.25f / R));
#pragma unroll
    for (int n = 0; n < kColumnTiles; ++n)
#pragma unroll
      for (int c = 0; c < 2; ++c) {
        const float2 result{(total[0][n][c] + sign * total[1][n][c]) * unscale, (total[0][n][2 + c] + sign * total[1][n][2 + c]) * unscale};
        const int at = column + 8 * n + 2 * t + c;
        const int64_t index = base + place(at, row);
        if (index < points) write_point(p, index, row, first_inner + (at & inner_mask), turn, result);
      }
  }
}

template <int R>
void start(const ExactPass& p) {
  constexpr int kColumns = static_cast<int>(kExactTile) / R;
  const int64_t shared = 2 * 4 * R * (kColumns + 4) + 4 * (kThreads / 32);
  launch(exact_pass<R>, dim3(static_cast<unsigned>(((static_cast<int64_t>(p.sequences) << p.n_bits) + kExactTile - 1) / kExactTile)), kThreads, shared, p);
}

struct MatrixParameters {
  uint32_t* out;  // [radix / 16 tiles][parity of k][radix / 16 steps][high, low][32 lanes][4 words]
  int32_t radix, quarters;
  int64_t words;
};

/// DFT matrix / sqrt(radix) as operand A. Words 0 and 2 of a lane, (cos, sin), give re, and 1 and 3, (-sin, cos), give im of exp(-i angle) x.
__global__ void matrix_kernel(MatrixParameters p) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= p.words) return;
  const int word = i % 4, lane = i / 4 % 32, part = i / 128 % 2, steps = p.radix / 16, step = i / 256 % steps, parity = i / 256 / steps % 2;
  const int row = 8 * static_cast<int>(i / 512 / steps) + lane / 4, k = 2 * (8 * step + lane % 4 + word / 2 * 4) + parity;
  const double angle = kTau * ((4 * row - p.quarters) * k % (4 * p.radix)) / (4 * p.radix), scale = 1 / sqrt(static_cast<double>(p.radix));
  const double first = word % 2 ? -scale * sin(angle) : scale * cos(angle), second = word % 2 ? scale * cos(angle) : scale * sin(angle);
  const auto left = [](double value) { return static_cast<float>(value - static_cast<double>(to_float(from_float<half_t>(static_cast<float>(value))))); };
  p.out[i] = part ? pack<half_t>(left(first), left(second)) : pack<half_t>(static_cast<float>(first), static_cast<float>(second));
}

struct ClearParameters {
  float2* spectrum;
  const uint8_t* kept;
  int64_t channels;
  int32_t n_bits, count, bits[4];  // digits, first one first
};

/// Frequency of a place in the order of the passes: each pass leaves its digit of f, the lowest first, where its digit of t was.
__global__ void clear_kernel(ClearParameters p) {
  const int64_t n = int64_t{1} << p.n_bits;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < p.channels * n; i += static_cast<int64_t>(gridDim.x) * blockDim.x) {
    int64_t f = 0, left = i % n;
    int size = p.n_bits, weight = 0;
    for (int d = 0; d < p.count; ++d) {
      size -= p.bits[d];
      f += left >> size << weight;
      left &= (int64_t{1} << size) - 1;
      weight += p.bits[d];
    }
    if (!p.kept[f < n - f ? f : n - f]) p.spectrum[i] = float2{0, 0};
  }
}

}  // namespace

std::vector<int> exact_digits(int n_bits) {
  constexpr int kMostBits = 7;
  const int count = std::max(2, (n_bits + kMostBits - 1) / kMostBits);
  std::vector<int> digits;
  for (int i = 0; i < count; ++i) digits.push_back(n_bits / count + (i < n_bits % count));
  return digits;
}

int64_t exact_matrix_bytes(int radix) { return int64_t{sizeof(uint4)} * radix * radix / 2; }

void make_exact_matrix(int radix, int quarters, uint4* out) {
  const int64_t words = exact_matrix_bytes(radix) / 4;
  launch(matrix_kernel, dim3(blocks_for(words, kThreads)), kThreads, 0, MatrixParameters{reinterpret_cast<uint32_t*>(out), radix, quarters, words});
}

void run_exact_pass(const ExactPass& pass) {
  switch (pass.radix) {
    case 16: return start<16>(pass);
    case 32: return start<32>(pass);
    case 64: return start<64>(pass);
    default: return start<128>(pass);
  }
}

void clear_dropped_bins(float2* spectrum, int64_t channels, int n_bits, const std::vector<int>& digits, const uint8_t* kept) {
  ClearParameters p{spectrum, kept, channels, n_bits, static_cast<int32_t>(digits.size()), {}};
  std::copy(digits.begin(), digits.end(), p.bits);
  launch(clear_kernel, dim3(blocks_for(channels << n_bits, kThreads)), kThreads, 0, p);
}

}  // namespace longconv::cuda
