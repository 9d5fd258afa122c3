// Columns of a long transform of N = 256 * n points: the first two digits (16 * 16) before, and the last two of the inverse after, the rows
// (one_pass.cuh, kComplex). The rows lie between the passes as complex fp16, [sequence][kept row][n], a chunk of sequences at a time.
//
// Layout: a block takes 64 neighbouring columns of one sequence, 256 x 64 numbers in shared memory (swizzle_columns). Row r = 16 ra + rb of
//   the signal, frequency f = fa + 16 fb. Forward: ra -> fa from device memory, twiddle w_256^((fa - alpha) rb), rb -> fb, twiddle
//   w_N^((f - alpha) m), kept rows to device memory. Inverse: fb -> rb from the kept rows, twiddle, fa -> ra, y.
// Dropped rows are neither written, transformed nor read.
// Preconditions: 256 threads; N >= 64K. Reference: one_pass.cuh with Q = 256. Cost per complex point: u in, 4 bytes out (kept rows); the inverse likewise.
// Scales: a sequence whose largest |u'| leaves the range trusted in fp16 is done again, scaled, by the block that finishes it last.
#pragma once

#include "digit_pass.cuh"
#include "layout.cuh"
#include "long_twiddle.cuh"
#include "signal.cuh"

namespace longconv::cuda {

/// State of one sequence of a chunk, in the workspace; zeroed before the first chunk.
struct SequenceState {
  uint32_t maximum[2];
  uint32_t finished;  // blocks
  float scale[2];
};

struct Columns {
  SignalArrays signal;
  LongRows rows;
  SequenceState* sequences;
  const int32_t* slots;          // [256]: slot of row f, -1 for a dropped one
  const uint4 *in_fragments, *digit_fragments, *out_fragments;  // R = 16: first digit, complex digit, last digit
  const float2* inner;           // [16 fa][16 rb]: w_256^((fa - alpha) rb)
  const float* filter_scale;     // [channels]
  uint32_t first_sequence;       // of its channel
  int32_t points;                // n
  uint32_t most;                 // trusted()
};

template <Signal kSignal, class E>
struct ColumnsKernel {
  static constexpr int kThreads = 256, kWarps = 8, kTile = 64;
  static constexpr int kMembers = kSignal == Signal::kPair ? 2 : 1;
  static constexpr int kStripColumns = sizeof(E) == 4 ? 4 : 8;
  static constexpr size_t kSharedBytes = 256 * kTile * sizeof(uint32_t) + 64;

  const Columns& p;
  uint32_t* tile;
  uint32_t* shared;  // [0..1] maxima
  int thread, lane, warp;
  uint32_t sequence;
  int32_t channel;
  Piece piece[2];

  __device__ __forceinline__ ColumnsKernel(const Columns& parameters, uint32_t* memory, uint32_t sequence_of_chunk)
      : p(parameters), tile(memory), shared(memory + 256 * kTile), sequence(sequence_of_chunk) {
    thread = thread_index();
    lane = thread & 31;
    warp = thread >> 5;
    const uint32_t local = sequence_of_chunk / p.rows.sequences;
    channel = p.rows.first_channel + static_cast<int32_t>(local);
    for (int m = 0; m < kMembers; ++m)
      piece[m] = piece_of<kMembers>(p.signal, channel, p.first_sequence + sequence_of_chunk - local * p.rows.sequences, m);
  }

  using InStrip = Strip<kSignal, 16, kStripColumns>;
  using Staged = Elements<E, kStripColumns>;
  static constexpr int kStrip = 8 * kStripColumns, kStrips = kTile / kStrip;
  // Input goes to the tile as it is, where its transform will lie: 16 bytes for each lane, the second member behind the first.
  static constexpr bool kStaged = sizeof(Staged) * kMembers <= kStripColumns * 4 && sizeof(Staged) == 16;

  __device__ __forceinline__ Staged* staged_piece(int task, int i, int m) const {
    const int row = digit_row(lane & 3, i) * 1024 + task / kStrips * 64;
    return reinterpret_cast<Staged*>(tile + swizzle_columns(row + task % kStrips * kStrip + 4 * (lane >> 2) + 32 * m));
  }
  __device__ __forceinline__ int point_of_row(int task, int i, int column0) const {
    return (16 * digit_row(lane & 3, i) + task / kStrips) * p.points + column0 + task % kStrips * kStrip + kStripColumns * (lane >> 2);
  }

  template <Access kAccess>
  __device__ __forceinline__ void load_rows(int task, int column0, InStrip& s) const {
#pragma unroll
    for (int i = 0; i < 4; ++i)
#pragma unroll
      for (int m = 0; m < kMembers; ++m) read_halves<E, kStripColumns, kAccess>(p.signal, piece[m], point_of_row(task, i, column0), s.raw[i][m]);
  }

