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
  int64_t total_channels;
  int32_t batch, first_channel, length;
  // Every row is cut into `blocks` pieces: piece b holds the points [b * step - history, b * step - history + n) of the row, and
  // writes those from b * step on. One piece without history for a transform of the whole row.
  int32_t blocks, step, history;
  // Not 0: the two members of a transform are the halves of one block of 2 n points (overlap-save), and its second starts so many points, n,
  // after the first. 0: they are pieces of their own.
  int32_t apart;
  int32_t discarded[2];  // points at the start of a member that are not written: history
  bool vector;  // length, step, history divisible by 8 and arrays aligned: 8 points are read or written at once
};

/// What a kernel is compiled for: arrays that are read in whole pieces of 8 points (SignalArrays::vector) without gates, or with both; or any call,
/// which then decides at run time. The first two have neither the branches nor the code of the rest.
enum class Form { kPlain, kGated, kAny };

template <Form kForm>
__device__ __forceinline__ bool is_vector(const SignalArrays& s) { return kForm != Form::kAny || s.vector; }
template <Form kForm>
__device__ __forceinline__ bool pre_gated(const SignalArrays& s) { return kForm == Form::kAny ? s.pre_gate != nullptr : kForm == Form::kGated; }
template <Form kForm>
__device__ __forceinline__ bool post_gated(const SignalArrays& s) { return kForm == Form::kAny ? s.post_gate != nullptr : kForm == Form::kGated; }

inline Form form_of(const SignalArrays& s) {
  if (!s.vector || (s.pre_gate == nullptr) != (s.post_gate == nullptr)) return Form::kAny;
  return s.pre_gate ? Form::kGated : Form::kPlain;
}

constexpr int32_t kNowhere = -(1 << 30);  // start of a piece that is not there: every point lies outside its row

/// One piece of one row. Points outside the row read as 0 and are not written.
struct Piece {
  int64_t at;     // offset in the array of point 0
  int32_t start;  // position in the row of point 0
  float in_scale, out_scale;  // powers of two
  __device__ __forceinline__ bool present() const { return start != kNowhere; }
};

/// Member `m` of the channel's transform number `index`.
template <int kMembers>
__device__ __forceinline__ Piece piece_of(const SignalArrays& s, int32_t channel, uint32_t index, int m) {
  Piece p;
  const uint32_t sequence = s.apart ? index : index * kMembers + m;
  const uint32_t b = s.blocks == 1 ? sequence : sequence / s.blocks;
  p.start = static_cast<int32_t>(sequence - b * s.blocks) * s.step - s.history + m * s.apart;
  p.at = (b * s.total_channels + s.first_channel + channel) * s.length + p.start;
  if (static_cast<int32_t>(b) >= s.batch || p.start >= s.length) p.start = kNowhere;
  p.in_scale = p.out_scale = 1;
  return p;
}

__device__ __forceinline__ float to_float(__half v) { return __half2float(v); }
__device__ __forceinline__ float to_float(__nv_bfloat16 v) { return __bfloat162float(v); }
__device__ __forceinline__ float to_float(float v) { return v; }
__device__ __forceinline__ void from_float(float v, __half& out) { out = __float2half_rn(v); }
__device__ __forceinline__ void from_float(float v, __nv_bfloat16& out) { out = __float2bfloat16_rn(v); }
__device__ __forceinline__ void from_float(float v, float& out) { out = v; }

/// kCount elements, read or written as one piece of 8 or 16 bytes, or two of 16.
template <class E, int kCount>
struct alignas(16) Elements {
  E e[kCount];
};
template <class E>
struct alignas(8) Elements<E, 4> {
  E e[4];
};

/// Zeros if not `valid`.
template <class E, int kCount>
__device__ __forceinline__ Elements<E, kCount> load_elements(const void* array, int64_t at, bool valid = true) {
  using Word = std::conditional_t<sizeof(E) * kCount == 8, uint2, uint4>;
  Elements<E, kCount> out;
  Word words[sizeof(out) / sizeof(Word)] = {};
#pragma unroll
  for (int i = 0; i < static_cast<int>(sizeof(out) / sizeof(Word)); ++i)
    if (valid) words[i] = load_once(reinterpret_cast<const Word*>(static_cast<const E*>(array) + at) + i);
  memcpy(&out, words, sizeof out);
  return out;
}

