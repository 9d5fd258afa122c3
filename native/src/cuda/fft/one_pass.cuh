// The whole convolution of n = Q * M * 256 points on chip: one read of u, one write of y.
//
// Layout: the state, n complex fp16 numbers, stays in shared memory: index (q, m, 256 points), see layout.cuh. Digits:
//   Q first digit (1, 2, 4: small_digit.cuh; 8, 16, 32: tensor cores), slow in time, fast in frequency; M middle digit (1, 8, 16); 16 and 16 core.
//   kCluster > 1: row q of the first digit lies in block q % kCluster of a cluster. The first digit is computed by all blocks, some columns each, and
//   handed to the rows' owners; the last one takes from them. In between every block has its rows to itself.
//   kPair: two rows of the same channel are re and im (circular); or the two halves of one block of a row, twisted by a quarter bin (by tables,
//   from n = 2048 on): negacyclic over 2 n points, for overlap-save, where what wraps around falls on history. kReal: one row, twisted by a
//   quarter bin, real part of the result: the right-angle convolution, causal over n points without padding. kComplex: rows of a long
//   transform, in device memory (columns.cuh).
// Preconditions: rows of the signal hold at most n points (the rest counts as 0). Block: kWarps warps, kGroup units at a time.
// Reference: c = IDFT(filter * DFT(u')), any input that float32 holds: units whose largest |u'| leaves [2^-4, 64] are scaled and read again.
// Cost per complex point: u and y once in device memory, 4 bytes of filter from L2, 16 bytes of shared memory (32 with a middle digit).
#pragma once

#include "core.cuh"
#include "digit_pass.cuh"
#include "one_pass_parameters.cuh"
#include "small_digit.cuh"

namespace longconv::cuda {

template <Signal kSignal, class E, int Q, int M, int kWarps, int kGroup, int kCluster = 1>
struct OnePassKernel {
  static constexpr int kPoints = Q * M * 256;
  static constexpr int kOwnPoints = kPoints / kCluster, kOwnRows = Q / kCluster;  // of a block
  static constexpr int kColumns = M * 256;
  static constexpr int kThreads = kWarps * 32;
  static constexpr int kMembers = kSignal == Signal::kPair ? 2 : 1;
  static constexpr bool kSmall = Q < 8;
  static constexpr int kStripColumns = Q == 32 || kSignal == Signal::kComplex || sizeof(E) == 4 || (kCluster > 1 && kSignal == Signal::kPair) ? 4 : 8;  // columns of a lane
  static constexpr int kPieceColumns = kSmall ? 8 : kStripColumns;  // consecutive points that a thread reads
  // The next group's input is copied to shared memory while a group is computed, every thread its own pieces, where there is room for that.
  static constexpr bool kStaged = M == 1;
  using Point = std::conditional_t<kSignal == Signal::kComplex, uint32_t, E>;
  static constexpr int kPieces = kPoints * kGroup * kMembers / kPieceColumns / kThreads;  // of each thread
  static constexpr size_t kSharedBytes = sizeof(uint32_t) * kOwnPoints * kGroup + sizeof(UnitState) * 2 * kGroup;
  static constexpr size_t kStagedBytes = kStaged ? sizeof(Point) * kPoints * kGroup * kMembers : 0;  // twice with a gate
  using Staged = Elements<Point, kPieceColumns>;
  static_assert(kGroup <= kMaximumGroup && (Q < 8 ? kGroup % kWarps == 0 : kGroup == 1), "groups are for short transforms, whole units for each warp");
  static_assert(kCluster == 1 || (Q >= 8 && M > 1 && kCluster <= 8 && kSignal != Signal::kComplex), "clusters are for signals too long for one block");

  const OnePass& p;
  uint32_t* state;
  UnitState* states;
  Staged* staged;  // [pieces][threads], then those of the gate
  int thread, lane, warp;
  int rank = 0;  // of the block in its cluster
  PeerMemory in_owner, out_owner[2];
  int slot;  // the thread's place among staged pieces
  int current = 0;  // half of `states` in use

