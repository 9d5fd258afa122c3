// Columns of a long transform of N = 256 * n points: the first two digits (16 * 16) before, and the last two of the inverse after, the rows
// (one_pass.cuh, kComplex). The rows lie between the passes as complex fp16, [sequence][kept row][n], a chunk of sequences at a time.
//
// Layout: a block takes 64 neighbouring columns of one sequence, 256 x 64 numbers in shared memory (swizzle_columns). Row r = 16 ra + rb of
//   the signal, frequency f = fa + 16 fb. Forward: ra -> fa from device memory, twiddle w_256^((fa - alpha) rb), rb -> fb, twiddle
//   w_N^((f - alpha) m), kept rows to device memory. Inverse: fb -> rb from the kept rows, twiddle, fa -> ra, y.
// Dropped rows are neither written, transformed nor read.
// Preconditions: 256 threads; N >= 64K. Reference: one_pass.cuh with Q = 256. Cost per complex point: u in, 4 bytes out (kept rows); the inverse likewise.
// Scales: a sequence whose largest |u'| leaves the range trusted in fp16 is done again, scaled, by a block that looks at the maxima of all (settle).
#pragma once

#include "digit_pass.cuh"
#include "layout.cuh"
#include "long_twiddle.cuh"
#include "signal.cuh"

namespace longconv::cuda {

/// State of one sequence of a chunk, in the workspace; zeroed before the first chunk.
struct SequenceState {
  uint32_t maximum[2];  // of what the blocks have read; 0 again once it is settled
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

template <Signal kSignal, class E, Form kForm>
struct ColumnsKernel {
  static constexpr int kThreads = 256, kWarps = 8, kTile = 64;
  static constexpr int kMembers = kSignal == Signal::kPair ? 2 : 1;
  static constexpr int kStripColumns = sizeof(E) == 4 ? 4 : 8;
  static constexpr size_t kSharedBytes = 256 * kTile * sizeof(uint32_t) + 64;

  const Columns& p;
  uint32_t* tile;
  uint32_t* shared;  // [0..1] maxima
  int lane, warp;
  uint32_t sequence;
  int32_t channel;
  Piece piece[2];