/// True if the 8-point group (kCount divides 8) at `point` lies in the row; with s.vector it lies in or out as a whole.
__device__ __forceinline__ bool inside(const SignalArrays& s, const Piece& p, int32_t point) {
  return static_cast<uint32_t>(p.start + point) < static_cast<uint32_t>(s.length);
}

/// u * gate, and * scale if that is not 1 (kScaled), as half2 pairs, rounded once.
template <bool kGated, bool kScaled, class E, int kCount>
__device__ __forceinline__ void to_halves(const Elements<E, kCount>& u, const Elements<E, kCount>& gate, float scale, uint32_t (&out)[kCount / 2]) {
  if constexpr (std::is_same_v<E, __half> && !kScaled) {
    memcpy(out, &u, sizeof out);
    if constexpr (kGated) {
      uint32_t factor[kCount / 2];
      memcpy(factor, &gate, sizeof factor);
#pragma unroll
      for (int i = 0; i < kCount / 2; ++i) out[i] = bits(__hmul2(as_half2(out[i]), as_half2(factor[i])));
    }
  } else {
#pragma unroll
    for (int i = 0; i < kCount / 2; ++i) {
      float a = to_float(u.e[2 * i]), b = to_float(u.e[2 * i + 1]);
      if constexpr (kScaled) a *= scale, b *= scale;
      if constexpr (kGated) a *= to_float(gate.e[2 * i]), b *= to_float(gate.e[2 * i + 1]);
      out[i] = pack(a, b);
    }
  }
}

/// One element, 0 outside the row.
template <class E>
__device__ __forceinline__ E point_of(const SignalArrays& s, const Piece& p, const void* array, int32_t point) {
  return inside(s, p, point) ? static_cast<const E*>(array)[p.at + point] : E{};
}

/// u' of one point, 0 outside the row.
template <class E>
__device__ __forceinline__ float gated_point(const SignalArrays& s, const Piece& p, int32_t point) {
  const float u = to_float(point_of<E>(s, p, s.input, point));
  return s.pre_gate ? u * to_float(point_of<E>(s, p, s.pre_gate, point)) : u;
}

/// Points [point, point + kCount) of `array`, 0 outside the row.
template <Form kForm, class E, int kCount>
__device__ __forceinline__ Elements<E, kCount> read_elements(const SignalArrays& s, const Piece& p, const void* array, int32_t point) {
  if (is_vector<kForm>(s)) return load_elements<E, kCount>(array, p.at + point, inside(s, p, point));
  Elements<E, kCount> out;
#pragma unroll
  for (int i = 0; i < kCount; ++i) out.e[i] = point_of<E>(s, p, array, point + i);
  return out;
}

/// Starts to copy points [point, point + kCount) of `array` to `to` in shared memory, zeros for what lies outside; async_wait() ends it.
/// For s.vector.
template <class E, int kCount>
__device__ __forceinline__ void stage_elements(const SignalArrays& s, const Piece& p, const void* array, int32_t point, Elements<E, kCount>* to) {
  const bool in = inside(s, p, point);
  const char* from = reinterpret_cast<const char*>(static_cast<const E*>(array) + p.at + point);  // not read if outside
  constexpr int kBytes = sizeof(E) * kCount == 8 ? 8 : 16;
#pragma unroll
  for (int i = 0; i < static_cast<int>(sizeof(*to)) / kBytes; ++i) async_copy<kBytes>(reinterpret_cast<char*>(to) + kBytes * i, from + kBytes * i, in);
}