  __device__ __forceinline__ OnePassKernel(const OnePass& parameters, uint32_t* shared) : p(parameters), state(shared) {
    states = reinterpret_cast<UnitState*>(shared + kOwnPoints * kGroup);
    staged = reinterpret_cast<Staged*>(states + 2 * kGroup);
    thread = thread_index();
    lane = thread & 31;
    warp = thread >> 5;
    if constexpr (kCluster > 1) {
      rank = cluster_rank();
      in_owner = PeerMemory(state, (lane >> 2) % kCluster);
      for (int i = 0; i < 2; ++i) out_owner[i] = PeerMemory(state, digit_row(lane & 3, i) % kCluster);
    }
    slot = kSmall ? thread : warp * 32 + staged_slot(lane, sizeof(Staged));
  }

  /// Describes the units of a group in half `half` of the shared states.
  __device__ __forceinline__ void begin(int half, uint32_t first_unit) {
    if (thread >= kGroup) return;
    UnitState& u = states[half * kGroup + thread];
    uint32_t unit = first_unit + thread;
    u.present = unit < p.units;
    if (!u.present) unit = p.units - 1;  // computed, not written
    if constexpr (kSignal == Signal::kComplex) {
      p.rows.locate(unit, u.channel, u.row, u.bin, u.filter, kPoints, Q < 8 ? 1 : Q / 2 * kColumns);
    } else {
      const uint32_t channel = unit / p.units_per_channel, inner = unit - channel * p.units_per_channel;
      u.channel = static_cast<int32_t>(channel);
      for (int m = 0; m < kMembers; ++m) {
        u.piece[m] = piece_of<kMembers>(p.signal, u.channel, inner, m);
        u.piece[m].present = u.piece[m].present && u.present;
        u.maximum[m] = u.piece[m].present ? 0 : kAbsent;
        u.scale[m] = 1;
        u.out_scale[m] = load_constant(p.filter_scale + channel);
      }
      u.filter = p.filter + static_cast<int64_t>(channel) * kPoints;
    }
  }

  /// Whether the two members are the halves of one block: every product mixes them, so they have one scale.
  __device__ __forceinline__ bool halves() const { return kSignal == Signal::kPair && p.signal.apart != 0; }

  __device__ __forceinline__ UnitState& unit_state(int unit) const { return states[current * kGroup + unit]; }

  __device__ __forceinline__ Piece piece(int unit, int member) const {
    Piece out = unit_state(unit).piece[member];
    out.in_scale = unit_state(unit).scale[member];
    out.out_scale = unit_state(unit).out_scale[member];
    return out;
  }

  __device__ __forceinline__ void sync() const {
    if constexpr (kCluster > 1) cluster_sync();
    else block_sync();
  }

  /// Row of the first digit that is the block's row `own`.
  __device__ __forceinline__ int row_of(int own) const { return own * kCluster + rank; }

  // 4 columns of a row of the first digit, at a place of the owner's shared memory. A lane writes rows g + 8 i, all of one owner, and reads
  // rows digit_row(t, i), of one owner for even i and of one for odd i.
  __device__ __forceinline__ void store_columns(int place, uint4 words) const {
    if constexpr (kCluster > 1) in_owner.store(place, words);
    else *reinterpret_cast<uint4*>(state + place) = words;
  }
  __device__ __forceinline__ uint4 load_columns(int i, int place) const {
    if constexpr (kCluster > 1) return out_owner[i & 1].load(place);
    else return *reinterpret_cast<const uint4*>(state + place);
  }

  __device__ __forceinline__ bool kept(int q) const { return kSmall || (p.keep >> q & 1); }