  __device__ __forceinline__ ColumnsKernel(const Columns& parameters, uint32_t* memory, uint32_t sequence_of_chunk)
      : p(parameters), tile(memory), shared(memory + 256 * kTile), sequence(sequence_of_chunk) {
    lane = thread_index() & 31;
    warp = thread_index() >> 5;
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

  /// A place in the tile, from what lane and task contribute (swizzled) and what the compiler knows.
  __device__ __forceinline__ uint32_t* place(int lane_part, int task_part, int known) const { return tile + (lane_part ^ task_part ^ swizzle_columns(known)); }

  // Lane's rows under the first digit (ra, or fb), to be read, and 4 words of their columns; rows of its results, of columns kColumns (2 t + c).
  __device__ __forceinline__ int read_part() const { return swizzle_columns(2048 * (lane & 3) + 4 * (lane >> 2)); }
  template <int kColumns>
  __device__ __forceinline__ int write_part() const { return swizzle_columns(1024 * (lane >> 2) + 2 * kColumns * (lane & 3)); }
  /// Row rb (or fa) under the second digit, from column `first` on.
  __device__ __forceinline__ static int task_part(int row, int first) { return swizzle_columns(64 * row + first); }

  __device__ __forceinline__ Staged* staged_piece(int task, int i, int m) const {
    return reinterpret_cast<Staged*>(place(read_part(), task_part(task / kStrips, task % kStrips * kStrip), 1024 * digit_row(0, i) + 32 * m));
  }
  /// Of the lane's first row; its row i lies row_step(i) further on.
  __device__ __forceinline__ int first_point(int task, int column0) const {
    return (32 * (lane & 3) + task / kStrips) * p.points + column0 + task % kStrips * kStrip + kStripColumns * (lane >> 2);
  }
  __device__ __forceinline__ int row_step(int i) const { return 16 * digit_row(0, i) * p.points; }

  static constexpr int kTasks = 16 * kStrips / kWarps;  // strips of a warp
  static constexpr bool kGatesAhead = kForm == Form::kGated && std::is_same_v<E, __half>;  // bfloat16: too few registers

  /// Pre-gates of a strip.
  __device__ __forceinline__ void load_gates(int task, int column0, Staged (&gates)[4][kMembers]) const {
    const int first = first_point(task, column0);
#pragma unroll
    for (int m = 0; m < kMembers; ++m) {
      const E* const from = static_cast<const E*>(p.signal.pre_gate) + (piece[m].at + first);
#pragma unroll
      for (int i = 0; i < 4; ++i) gates[i][m] = load_elements<E, kStripColumns>(from, row_step(i), inside(p.signal, piece[m], first + row_step(i)));
    }
  }

  /// Starts to copy the input to the tile, for a call in whole pieces.
  __device__ __forceinline__ void stage(int column0) const {
#pragma unroll 1
    for (int task = warp; task < kTasks * kWarps; task += kWarps) {
      const int first = first_point(task, column0);
#pragma unroll
      for (int m = 0; m < kMembers; ++m) {
        const E* const from = static_cast<const E*>(p.signal.input) + (piece[m].at + first);  // not read if outside
#pragma unroll
        for (int i = 0; i < 4; ++i)
          async_copy<16>(staged_piece(task, i, m), from + row_step(i), inside(p.signal, piece[m], first + row_step(i)));
      }
    }
  }

  /// A strip of the input: staged, with gates that came ahead or are read now; or all of it read now.
  template <bool kScaled>
  __device__ __forceinline__ void take_strip(int task, int column0, bool staged, const Staged (&gates)[4][kMembers], InStrip& s) const {
#pragma unroll
    for (int i = 0; i < 4; ++i)
#pragma unroll
      for (int m = 0; m < kMembers; ++m) {
        const int point = first_point(task, column0) + row_step(i);
        const Staged u = staged ? *staged_piece(task, i, m) : read_elements<kForm, E, kStripColumns>(p.signal, piece[m], p.signal.input, point);
        if (!pre_gated<kForm>(p.signal)) {
          to_halves<false, kScaled>(u, u, piece[m].in_scale, s.raw[i][m]);
        } else if constexpr (kGatesAhead) {
          to_halves<true, kScaled>(u, gates[i][m], piece[m].in_scale, s.raw[i][m]);
        } else {
          to_halves<true, kScaled>(u, read_elements<kForm, E, kStripColumns>(p.signal, piece[m], p.signal.pre_gate, point), piece[m].in_scale, s.raw[i][m]);
        }
      }
  }

  /// The first digit, from device memory to the tile, and the largest of what is read, to `shared`.
  template <bool kScaled>
  __device__ __forceinline__ void read_columns(int column0) {
    const int g = lane >> 2;
    const bool staged = kForm != Form::kAny || (kStaged && p.signal.vector);
    if (staged) stage(column0);
    Staged gates[4][kMembers];  // of one strip, on their way while the input is copied, or the strip before is computed
    if constexpr (kGatesAhead) load_gates(warp, column0, gates);
    const KeptFragments<16, 1> fragments(p.in_fragments, lane);
    if (staged) async_wait();
#pragma unroll 1
    for (int task = warp; task < kTasks * kWarps; task += kWarps) {
      const int rb = task / kStrips, part = task_part(rb, task % kStrips * kStrip);
      InStrip s;
      take_strip<kScaled>(task, column0, staged, gates, s);
      if constexpr (kGatesAhead)
        if (task + kWarps < kTasks * kWarps) load_gates(task + kWarps, column0, gates);
      uint32_t maximum[2] = {0, 0};
      track_maximum(s.raw, maximum);
      for (int m = 0; m < kMembers; ++m) raise_maximum(&shared[m], maximum[m]);
      warp_sync();  // all lanes have read what is overwritten now
      transform_strip<16, kStripColumns, false>(
          fragments, s, lane,
          [&](int fa) {
            RunningTwiddle tw;
            tw.w[0] = tw.w[1] = load_constant(p.inner + fa * 16 + rb);
            return tw;
          },
          [&](int fa, int c, int j, uint4 words) {
            *reinterpret_cast<uint4*>(place(write_part<kStripColumns>(), part, (fa - g) * 1024 + kStripColumns * c + j)) = words;
          });
    }
  }

  template <bool kScaled>
  __device__ __forceinline__ void forward_tile(int column0) {
    const int g = lane >> 2, t = lane & 3;
    if (thread_index() < 2) shared[thread_index()] = 0;
    block_sync();
    read_columns<kScaled>(column0);
    // Twiddles of the second digit for rows fb = g and g + 8 of the warp's first task.
    RunningTwiddle near[2];
    const int first_column = column0 + (warp & 1) * 32 + 8 * t;  // of the lane's results, in all tasks
#pragma unroll
    for (int o = 0; o < 2; ++o) {
      const uint32_t bin4 = 4 * ((warp >> 1) + 16 * (g + 8 * o)) - p.rows.shift4;
      near[o] = p.rows.twiddles.running(p.rows.twiddles.row_bin(bin4, 1), first_column);
    }
    // What leads from one task of the warp to the next: fa goes on by kWarps / 2, the columns stay.
    const RunningTwiddle next = p.rows.twiddles.running(p.rows.twiddles.row_bin(4 * (kWarps / 2), 1), first_column);
    block_sync();
    if (thread_index() < kMembers) global_maximum(&p.sequences[sequence].maximum[thread_index()], shared[thread_index()]);
    const KeptFragments<16, 1> fragments(p.digit_fragments, lane);
    uint32_t* rows = p.rows.data + sequence * static_cast<int64_t>(p.rows.kept_rows) * p.points;
#pragma unroll 1
    for (int task = warp; task < 32; task += kWarps) {
      const int fa = task >> 1;
      const int slot[2] = {load_constant(p.slots + fa + 16 * g), load_constant(p.slots + fa + 16 * (g + 8))};
      const bool kept = warp_any(slot[0] >= 0 || slot[1] >= 0);
      const Strip<Signal::kComplex, 16, 4> s = load_strip(fa, (warp & 1) * 32);
      if (task != warp) {
#pragma unroll
        for (int o = 0; o < 2; ++o) {
          near[o].w[0] = multiply(near[o].w[0], next.w[0]);
          near[o].w[1] = multiply(near[o].w[1], next.w[1]);
          near[o].step = multiply(near[o].step, next.step);
        }
      }
      if (!kept) continue;
      transform_strip<16, 4, true>(
          fragments, s, lane, [&](int fb) { return near[fb >> 3]; },
          [&](int fb, int c, int, uint4 words) {
            const int at = slot[fb >> 3];
            if (at >= 0) store_shared_level(reinterpret_cast<uint4*>(rows + static_cast<int64_t>(at) * p.points + first_column + 4 * c), words);
          });
    }
  }

  /// 16 rows digit_row(t, i) of the tile under `top`, 4 columns of the 32 from `first` on.
  __device__ __forceinline__ Strip<Signal::kComplex, 16, 4> load_strip(int top, int first) const {
    const int lane_part = swizzle_columns(128 * (lane & 3) + 4 * (lane >> 2)), top_part = swizzle_columns(1024 * top + first);
    Strip<Signal::kComplex, 16, 4> s;
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const uint4 words = *reinterpret_cast<const uint4*>(place(lane_part, top_part, 64 * digit_row(0, i)));
      s.raw[i][0][0] = words.x, s.raw[i][0][1] = words.y, s.raw[i][0][2] = words.z, s.raw[i][0][3] = words.w;
    }
    return s;
  }

