// Rows of u, y and the gates in device memory: which row and which piece of it a transform works on, and its reads and writes.
#pragma once

#include <type_traits>

#include "mma.cuh"

namespace longconv::cuda {

/// One call's arrays, [batch, total_channels, length].
struct SignalArrays {
  const void* input;
  const void* pre_gate;
  const void* post_gate;
  void* output;
  const float* skip;
  int64_t batch, total_channels, first_channel;
  int32_t length;
  // Every row is cut into `blocks` pieces: piece b holds the points [b * step - history, b * step - history + n) of the row, and
  // writes those from b * step on. One piece without history for a transform of the whole row.
  int32_t blocks, step, history;
  bool vector;  // length, step, history divisible by 8 and arrays aligned: 8 points are read or written at once
};

/// One piece of one row. Points outside the row read as 0 and are not written.
struct Piece {
  int64_t row;    // offset of the row's first element
  int32_t start;  // position in the row of point 0
  bool present;
  float in_scale, out_scale;  // powers of two
};

__device__ __forceinline__ Piece piece_of(const SignalArrays& s, int64_t channel, int64_t sequence) {
  Piece p;
  const int64_t b = sequence / s.blocks;
  p.row = (b * s.total_channels + s.first_channel + channel) * s.length;
  p.start = static_cast<int32_t>(sequence - b * s.blocks) * s.step - s.history;
  p.present = b < s.batch && p.start < s.length;
  p.in_scale = p.out_scale = 1;
  return p;
}

__device__ __forceinline__ float to_float(__half v) { return __half2float(v); }
__device__ __forceinline__ float to_float(__nv_bfloat16 v) { return __bfloat162float(v); }
__device__ __forceinline__ float to_float(float v) { return v; }
__device__ __forceinline__ void from_float(float v, __half& out) { out = __float2half_rn(v); }
__device__ __forceinline__ void from_float(float v, __nv_bfloat16& out) { out = __float2bfloat16_rn(v); }
__device__ __forceinline__ void from_float(float v, float& out) { out = v; }

/// kCount elements in the fewest loads.
template <class E, int kCount>
struct alignas(sizeof(E) * kCount < 16 ? sizeof(E) * kCount : 16) Elements {
  E e[kCount];
};

template <class E>
__device__ __noinline__ float gated_point(const SignalArrays& s, const Piece& p, int32_t point) {
  const int32_t at = p.start + point;
  if (!p.present || at < 0 || at >= s.length) return 0;
  const float u = to_float(static_cast<const E*>(s.input)[p.row + at]);
  return s.pre_gate ? u * to_float(static_cast<const E*>(s.pre_gate)[p.row + at]) : u;
}

/// True if the 8-point group (kCount divides 8) at `point` lies in the row; with s.vector it lies in or out as a whole.
__device__ __forceinline__ bool inside(const SignalArrays& s, const Piece& p, int32_t point) {
  return p.present && static_cast<uint32_t>(p.start + point) < static_cast<uint32_t>(s.length);
}

/// How a call's rows are read.
enum class Access { kPlain, kGated, kPointwise };

__device__ __forceinline__ Access access_of(const SignalArrays& s) {
  return !s.vector ? Access::kPointwise : s.pre_gate ? Access::kGated : Access::kPlain;
}

/// u' * in_scale of 8 points as half2 pairs, each point looked at alone.
template <class E>
__device__ __noinline__ uint4 read_pointwise(const SignalArrays& s, const Piece& p, int32_t point, float scale) {
  uint32_t out[4] = {0, 0, 0, 0};
#pragma unroll 1
  for (int i = 0; i < 8; ++i) {
    const uint32_t half = bits(__floats2half2_rn(gated_point<E>(s, p, point + i) * scale, 0));
#pragma unroll
    for (int q = 0; q < 4; ++q)
      if (q == i / 2) out[q] |= half << (16 * (i & 1));
  }
  return make_uint4(out[0], out[1], out[2], out[3]);
}

/// u' * in_scale of points [point, point + kCount), as half2 pairs. One row is read at a time: calls with the same access follow each other,
/// so that the loads of a pass are under way together.
template <class E, int kCount, Access kAccess>
__device__ __forceinline__ void read_halves(const SignalArrays& s, const Piece& p, int32_t point, uint32_t (&out)[kCount / 2]) {
  if constexpr (kAccess == Access::kPointwise) {
    const uint4 words = read_pointwise<E>(s, p, point, p.in_scale);
    const uint32_t all[4] = {words.x, words.y, words.z, words.w};
#pragma unroll
    for (int i = 0; i < kCount / 2; ++i) out[i] = all[i];
  } else {
    const bool in = inside(s, p, point);
    const int64_t at = p.row + p.start + point;
    using Group = Elements<E, kCount>;
    Group u = {};
    if (in) u = *reinterpret_cast<const Group*>(static_cast<const E*>(s.input) + at);
    if constexpr (kAccess == Access::kPlain && std::is_same_v<E, __half>) {
#pragma unroll
      for (int i = 0; i < kCount / 2; ++i) {
        __half2 pair;
        memcpy(&pair, &u.e[2 * i], 4);
        out[i] = bits(pair);
      }
      if (p.in_scale != 1) {
#pragma unroll
        for (int i = 0; i < kCount / 2; ++i) {
          const float2 v = unpack(out[i]);
          out[i] = pack(v.x * p.in_scale, v.y * p.in_scale);
        }
      }
    } else {
      Group gate = {};
      if constexpr (kAccess == Access::kGated)
        if (in) gate = *reinterpret_cast<const Group*>(static_cast<const E*>(s.pre_gate) + at);
#pragma unroll
      for (int i = 0; i < kCount / 2; ++i) {
        float a = to_float(u.e[2 * i]), b = to_float(u.e[2 * i + 1]);
        if constexpr (kAccess == Access::kGated) a *= to_float(gate.e[2 * i]), b *= to_float(gate.e[2 * i + 1]);
        out[i] = pack(a * p.in_scale, b * p.in_scale);
      }
    }
  }
}

/// Largest |half| of the words, in the order of their bits.
template <int kRows, int kMembers, int kWords>
__device__ __forceinline__ void track_maximum(const uint32_t (&raw)[kRows][kMembers][kWords], uint32_t (&maximum)[2]) {
#pragma unroll
  for (int m = 0; m < kMembers; ++m) {
    __half2 top = as_half2(0);
#pragma unroll
    for (int i = 0; i < kRows; ++i)
#pragma unroll
      for (int k = 0; k < kWords; ++k) top = __hmax2(top, __habs2(as_half2(raw[i][m][k])));
    maximum[m] = max(maximum[m], max(bits(top) & 0xffffu, bits(top) >> 16));
  }
}

template <class E>
__device__ __noinline__ void write_pointwise(const SignalArrays& s, const Piece& p, int64_t channel, int32_t point, const float* c) {
#pragma unroll 1
  for (int i = 0; i < 8; ++i, ++point) {
    const int32_t at = p.start + point;
    if (!p.present || point < s.history || at >= s.length) continue;
    float y = c[i];
    if (s.skip) y += s.skip[s.first_channel + channel] * gated_point<E>(s, p, point);
    if (s.post_gate) y *= to_float(static_cast<const E*>(s.post_gate)[p.row + at]);
    from_float(y, static_cast<E*>(s.output)[p.row + at]);
  }
}

/// y = post_gate * (c * out_scale + skip * u') of points [point, point + 8).
template <class E>
__device__ __forceinline__ void write_points(const SignalArrays& s, const Piece& p, int64_t channel, int32_t point, float (&c)[8]) {
#pragma unroll
  for (int i = 0; i < 8; ++i) c[i] *= p.out_scale;
  if (!s.vector) {
    float copy[8];
#pragma unroll
    for (int i = 0; i < 8; ++i) copy[i] = c[i];
    write_pointwise<E>(s, p, channel, point, copy);
    return;
  }
  if (point < s.history || !inside(s, p, point)) return;
  using Group = Elements<E, 8>;
  const int64_t at = p.row + p.start + point;
  if (s.skip) {
    const float d = s.skip[s.first_channel + channel];
    const Group u = *reinterpret_cast<const Group*>(static_cast<const E*>(s.input) + at);
    if (s.pre_gate) {
      const Group gate = *reinterpret_cast<const Group*>(static_cast<const E*>(s.pre_gate) + at);
#pragma unroll
      for (int i = 0; i < 8; ++i) c[i] += d * (to_float(u.e[i]) * to_float(gate.e[i]));
    } else {
#pragma unroll
      for (int i = 0; i < 8; ++i) c[i] += d * to_float(u.e[i]);
    }
  }
  if (s.post_gate) {
    const Group gate = *reinterpret_cast<const Group*>(static_cast<const E*>(s.post_gate) + at);
#pragma unroll
    for (int i = 0; i < 8; ++i) c[i] *= to_float(gate.e[i]);
  }
  Group y;
#pragma unroll
  for (int i = 0; i < 8; ++i) from_float(c[i], y.e[i]);
  *reinterpret_cast<Group*>(static_cast<E*>(s.output) + at) = y;
}

/// Largest |u'| of the piece's n points among those of this thread; for inputs too large or too small for fp16 as they are.
template <class E>
__device__ __noinline__ float largest(const SignalArrays& s, const Piece& p, int32_t n, int thread, int threads) {
  float out = 0;
  for (int32_t i = thread; i < n; i += threads) out = fmaxf(out, fabsf(gated_point<E>(s, p, i)));
  return out;
}

constexpr uint32_t kAbsent = 0xffffffffu;  // in place of the largest |half| of a piece that is not there

/// True if members with these largest |half| (bits) are good in fp16 as read: neither too large, nor too small (float32 and bf16 inputs may
/// have become 0), nor far below their partner.
template <int kMembers>
__device__ __forceinline__ bool trusted(const uint32_t (&top)[2]) {
  bool good = true;
  for (int m = 0; m < kMembers; ++m) good = good && (top[m] == kAbsent || (top[m] >= 0x2c00u && top[m] <= 0x5400u));  // 2^-4 .. 64
  if (kMembers == 2 && top[0] != kAbsent && top[1] != kAbsent) good = good && max(top[0], top[1]) - min(top[0], top[1]) <= 0x1400u;  // 2^5
  return good;
}

/// Power of two that brings `maximum` to [1, 2); 1 for 0 and what is not finite.
__device__ __forceinline__ float scale_for(float maximum) {
  if (!(maximum > 0) || isinf(maximum)) return 1;
  int exponent = 0;
  frexpf(maximum, &exponent);
  return ldexpf(1.0f, max(-126, min(126, 1 - exponent)));
}

}  // namespace longconv::cuda