  /// Calls visit(piece, unit, member, point) for the thread's pieces.
  template <class Visit>
  __device__ __forceinline__ void for_pieces(Visit visit) const {
    if constexpr (kSmall) {
#pragma unroll
      for (int i = 0; i < kGroup / kWarps; ++i)
#pragma unroll
        for (int q = 0; q < Q; ++q)
#pragma unroll
          for (int m = 0; m < kMembers; ++m) visit((i * Q + q) * kMembers + m, warp + i * kWarps, m, q * 256 + 8 * lane);
    } else {
      constexpr int kStrip = 8 * kStripColumns;
#pragma unroll
      for (int k = 0; k < kColumns / kStrip / kWarps; ++k)
#pragma unroll
        for (int i = 0; i < Q / 4; ++i)
#pragma unroll
          for (int m = 0; m < kMembers; ++m)
            visit((k * (Q / 4) + i) * kMembers + m, 0, m, digit_row(lane & 3, i) * kColumns + (warp + k * kWarps) * kStrip + kStripColumns * (lane >> 2));
    }
  }

  /// Starts to copy the input of the group described in half `half` of the states.
  __device__ __forceinline__ void stage(int half) {
    if constexpr (kStaged && kSignal == Signal::kComplex) {
      for_pieces([&](int index, int unit, int, int point) {
        const uint32_t* from = states[half * kGroup + unit].row + point;
        uint32_t* to = staged[index * kThreads + slot].e;
#pragma unroll
        for (int i = 0; i < kPieceColumns; i += 4) async_copy<16>(to + i, from + i, true);
      });
    } else if constexpr (kStaged) {
      stage_array(half, p.signal.input, 0);
      if (p.signal.pre_gate) stage_array(half, p.signal.pre_gate, kPieces);
    }
  }

  __device__ __forceinline__ void stage_array(int half, const void* array, int first) {
    if (p.signal.vector) {
      Piece pieces[2] = {};
      if constexpr (!kSmall)
        for (int m = 0; m < kMembers; ++m) pieces[m] = states[half * kGroup].piece[m];
      for_pieces([&](int index, int unit, int m, int point) {
        stage_elements<E, kPieceColumns>(p.signal, kSmall ? states[half * kGroup + unit].piece[m] : pieces[m], array, point,
                                         staged + (first + index) * kThreads + slot);
      });
      return;
    }
    constexpr int kEach = kPieces / (kSmall ? kGroup / kWarps : 1);  // pieces of a unit
#pragma unroll 1
    for (int index = 0; index < kPieces; ++index) {
      const int m = index % kMembers, k = index % kEach / kMembers, unit = kSmall ? warp + index / kEach * kWarps : 0;
      constexpr int kRows = Q < 4 ? 1 : Q / 4;
      const int point = kSmall ? k * 256 + 8 * lane
                               : digit_row(lane & 3, k % kRows) * kColumns + (warp + k / kRows * kWarps) * 8 * kStripColumns + kStripColumns * (lane >> 2);
      stage_pointwise<E, kPieceColumns>(p.signal, states[half * kGroup + unit].piece[m], array, point, staged + (first + index) * kThreads + slot);
    }
  }

  __device__ __forceinline__ void staged_halves(int index, float scale, uint32_t (&out)[kPieceColumns / 2]) const {
    const Staged u = staged[index * kThreads + slot];
    if (p.signal.pre_gate)
      to_halves<true>(u, staged[(kPieces + index) * kThreads + slot], scale, out);
    else
      to_halves<false>(u, u, scale, out);
  }

  /// First digit of 1, 2 or 4 rows.
  __device__ __forceinline__ void read_small(int unit) {
    const auto sink = [&](int f, int j, uint4 words) {
      *reinterpret_cast<uint4*>(state + swizzle<M>(unit * kPoints + f * 256 + 8 * lane + j)) = words;
    };
    if constexpr (kSignal == Signal::kComplex) {
      uint32_t raw[Q][1][8];
#pragma unroll
      for (int q = 0; q < Q; ++q) {
        const Staged words = staged[(unit / kWarps * Q + q) * kThreads + slot];
#pragma unroll
        for (int i = 0; i < 8; ++i) raw[q][0][i] = words.e[i];
      }
      small_in<kSignal, Q>(p.first, raw, lane, sink);
    } else {
      uint32_t raw[Q][kMembers][4];
#pragma unroll
      for (int q = 0; q < Q; ++q)
#pragma unroll
        for (int m = 0; m < kMembers; ++m) staged_halves((unit / kWarps * Q + q) * kMembers + m, unit_state(unit).scale[m], raw[q][m]);
      uint32_t maximum[2] = {0, 0};
      track_maximum(raw, maximum);
      small_in<kSignal, Q>(p.first, raw, lane, sink);
      for (int m = 0; m < kMembers; ++m) raise_maximum(&unit_state(unit).maximum[m], maximum[m]);
    }
  }