/// The same at once, element by element, in little code; for any alignment.
template <class E, int kCount>
__device__ __forceinline__ void stage_pointwise(const SignalArrays& s, const Piece& p, const void* array, int32_t point, Elements<E, kCount>* to) {
#pragma unroll 1
  for (int i = 0; i < kCount; ++i) to->e[i] = point_of<E>(s, p, array, point + i);
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

/// Post-gates of points [point, point + 8), for write_points: loaded before the products that give the points, so that they arrive meanwhile.
template <Form kForm, class E>
__device__ __forceinline__ Elements<E, 8> read_post_gate(const SignalArrays& s, const Piece& p, int32_t discarded, int32_t point) {
  const bool needed = is_vector<kForm>(s) && post_gated<kForm>(s) && point >= discarded && inside(s, p, point);
  return load_elements<E, 8>(s.post_gate, p.at + point, needed);
}

/// y = post_gate * (c * out_scale + skip * u') of points [point, point + 8) of a member's piece, from `discarded` on.
template <Form kForm, class E>
__device__ __forceinline__ void write_points(const SignalArrays& s, const Piece& p, int32_t discarded, const int32_t& channel, int32_t point, float (&c)[8],
                                             const Elements<E, 8>& gate) {
  const int64_t at = p.at + point;
  if (!is_vector<kForm>(s)) {
#pragma unroll 1
    for (int i = 0; i < 8; ++i) {
      float y = c[0];
#pragma unroll
      for (int q = 1; q < 8; ++q) y = q == i ? c[q] : y;
      if (point + i < discarded || !inside(s, p, point + i)) continue;
      y *= p.out_scale;
      if (s.skip) y += load_constant(s.skip + s.first_channel + channel) * gated_point<E>(s, p, point + i);
      if (s.post_gate) y *= to_float(point_of<E>(s, p, s.post_gate, point + i));
      from_float(y, static_cast<E*>(s.output)[at + i]);
    }
    return;
  }
  if (point < discarded || !inside(s, p, point)) return;
#pragma unroll
  for (int i = 0; i < 8; ++i) c[i] *= p.out_scale;
  if (s.skip) {
    const float d = load_constant(s.skip + s.first_channel + channel);
    const Elements<E, 8> u = load_elements<E, 8>(s.input, at);
    if (pre_gated<kForm>(s)) {
      const Elements<E, 8> gate = load_elements<E, 8>(s.pre_gate, at);
#pragma unroll
      for (int i = 0; i < 8; ++i) c[i] += d * (to_float(u.e[i]) * to_float(gate.e[i]));
    } else {
#pragma unroll
      for (int i = 0; i < 8; ++i) c[i] += d * to_float(u.e[i]);
    }
  }
  if (post_gated<kForm>(s)) {
#pragma unroll
    for (int i = 0; i < 8; ++i) c[i] *= to_float(gate.e[i]);
  }
  Elements<E, 8> y;
#pragma unroll
  for (int i = 0; i < 8; ++i) from_float(c[i], y.e[i]);
  uint4 words[sizeof(y) / 16];
  memcpy(words, &y, sizeof y);
#pragma unroll
  for (int i = 0; i < static_cast<int>(sizeof(y) / 16); ++i) store_once(reinterpret_cast<uint4*>(static_cast<E*>(s.output) + at) + i, words[i]);
}

/// Largest |u'| of the piece's n points among those of this thread; for inputs too large or too small for fp16 as they are.
template <class E>
__device__ __forceinline__ float largest(const SignalArrays& s, const Piece& p, int32_t n, int thread, int threads) {
  float out = 0;
#pragma unroll 1
  for (int32_t i = thread; i < n; i += threads) out = fmaxf(out, fabsf(gated_point<E>(s, p, i)));
  return out;
}

constexpr uint32_t kAbsent = 0xffffffffu;  // in place of the largest |half| of a piece that is not there

/// True if members with these largest |half| (bits) are good in fp16 as read: neither too large, nor too small (float32 and bf16 inputs may
/// have become 0), nor far below their partner. most: most_trusted() of the transform.
template <int kMembers>
__device__ __forceinline__ bool trusted(const uint32_t (&top)[2], uint32_t most) {
  bool good = true;
  for (int m = 0; m < kMembers; ++m) good = good && (top[m] == kAbsent || (top[m] >= 0x2c00u && top[m] <= most));  // from 2^-4 on
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