  __device__ __forceinline__ void load_staged(int task, int column0, InStrip& s) const {
#pragma unroll
    for (int i = 0; i < 4; ++i)
#pragma unroll
      for (int m = 0; m < kMembers; ++m) {
        const Staged u = *staged_piece(task, i, m);
        if (!p.signal.pre_gate) {
          to_halves<false>(u, u, piece[m].in_scale, s.raw[i][m]);
          continue;
        }
        const int point = point_of_row(task, i, column0);
        Staged gate = {};
        if (inside(p.signal, piece[m], point)) gate = load_elements<E, kStripColumns>(p.signal.pre_gate, piece[m].row + piece[m].start + point);
        to_halves<true>(u, gate, piece[m].in_scale, s.raw[i][m]);
      }
  }

  __device__ __forceinline__ void read_columns(int column0, uint32_t (&maximum)[2]) {
    const int t = lane & 3;
    const bool staged = kStaged && p.signal.vector;
    if (staged) {
#pragma unroll 1
      for (int task = warp; task < 16 * kStrips; task += kWarps)
#pragma unroll
        for (int i = 0; i < 4; ++i)
#pragma unroll
          for (int m = 0; m < kMembers; ++m)
            stage_elements<E, kStripColumns>(p.signal, piece[m], p.signal.input, point_of_row(task, i, column0), staged_piece(task, i, m));
      async_wait();
    }
#pragma unroll 1
    for (int task = warp; task < 16 * kStrips; task += kWarps) {
      const int rb = task / kStrips, first = task % kStrips * kStrip;
      InStrip s;
      if (staged) {
        load_staged(task, column0, s);
      } else {
        switch (access_of(p.signal)) {
          case Access::kPlain:
            if constexpr (!kStaged) load_rows<Access::kPlain>(task, column0, s);
            break;
          case Access::kGated:
            if constexpr (!kStaged) load_rows<Access::kGated>(task, column0, s);
            break;
          case Access::kPointwise: load_rows<Access::kPointwise>(task, column0, s); break;
        }
      }
      track_maximum(s.raw, maximum);
      warp_sync();  // all lanes have read what is overwritten now
      transform_strip<16, kStripColumns, false>(
          p.in_fragments, s, lane,
          [&](int fa) {
            RunningTwiddle tw;
            tw.w[0] = tw.w[1] = load_constant(p.inner + fa * 16 + rb);
            return tw;
          },
          [&](int fa, int c, int j, uint4 words) {
            *reinterpret_cast<uint4*>(tile + swizzle_columns(fa * 1024 + rb * 64 + first + kStripColumns * (2 * t + c) + j)) = words;
          });
    }
  }

  __device__ __forceinline__ void forward_tile(int column0) {
    const int g = lane >> 2, t = lane & 3;
    uint32_t maximum[2] = {0, 0};
    if (thread < 2) shared[thread] = 0;
    block_sync();
    read_columns(column0, maximum);
    // Twiddles of the second digit for rows fb = g and g + 8 of the warp's first task.
    RunningTwiddle near[2];
    const int first_column = column0 + (warp & 1) * 32 + 8 * t;
#pragma unroll
    for (int o = 0; o < 2; ++o) {
      const uint32_t bin4 = 4 * ((warp >> 1) + 16 * (g + 8 * o)) - p.rows.shift4;
      near[o] = p.rows.twiddles.running(p.rows.twiddles.row_bin(bin4, 1), first_column);
    }
    for (int m = 0; m < kMembers; ++m) raise_maximum(&shared[m], maximum[m]);
    block_sync();
    uint32_t* rows = p.rows.data + sequence * static_cast<int64_t>(p.rows.kept_rows) * p.points;
    // What leads from one task of the warp to the next: fa goes on by kWarps / 2, the columns stay.
    const RunningTwiddle next = p.rows.twiddles.running(p.rows.twiddles.row_bin(4 * (kWarps / 2), 1), first_column);
#pragma unroll 1
    for (int task = warp; task < 32; task += kWarps) {
      const int fa = task >> 1, first = (task & 1) * 32;
      const Strip<Signal::kComplex, 16, 4> s = load_strip(fa, first + 4 * g);
      if (task != warp) {
#pragma unroll
        for (int o = 0; o < 2; ++o) {
          near[o].w[0] = multiply(near[o].w[0], next.w[0]);
          near[o].w[1] = multiply(near[o].w[1], next.w[1]);
          near[o].step = multiply(near[o].step, next.step);
        }
      }
      const int column = column0 + first + 8 * t;
      transform_strip<16, 4, true>(
          p.digit_fragments, s, lane, [&](int fb) { return near[fb >> 3]; },
          [&](int fb, int c, int, uint4 words) {
            const int slot = load_constant(p.slots + fa + 16 * fb);
            if (slot >= 0) store_shared_level(reinterpret_cast<uint4*>(rows + static_cast<int64_t>(slot) * p.points + column + 4 * c), words);
          });
    }
  }