  using InStrip = Strip<kSignal, Q < 8 ? 8 : Q, kStripColumns>;

  template <Access kAccess>
  __device__ __forceinline__ void load_strip(const Piece (&pieces)[2], int column, InStrip& s) const {
#pragma unroll
    for (int i = 0; i < Q / 4; ++i)
#pragma unroll
      for (int m = 0; m < kMembers; ++m)
        read_halves<E, kStripColumns, kAccess>(p.signal, pieces[m], digit_row(lane & 3, i) * kColumns + column, s.raw[i][m]);
  }

  /// First digit of 8, 16 or 32 rows.
  __device__ __forceinline__ void read_digit() {
    const int g = lane >> 2, t = lane & 3;
    constexpr int kStrip = 8 * kStripColumns;
    const uint32_t keep = p.keep >> g;
    uint32_t maximum[2] = {0, 0};
    Piece pieces[2] = {};
    if constexpr (kSignal != Signal::kComplex)
      for (int m = 0; m < kMembers; ++m) pieces[m] = piece(0, m);
#pragma unroll 1
    for (int strip = rank * kWarps + warp; strip < kColumns / kStrip; strip += kCluster * kWarps) {
      InStrip s;
      const int column = strip * kStrip + kStripColumns * g;
      if constexpr (kSignal == Signal::kComplex) {
#pragma unroll
        for (int i = 0; i < Q / 4; ++i) {
          uint4 words;
          if constexpr (kStaged)
            words = reinterpret_cast<const uint4*>(staged)[(strip / kWarps * (Q / 4) + i) * kThreads + slot];
          else
            words = load_shared_level(reinterpret_cast<const uint4*>(unit_state(0).row + digit_row(t, i) * kColumns + column));
          s.raw[i][0][0] = words.x, s.raw[i][0][1] = words.y, s.raw[i][0][2] = words.z, s.raw[i][0][3] = words.w;
        }
      } else if constexpr (kStaged) {
#pragma unroll
        for (int i = 0; i < Q / 4; ++i)
#pragma unroll
          for (int m = 0; m < kMembers; ++m) staged_halves((strip / kWarps * (Q / 4) + i) * kMembers + m, pieces[m].in_scale, s.raw[i][m]);
        track_maximum(s.raw, maximum);
      } else {
        switch (access_of(p.signal)) {
          case Access::kPlain: load_strip<Access::kPlain>(pieces, column, s); break;
          case Access::kGated: load_strip<Access::kGated>(pieces, column, s); break;
          case Access::kPointwise: load_strip<Access::kPointwise>(pieces, column, s); break;
        }
        track_maximum(s.raw, maximum);
      }
      constexpr int kColumn8 = kStripColumns / 4;  // groups of 8 columns between neighbours t
      const int place = swizzle<M>(g / kCluster * kColumns + 2 * kStripColumns * t) ^ swizzle<M>(strip * kStrip);
      transform_strip<Q, kStripColumns, true>(
          p.in_fragments, s, lane, [&](int f) { return twiddle_at<kStripColumns>(p.first, f, strip * kStripColumns + kColumn8 * t); },
          [&](int f, int c, int j, uint4 words) {
            if (keep >> (f - g) & 1) store_columns(place ^ swizzle<M>((f - g) / kCluster * kColumns + kStripColumns * c + j), words);
          });
    }
    if constexpr (kSignal != Signal::kComplex)
      for (int m = 0; m < kMembers; ++m) raise_maximum(&unit_state(0).maximum[m], maximum[m]);
  }