  __device__ void forward(int tile_index) { forward_tile<false>(tile_index * kTile); }

  /// After all tiles of the sequence: its scales, and all of it again where fp16 does not hold the values as they are.
  __device__ void settle() {
    SequenceState& state = p.sequences[sequence];
    if (thread_index() == 0)
      for (int m = 0; m < kMembers; ++m) shared[m] = piece[m].present() ? state.maximum[m] : kAbsent;
    block_sync();
    const uint32_t top[2] = {shared[0], shared[1]};
    float scale[2] = {1, 1};
    if (!trusted<kMembers>(top, p.most)) {
      for (int m = 0; m < kMembers; ++m) {
        const float mine = largest<E>(p.signal, piece[m], 256 * p.points, thread_index(), kThreads);
        block_sync();
        if (thread_index() == 0) shared[0] = 0;
        block_sync();
        uint32_t word;
        memcpy(&word, &mine, 4);
        raise_maximum(&shared[0], word);
        block_sync();
        float maximum;
        memcpy(&maximum, &shared[0], 4);
        scale[m] = scale_for(maximum);
        piece[m].in_scale = scale[m];
      }
      for (int i = 0; i < p.points / kTile; ++i) {
        block_sync();
        forward_tile<true>(i * kTile);
      }
      block_sync();
    }
    if (thread_index() == 0) state = {{0, 0}, {scale[0], scale[1]}};
  }