  /// 16 rows digit_row(t, i) of the tile under `top`, 4 columns.
  __device__ __forceinline__ Strip<Signal::kComplex, 16, 4> load_strip(int top, int column) const {
    Strip<Signal::kComplex, 16, 4> s;
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const uint4 words = *reinterpret_cast<const uint4*>(tile + swizzle_columns(top * 1024 + digit_row(lane & 3, i) * 64 + column));
      s.raw[i][0][0] = words.x, s.raw[i][0][1] = words.y, s.raw[i][0][2] = words.z, s.raw[i][0][3] = words.w;
    }
    return s;
  }

  __device__ void forward(int tile_index) {
    for (int m = 0; m < kMembers; ++m) piece[m].in_scale = 1;
    forward_tile(tile_index * kTile);
    SequenceState& state = p.sequences[sequence];
    block_sync();
    bool last = false;
    if (thread == 0) {
      for (int m = 0; m < kMembers; ++m) global_maximum(&state.maximum[m], shared[m]);
      last = global_count(&state.finished) + 1 == static_cast<uint32_t>(p.points / kTile);
    }
    if (!block_any(last)) return;
    if (thread == 0)
      for (int m = 0; m < kMembers; ++m) shared[m] = piece[m].present ? global_take(&state.maximum[m]) : kAbsent;
    block_sync();
    const uint32_t top[2] = {shared[0], shared[1]};
    const bool good = trusted<kMembers>(top, p.most);
    float scale[2] = {1, 1};
    if (!good) {
      for (int m = 0; m < kMembers; ++m) {
        const float mine = largest<E>(p.signal, piece[m], 256 * p.points, thread, kThreads);
        block_sync();
        if (thread == 0) shared[0] = 0;
        block_sync();
        uint32_t word;
        memcpy(&word, &mine, 4);
        raise_maximum(&shared[0], word);
        block_sync();
        float maximum;
        memcpy(&maximum, &shared[0], 4);
        scale[m] = scale_for(maximum);
      }
      for (int m = 0; m < kMembers; ++m) piece[m].in_scale = scale[m];
      for (int i = 0; i < p.points / kTile; ++i) {
        block_sync();
        forward_tile(i * kTile);
      }
    }
    if (thread == 0) {
      state.scale[0] = scale[0];
      state.scale[1] = scale[1];
      state.finished = 0;  // for the next chunk
    }
  }

  __device__ void inverse(int tile_index) {
    const int g = lane >> 2, t = lane & 3;
    const int column0 = tile_index * kTile;
    for (int m = 0; m < kMembers; ++m) piece[m].out_scale = load_constant(p.filter_scale + channel) / p.sequences[sequence].scale[m];
    const uint32_t* rows = p.rows.data + sequence * static_cast<int64_t>(p.rows.kept_rows) * p.points;
    // Rows go to the tile first, where their transform will lie; every lane copies what it reads.
#pragma unroll 1
    for (int task = warp; task < 32; task += kWarps) {
      const int fa = task >> 1, first = (task & 1) * 32;
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const int slot = load_constant(p.slots + fa + 16 * digit_row(t, i));
        async_copy<16>(tile + swizzle_columns(digit_row(t, i) * 1024 + fa * 64 + first + 4 * g),
                       rows + static_cast<int64_t>(max(slot, 0)) * p.points + column0 + first + 4 * g, slot >= 0);
      }
    }
    async_wait();
#pragma unroll 1
    for (int task = warp; task < 32; task += kWarps) {
      const int fa = task >> 1, first = (task & 1) * 32;
      Strip<Signal::kComplex, 16, 4> s;
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const uint4 words = *reinterpret_cast<const uint4*>(tile + swizzle_columns(digit_row(t, i) * 1024 + fa * 64 + first + 4 * g));
        s.raw[i][0][0] = words.x, s.raw[i][0][1] = words.y, s.raw[i][0][2] = words.z, s.raw[i][0][3] = words.w;
      }
      warp_sync();  // all lanes have read what is overwritten now
      transform_strip<16, 4, false>(
          p.digit_fragments, s, lane,
          [&](int rb) {
            RunningTwiddle tw;
            tw.w[0] = tw.w[1] = load_constant(p.inner + fa * 16 + rb);
            return tw;
          },
          [&](int rb, int c, int, uint4 words) {
            *reinterpret_cast<uint4*>(tile + swizzle_columns(rb * 1024 + fa * 64 + first + 8 * t + 4 * c)) = words;
          });
    }
    block_sync();
    for (int task = warp; task < 32; task += kWarps) {
      const int rb = task >> 1, first = (task & 1) * 32;
      const Strip<Signal::kComplex, 16, 4> s = load_strip(rb, first + 4 * g);
      const auto point_of_row = [&](int ra) { return (16 * ra + rb) * p.points + column0 + first + 8 * t; };
      finish_strip<16, kSignal == Signal::kReal>(
          p.out_fragments, s, lane, [&](int ra, int m) { return read_post_gate<E>(p.signal, piece[m], 0, point_of_row(ra)); },
          [&](int ra, int m, float(&y)[8], const Elements<E, 8>& gate) { write_points<E>(p.signal, piece[m], 0, channel, point_of_row(ra), y, gate); });
    }
  }
};

}  // namespace longconv::cuda