  __device__ __forceinline__ void read_units() {
    if constexpr (kSmall) {
      for (int unit = warp; unit < kGroup; unit += kWarps) read_small(unit);
    } else {
      read_digit();
    }
  }

  __device__ __forceinline__ void rescale() {
    for (int unit = 0; unit < kGroup; ++unit) {
      float maximum[2] = {0, 0};
      for (int m = 0; m < kMembers; ++m) {
        const float top = largest<E>(p.signal, unit_state(unit).piece[m], kPoints, thread, kThreads);
        block_sync();
        if (thread == 0) unit_state(unit).maximum[m] = 0;
        block_sync();
        uint32_t word;
        memcpy(&word, &top, 4);
        raise_maximum(&unit_state(unit).maximum[m], word);
        block_sync();
        memcpy(&maximum[m], &unit_state(unit).maximum[m], 4);
      }
      if (halves()) maximum[0] = maximum[1] = fmaxf(maximum[0], maximum[1]);
      if (thread == 0)
        for (int m = 0; m < kMembers; ++m) {
          unit_state(unit).scale[m] = scale_for(maximum[m]);
          unit_state(unit).out_scale[m] /= scale_for(maximum[m]);
        }
    }
    block_sync();
  }

  /// The middle digit, in place. Forward: rows to frequencies. Inverse: back, with the first digit's twiddles applied to the results.
  template <bool kInverse>
  __device__ __forceinline__ void middle() {
    if constexpr (M > 1) {
      static_assert(kWarps % 8 == 0 && M <= 16, "every warp has one strip, and its twiddles in registers");
      const int g = lane >> 2, t = lane & 3, strip = warp & 7;
      if constexpr (kInverse) {
        for_own_rows([&](int q, const Strip<Signal::kComplex, M, 4>& s, auto sink) {
          transform_strip<M, 4, true>(p.middle_fragments, s, lane, [&](int row) { return twiddle_at<4>(p.first, q, row * 32 + strip * 4 + t); }, sink);
        });
      } else {
        const KnownTwiddle near(twiddle_at<4>(p.middle, g, strip * 4 + t)), far(twiddle_at<4>(p.middle, M > 8 ? g + M / 2 : g, strip * 4 + t));
        for_own_rows([&](int, const Strip<Signal::kComplex, M, 4>& s, auto sink) {
          transform_strip<M, 4, true>(p.middle_fragments, s, lane, [&](int row) { return row == g ? near : far; }, sink);
        });
      }
      block_sync();
    }
  }

  /// Calls transform(row of the first digit, strip, sink) for the block's rows and the warp's 32 columns of the middle digit.
  template <class Transform>
  __device__ __forceinline__ void for_own_rows(Transform transform) {
    const int g = lane >> 2, t = lane & 3, strip = warp & 7;
    const int read = swizzle<M>(digit_row(t, 0) * 256 + 4 * g) ^ swizzle<M>(strip * 32), write = swizzle<M>(g * 256 + 8 * t) ^ swizzle<M>(strip * 32);
    for (int own = warp >> 3; own < kOwnRows; own += kWarps / 8) {
      const int q = row_of(own);
      if (!kept(q)) continue;
      uint32_t* const row_state = state + own * kColumns;
      const int turn = swizzle<M>(own * kColumns) ^ own * kColumns;  // what the row's number changes in the places within it
      Strip<Signal::kComplex, M, 4> s;
#pragma unroll
      for (int i = 0; i < M / 4; ++i) {
        const uint4 words = *reinterpret_cast<const uint4*>(row_state + (read ^ turn ^ swizzle<M>(digit_row(0, i) * 256)));
        s.raw[i][0][0] = words.x, s.raw[i][0][1] = words.y, s.raw[i][0][2] = words.z, s.raw[i][0][3] = words.w;
      }
      warp_sync();  // all lanes have read what is overwritten now
      transform(q, s, [&](int row, int c, int, uint4 words) {
        *reinterpret_cast<uint4*>(row_state + (write ^ turn ^ swizzle<M>((row - g) * 256 + 4 * c))) = words;
      });
    }
  }