  __device__ void inverse(int tile_index) {
    const int g = lane >> 2, t = lane & 3;
    const int column0 = tile_index * kTile;
    for (int m = 0; m < kMembers; ++m) piece[m].out_scale = load_constant(p.filter_scale + channel) / p.sequences[sequence].scale[m];
    const uint32_t* rows = p.rows.data + sequence * static_cast<int64_t>(p.rows.kept_rows) * p.points;
    // Rows go to the tile first, where their transform will lie; every lane copies what it reads, zeros for rows that are not kept.
    uint32_t kept = 0;  // tasks of the warp with rows other than zeros
#pragma unroll 1
    for (int task = warp; task < 32; task += kWarps) {
      const int fa = task >> 1, first = (task & 1) * 32;
      bool any = false;
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const int slot = load_constant(p.slots + fa + 16 * digit_row(t, i));
        any = any || slot >= 0;
        async_copy<16>(place(read_part(), task_part(fa, first), 1024 * digit_row(0, i)),
                       rows + static_cast<int64_t>(max(slot, 0)) * p.points + column0 + first + 4 * g, slot >= 0);
      }
      if (warp_any(any)) kept |= 1u << task;
    }
    const KeptFragments<16, 1> fragments(p.digit_fragments, lane);
    async_wait();
#pragma unroll 1
    for (int task = warp; task < 32; task += kWarps) {
      if (!(kept >> task & 1)) continue;
      const int fa = task >> 1, part = task_part(fa, (task & 1) * 32);
      Strip<Signal::kComplex, 16, 4> s;
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const uint4 words = *reinterpret_cast<const uint4*>(place(read_part(), part, 1024 * digit_row(0, i)));
        s.raw[i][0][0] = words.x, s.raw[i][0][1] = words.y, s.raw[i][0][2] = words.z, s.raw[i][0][3] = words.w;
      }
      warp_sync();  // all lanes have read what is overwritten now
      transform_strip<16, 4, false>(
          fragments, s, lane,
          [&](int rb) {
            RunningTwiddle tw;
            tw.w[0] = tw.w[1] = load_constant(p.inner + fa * 16 + rb);
            return tw;
          },
          [&](int rb, int c, int, uint4 words) {
            *reinterpret_cast<uint4*>(place(write_part<4>(), part, (rb - g) * 1024 + 4 * c)) = words;
          });
    }
    constexpr bool kReal = kSignal == Signal::kReal;
    block_sync();
    for (int task = warp; task < 32; task += kWarps) {
      const int rb = task >> 1, first = (task & 1) * 32;
      const Strip<Signal::kComplex, 16, 4> s = load_strip(rb, first);
      const auto point_of_row = [&](int ra) { return (16 * ra + rb) * p.points + column0 + first + 8 * t; };
      finish_strip<16, kReal>(
          TableFragments<16>{p.out_fragments, lane}, s, lane, [&](int ra, int m) { return read_post_gate<kForm, E>(p.signal, piece[m], 0, point_of_row(ra)); },
          [&](int ra, int m, float(&y)[8], const Elements<E, 8>& gate) { write_points<kForm, E>(p.signal, piece[m], 0, channel, point_of_row(ra), y, gate); });
    }
  }
};

}  // namespace longconv::cuda