  static constexpr int kRows = kOwnRows * M;  // of the core

  /// Row of the core, counted over the whole transform, that is row `own` of the block's.
  __device__ __forceinline__ int core_row_of(int own) const { return kCluster > 1 ? row_of(own / M) * M + own % M : own; }

  /// The lane's part of the filter for row `row` of the group.
  __device__ __forceinline__ RowFilter filter_of(int row) const {
    const uint4* from = reinterpret_cast<const uint4*>(unit_state(row / kRows).filter) + core_row_of(row % kRows) * 64 + lane;
    return {{load_constant(from), load_constant(from + 32)}};
  }

  /// filter: of the warp's first row.
  __device__ __forceinline__ void core(RowFilter filter) {
    CoreConstants constants;
    constants.load(p.core_fragments, p.table256, lane);
#pragma unroll 1
    for (int row = warp; row < kRows * kGroup; row += kWarps) {
      const RowFilter now = filter;
      if (row + kWarps < kRows * kGroup) filter = filter_of(row + kWarps);
      const int digit = core_row_of(row % kRows);
      if (!kept(digit / M)) continue;
      RowTwiddles tw;
      tw.load(p.row_bases, p.row_steps, M > 1 ? digit % M : digit, lane);
      core_row<M>(constants, tw, now, state, row, lane);
    }
    block_sync();
  }

  __device__ __forceinline__ void write(int unit) {
    if (!unit_state(unit).present) return;
    const int32_t channel = unit_state(unit).channel;
    if constexpr (kSmall) {
      uint32_t z[Q][8];
#pragma unroll
      for (int q = 0; q < Q; ++q)
#pragma unroll
        for (int j = 0; j < 8; j += 4) {
          const uint4 words = *reinterpret_cast<const uint4*>(state + swizzle<M>(unit * kPoints + q * 256 + 8 * lane + j));
          z[q][j] = words.x, z[q][j + 1] = words.y, z[q][j + 2] = words.z, z[q][j + 3] = words.w;
        }
      small_out<kSignal == Signal::kReal, Q>(z, [&](int q, float(&re)[8], float(&im)[8]) {
        if constexpr (kSignal == Signal::kComplex) {
          p.rows.store(unit_state(unit).row, unit_state(unit).bin, q * 256 + 8 * lane, im, re);
        } else {
          write_points<E>(p.signal, piece(unit, 0), 0, channel, q * 256 + 8 * lane, re);
          if constexpr (kSignal == Signal::kPair) write_points<E>(p.signal, piece(unit, 1), 0, channel, q * 256 + 8 * lane, im);
        }
      });
    } else {
      const int g = lane >> 2, t = lane & 3;
      const uint32_t keep = p.keep >> digit_row(t, 0);
      const Piece a = kSignal == Signal::kComplex ? Piece{} : piece(unit, 0), b = kSignal == Signal::kPair ? piece(unit, 1) : a;
#pragma unroll 1
      for (int strip = rank * kWarps + warp; strip < kColumns / 32; strip += kCluster * kWarps) {
        Strip<Signal::kComplex, Q, 4> s;
        const int place = swizzle<M>(digit_row(t, 0) / kCluster * kColumns + 4 * g) ^ swizzle<M>(strip * 32);
#pragma unroll
        for (int i = 0; i < Q / 4; ++i) {
          uint4 words = make_uint4(0, 0, 0, 0);
          if (keep >> digit_row(0, i) & 1) words = load_columns(i, place ^ swizzle<M>(digit_row(0, i) / kCluster * kColumns));
          s.raw[i][0][0] = words.x, s.raw[i][0][1] = words.y, s.raw[i][0][2] = words.z, s.raw[i][0][3] = words.w;
        }
        if constexpr (kSignal == Signal::kComplex) {
          const RowBin bin = unit_state(unit).bin;
          transform_strip<Q, 4, true>(
              p.out_fragments, s, lane,
              [&](int row) {
                // The far rows of a tile come right after the near ones, half the digit away.
                const int near = row % (Q / 2 < 8 ? 8 : Q / 2);
                RunningTwiddle tw = p.rows.twiddles.running(bin, near * kColumns + strip * 32 + 8 * t);
                if (row != near) tw.w[0] = multiply(tw.w[0], bin.far), tw.w[1] = multiply(tw.w[1], bin.far);
                return tw;
              },
              [&](int row, int c, int j, uint4 words) {
                store_shared_level(reinterpret_cast<uint4*>(unit_state(unit).row + row * kColumns + strip * 32 + 8 * t + 4 * c), words);
              });
        } else {
          finish_strip<Q, kSignal == Signal::kReal>(p.out_fragments, s, lane, [&](int row, int m, float(&y)[8]) {
            write_points<E>(p.signal, m == 0 ? a : b, p.signal.discarded[m], channel, row * kColumns + strip * 32 + 8 * t, y);
          });
        }
      }
    }
  }

  /// Asks for the next group's rows while this one is computed.
  __device__ __forceinline__ void prefetch(const UnitState& next) const {
    if constexpr (kSignal != Signal::kComplex && !kStaged) {
      constexpr int kLine = 128 / static_cast<int>(sizeof(E));
#pragma unroll
      for (int m = 0; m < kMembers; ++m)
        for (int point = (rank * kThreads + thread) * kLine; point < kPoints; point += kCluster * kThreads * kLine) {
          if (!inside(p.signal, next.piece[m], point)) continue;
          const int64_t at = next.piece[m].row + next.piece[m].start + point;
          prefetch_to_l2(static_cast<const E*>(p.signal.input) + at);
          if (p.signal.pre_gate) prefetch_to_l2(static_cast<const E*>(p.signal.pre_gate) + at);
        }
    }
  }

  /// True where a unit's largest |half|, among what all blocks of the cluster have read, is good in fp16.
  __device__ __forceinline__ bool trusted_as_read(int unit) const {
    uint32_t top[2] = {unit_state(unit).maximum[0], unit_state(unit).maximum[1]};
#pragma unroll
    for (int other = 1; other < kCluster; ++other)
#pragma unroll
      for (int m = 0; m < kMembers; ++m) top[m] = max(top[m], PeerMemory(&unit_state(unit).maximum[m], (rank + other) % kCluster).word());
    if (halves() && top[1] != kAbsent) top[0] = top[1] = max(top[0], top[1]);
    return trusted<kMembers>(top, p.most);
  }

  __device__ void run() {
    const uint32_t groups = (p.units + kGroup - 1) / kGroup, cluster = block_index() / kCluster, clusters = block_count() / kCluster;
    uint32_t group = static_cast<uint32_t>(static_cast<uint64_t>(groups) * cluster / clusters);
    const uint32_t end = static_cast<uint32_t>(static_cast<uint64_t>(groups) * (cluster + 1) / clusters);
    begin(0, group * kGroup);
    sync();
    stage(0);
    for (; group < end; ++group) {
      if (group + 1 < end) begin(current ^ 1, (group + 1) * kGroup);
      if (kStaged) async_wait();
      read_units();
      sync();
      if constexpr (kSignal != Signal::kComplex) {
        if (block_any(thread < kGroup && !trusted_as_read(thread))) {
          sync();  // all have looked at the maxima
          rescale();
          read_units();
          sync();
        }
      }
      const RowFilter filter = filter_of(warp);
      if (group + 1 < end) {
        stage(current ^ 1);
        prefetch(states[(current ^ 1) * kGroup]);
      }
      middle<false>();
      core(filter);
      middle<true>();
      if constexpr (kCluster > 1) cluster_sync();
      for (int unit = kSmall ? warp : 0; unit < kGroup; unit += kSmall ? kWarps : 1) write(unit);
      sync();
      current ^= 1;
    }
  }
};

}  // namespace longconv::cuda
