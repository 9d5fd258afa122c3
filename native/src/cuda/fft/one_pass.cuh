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
#include "one_pass_block.cuh"
#include "small_digit.cuh"

namespace longconv::cuda {

template <Signal kSignal, class E, Form kForm, int Q, int M, int kWarps, int kGroup, int kCluster = 1>
struct OnePassKernel : OnePassBlock<kSignal, E, kForm, Q, M, kWarps, kGroup, kCluster> {
  using Block = OnePassBlock<kSignal, E, kForm, Q, M, kWarps, kGroup, kCluster>;
  using Block::Block;
  using Block::kColumns, Block::kMembers, Block::kOwnRows, Block::kPieceColumns, Block::kPoints, Block::kSmall, Block::kStaged, Block::kStagedStrips, Block::kStrip,
      Block::kStripColumns, Block::kStrips, Block::kStripStep, Block::kThreads;
  using Block::current, Block::lane, Block::p, Block::rank, Block::slot, Block::staged, Block::state, Block::states, Block::stretch, Block::thread, Block::warp;
  using Block::begin, Block::first_strip, Block::gates_staged, Block::kept, Block::load_columns, Block::piece, Block::prefetch, Block::rescale, Block::row_of,
      Block::stage, Block::stage_post_gate, Block::stage_strip, Block::store_columns, Block::sync, Block::trusted_as_read, Block::unit_state;
  using typename Block::Staged;

  /// First digit of 1, 2 or 4 rows. kScaled: the unit has scales other than 1; so below.
  template <bool kScaled>
  __device__ __forceinline__ void read_small(int unit) {
    const auto sink = [&](int f, int j, uint4 words) {
      *reinterpret_cast<uint4*>(state + swizzle<M>(unit * kPoints + f * 256 + 8 * lane + j)) = words;
    };
    if constexpr (kSignal == Signal::kComplex) {
      uint32_t raw[Q][1][8];
#pragma unroll
      for (int q = 0; q < Q; ++q) {
        const Staged words = staged[(unit / kWarps * Q + q) * kThreads + slot()];
#pragma unroll
        for (int i = 0; i < 8; ++i) raw[q][0][i] = words.e[i];
      }
      small_in<kSignal, Q>(p.first, raw, lane, sink);
    } else {
      uint32_t raw[Q][kMembers][4];
#pragma unroll
      for (int q = 0; q < Q; ++q)
#pragma unroll
        for (int m = 0; m < kMembers; ++m) this->template staged_halves<kScaled>((unit / kWarps * Q + q) * kMembers + m, unit_state(unit).scale[m], raw[q][m]);
      uint32_t maximum[2] = {0, 0};
      track_maximum(raw, maximum);
      small_in<kSignal, Q>(p.first, raw, lane, sink);
      for (int m = 0; m < kMembers; ++m) raise_maximum(&unit_state(unit).maximum[m], maximum[m]);
    }
  }

  using InStrip = Strip<kSignal, Q < 8 ? 8 : Q, kStripColumns>;

  /// First digit of 8, 16 or 32 rows, of one strip.
  __device__ __forceinline__ void first_digit(int strip, const InStrip& s) {
    const int g = lane >> 2, t = lane & 3;
    const uint32_t keep = p.keep >> g;
    const int place = swizzle<M>(g / kCluster * kColumns + 2 * kStripColumns * t) ^ swizzle<M>(strip * kStrip);
    const auto sink = [&](int f, int c, int j, uint4 words) {
      if (keep >> (f - g) & 1) store_columns(place ^ swizzle<M>((f - g) / kCluster * kColumns + kStripColumns * c + j), words);
    };
    constexpr int kColumn8 = kStripColumns / 4;  // groups of 8 columns between neighbours t
    const auto twiddle = [&](int f) { return twiddle_at<kStripColumns>(p.first, f, strip * kStripColumns + kColumn8 * t); };
    transform_strip<Q, kStripColumns, true>(TableFragments<Q>{p.in_fragments, lane}, s, lane, twiddle, sink);
  }

  /// The strips of a group whose input has been staged, or lies in the rows of a long transform.
  template <bool kScaled>
  __device__ __forceinline__ void read_digit() {
    uint32_t maximum[2] = {0, 0};
#pragma unroll 1
    for (int strip = warp; strip < kStrips; strip += kWarps) {
      InStrip s;
#pragma unroll
      for (int i = 0; i < Q / 4; ++i) {
        if constexpr (kSignal == Signal::kComplex) {
          const uint4 words = kStaged ? reinterpret_cast<const uint4*>(staged)[(strip / kWarps * (Q / 4) + i) * kThreads + slot()]
                                      : load_shared_level(reinterpret_cast<const uint4*>(unit_state(0).row + this->point_of_piece(strip, i)));
          s.raw[i][0][0] = words.x, s.raw[i][0][1] = words.y, s.raw[i][0][2] = words.z, s.raw[i][0][3] = words.w;
        } else {
#pragma unroll
          for (int m = 0; m < kMembers; ++m) this->template staged_halves<kScaled>((strip / kWarps * (Q / 4) + i) * kMembers + m, unit_state(0).scale[m], s.raw[i][m]);
        }
      }
      if constexpr (kSignal != Signal::kComplex) track_maximum(s.raw, maximum);
      first_digit(strip, s);
    }
    if constexpr (kSignal != Signal::kComplex)
      for (int m = 0; m < kMembers; ++m) raise_maximum(&unit_state(0).maximum[m], maximum[m]);
  }

  /// Goes through the strips: writes the results of the unit in work (kWrite), then reads the unit of half `half` of the states in their place. The first strip's
  /// post-gates and input have been asked for, in this order; the next one's are on their way meanwhile.
  template <bool kWrite, bool kScaled>
  __device__ __forceinline__ void turn_round(int half, bool reads) {
    uint32_t maximum[2] = {0, 0};
#pragma unroll 1
    for (int strip = first_strip(); strip < kStrips; strip += kStripStep) {
      const bool more = strip + kStripStep < kStrips;
      if constexpr (kWrite) {
        async_wait_groups<true>();
#pragma unroll 1
        for (int first = strip * kStrip; first < (strip + 1) * kStrip; first += 32) write_columns(first, {});
        if (more) stage_post_gate(strip + kStripStep);
        async_commit();
      }
      InStrip s;
      if (reads) {
        async_wait_groups<kWrite>();
        this->template take_strip<kScaled>(half, strip, s);
        if (more) stage_strip(half, strip + kStripStep);
      }
      async_commit();
      if (!reads) continue;
      track_maximum(s.raw, maximum);
      warp_sync();  // all lanes have read what is overwritten now
      first_digit(strip, s);
    }
    if (reads)
      for (int m = 0; m < kMembers; ++m) raise_maximum(&states[half].maximum[m], maximum[m]);
  }

  /// Reads the group in work.
  template <bool kScaled>
  __device__ __forceinline__ void read_units() {
    if constexpr (kSmall) {
      for (int unit = warp; unit < kGroup; unit += kWarps) read_small<kScaled>(unit);
    } else if constexpr (kStagedStrips) {
      stage_strip(current, first_strip());
      async_commit();
      turn_round<false, kScaled>(current, true);
    } else {
      read_digit<kScaled>();
    }
  }

  /// The middle digit, in place; a barrier must follow. Forward: rows to frequencies. Inverse: back, with the first digit's twiddles applied to the results.
  template <bool kInverse>
  __device__ __forceinline__ void middle() {
    if constexpr (M > 1) {
      static_assert(kWarps % 8 == 0 && M <= 16, "every warp has one strip, and its twiddles in registers");
      const int g = lane >> 2, t = lane & 3, strip = warp & 7;
      const KeptFragments<M, 1> fragments(p.middle_fragments, lane);
      if constexpr (kInverse) {
        struct Twiddles {
          RunningTwiddle near, far;
        };
        for_own_rows(
            [&](int q) {
              Twiddles out;
              out.near = twiddle_at<4>(p.first, q, g * 32 + strip * 4 + t);
              if constexpr (M > 8) out.far = twiddle_at<4>(p.first, q, (g + M / 2) * 32 + strip * 4 + t);
              return out;
            },
            [&](const Twiddles& twiddles, const Strip<Signal::kComplex, M, 4>& s, auto sink) {
              transform_strip<M, 4, true>(fragments, s, lane, [&](int row) { return row == g ? twiddles.near : twiddles.far; }, sink);
            });
      } else {
        const KnownTwiddle near(twiddle_at<4>(p.middle, g, strip * 4 + t)), far(twiddle_at<4>(p.middle, M > 8 ? g + M / 2 : g, strip * 4 + t));
        for_own_rows([](int) { return 0; },
                     [&](int, const Strip<Signal::kComplex, M, 4>& s, auto sink) {
                       transform_strip<M, 4, true>(fragments, s, lane, [&](int row) { return row == g ? near : far; }, sink);
                     });
      }
    }
  }

  static constexpr int kOwnTogether = kSignal == Signal::kPair ? (kForm == Form::kPlain && kCluster == 1 ? 4 : 2) : 1;

  /// Calls transform(operands(row of the first digit), strip, sink) for the block's rows and the warp's 32 columns of the middle digit; the operands are
  /// asked for ahead of the strip.
  template <class Operands, class Transform>
  __device__ __forceinline__ void for_own_rows(Operands operands, Transform transform) {
    const int g = lane >> 2, t = lane & 3, strip = warp & 7;
    const int read = swizzle<M>(digit_row(t, 0) * 256 + 4 * g) ^ swizzle<M>(strip * 32), write = swizzle<M>(g * 256 + 8 * t) ^ swizzle<M>(strip * 32);
#pragma unroll kOwnTogether
    for (int own = warp >> 3; own < kOwnRows; own += kWarps / 8) {
      const int q = row_of(own);
      if (!kept(q)) continue;
      uint32_t* const row_state = state + own * kColumns;
      const int turn = swizzle<M>(own * kColumns) ^ own * kColumns;  // what the row's number changes in the places within it
      const auto ahead = operands(q);
      Strip<Signal::kComplex, M, 4> s;
#pragma unroll
      for (int i = 0; i < M / 4; ++i) {
        const uint4 words = *reinterpret_cast<const uint4*>(row_state + (read ^ turn ^ swizzle<M>(digit_row(0, i) * 256)));
        s.raw[i][0][0] = words.x, s.raw[i][0][1] = words.y, s.raw[i][0][2] = words.z, s.raw[i][0][3] = words.w;
      }
      warp_sync();  // all lanes have read what is overwritten now
      transform(ahead, s, [&](int row, int c, int, uint4 words) {
        *reinterpret_cast<uint4*>(row_state + (write ^ turn ^ swizzle<M>((row - g) * 256 + 4 * c))) = words;
      });
    }
  }

  static constexpr int kRows = kOwnRows * M;  // of the core

  __device__ __forceinline__ static int unit_of(int row) { return kGroup == 1 ? 0 : row / kRows; }
  __device__ __forceinline__ static int row_of_unit(int row) { return kGroup == 1 ? row : row % kRows; }
  /// Row of the core, counted over the whole transform, that is row `own` of the block's.
  __device__ __forceinline__ int core_row_of(int own) const { return kCluster > 1 ? row_of(own / M) * M + own % M : own; }

  /// The lane's part of the filter for row `row` of the group.
  __device__ __forceinline__ RowWords filter_of(int row) const {
    RowWords out;
    out.load(unit_state(unit_of(row)).filter, core_row_of(row_of_unit(row)), lane);
    return out;
  }

  /// What the core needs of memory before its first row: asked for ahead of the barrier before it.
  struct CoreOperands {
    CoreConstants constants;
    RowWords filter, twiddles;  // twiddles: if they are the same for all rows of the warp
  };

  static constexpr int kTurnsTogether = kForm == Form::kPlain && M == 1 ? 2 : 1;
  static constexpr bool kSameTwiddles = kSignal == Signal::kPair && M > 1 && kWarps % M == 0;  // rows on their own: too few registers

  static constexpr int kTurns = kRows * kGroup / kWarps;  // rows of a warp

  __device__ __forceinline__ CoreOperands core_operands() const {
    CoreOperands out;
    out.constants.load(p.core_fragments, p.pair_fragments, p.core_twiddles, lane);
    out.filter = filter_of(warp);
    if constexpr (kSameTwiddles) out.twiddles.load(p.row_twiddles, core_row_of(warp) % M, lane);
    return out;
  }

  /// A barrier must follow.
  __device__ __forceinline__ void core(CoreOperands& next) {
#pragma unroll kTurnsTogether
    for (int turn = 0; turn < kTurns; ++turn) {
      const int row = warp + turn * kWarps, digit = core_row_of(row_of_unit(row));
      const RowWords filter = next.filter;
      if (turn + 1 < kTurns) next.filter = filter_of(row + kWarps);
      if (!kept(digit / M)) continue;
      RowWords twiddles = next.twiddles;
      if constexpr (!kSameTwiddles) twiddles.load(p.row_twiddles, M > 1 ? digit % M : digit, lane);
      core_row<M>(next.constants, twiddles, filter, state, row, lane);
    }
  }

  /// Last digit of 1, 2 or 4 rows.
  __device__ __forceinline__ void write_small(int unit) {
    if (!unit_state(unit).present) return;
    const int32_t channel = unit_state(unit).channel;
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
        const Piece a = piece(unit, 0), b = piece(unit, kMembers - 1);
        const int point = q * 256 + 8 * lane;
        const Elements<E, 8> gate = read_post_gate<kForm, E>(p.signal, a, 0, point);
        if constexpr (kSignal == Signal::kPair) write_points<kForm, E>(p.signal, b, 0, channel, point, im, read_post_gate<kForm, E>(p.signal, b, 0, point));
        write_points<kForm, E>(p.signal, a, 0, channel, point, re, gate);
      }
    });
  }

  /// Twiddles of a long transform's row where the lane's results begin: of row g of the first digit, column 8 t of 32, and from those to the warp's
  /// next 32 columns.
  struct RowTwiddles {
    float2 start, hop;
  };

  __device__ __forceinline__ RowTwiddles row_twiddles() const {
    if constexpr (kSignal != Signal::kComplex || kSmall) return {};
    const LongTwiddles& table = p.rows.twiddles;
    const uint32_t bin4 = unit_state(0).bin.bin4;
    return {table.at(bin4 * ((lane >> 2) * kColumns + 32 * warp + 8 * (lane & 3))), table.at(bin4 * (32 * kWarps))};
  }

  /// Last digit of 8, 16 or 32 rows, of 32 columns from `first` on. start: kComplex.
  __device__ __forceinline__ void write_columns(int first, float2 start) {
    const int g = lane >> 2, t = lane & 3;
    const UnitState& unit = unit_state(0);
    Strip<Signal::kComplex, Q, 4> s;
    const int place = swizzle<M>(digit_row(t, 0) / kCluster * kColumns + 4 * g) ^ swizzle<M>(first);
#pragma unroll
    for (int i = 0; i < Q / 4; ++i) {
      const uint4 words = load_columns(i, place ^ swizzle<M>(digit_row(0, i) / kCluster * kColumns));
      s.raw[i][0][0] = words.x, s.raw[i][0][1] = words.y, s.raw[i][0][2] = words.z, s.raw[i][0][3] = words.w;
    }
    const auto point_of_row = [&](int row) { return row * kColumns + first + 8 * t; };
    if constexpr (kSignal == Signal::kComplex) {
      const RowBin bin = unit.bin;
      transform_strip<Q, 4, true>(
          TableFragments<Q>{p.out_fragments, lane}, s, lane,
          [&](int row) {
            // The far rows of a tile come right after the near ones, half the digit away.
            const int near = row % (Q / 2 < 8 ? 8 : Q / 2);
            RunningTwiddle tw;
            tw.w[0] = near == g ? start : p.rows.twiddles.at(bin.bin4 * point_of_row(near));
            if (row != near) tw.w[0] = multiply(tw.w[0], bin.far);
            tw.w[1] = multiply(tw.w[0], bin.four);
            tw.step = bin.one;
            return tw;
          },
          [&](int row, int c, int j, uint4 words) { store_shared_level(reinterpret_cast<uint4*>(unit.row + point_of_row(row) + 4 * c), words); });
    } else {
      const Piece a = piece(0, 0), b = kSignal == Signal::kPair ? piece(0, 1) : a;
      const auto post_gate = [&](int row, int m) { return read_post_gate<kForm, E>(p.signal, m == 0 ? a : b, p.signal.discarded[m], point_of_row(row)); };
      constexpr bool kReal = kSignal == Signal::kReal;
      using Fragments = std::conditional_t<Q == 16 && kSignal == Signal::kPair && kForm == Form::kPlain, KeptFragments<16, 2>, TableFragments<Q>>;
      finish_strip<Q, kReal>(
          Fragments{p.out_fragments, lane}, s, lane,
          [&](int row, int m) {
            if constexpr (kStagedStrips) return 0;  // shared memory has them at hand
            else return post_gate(row, m);
          },
          [&](int row, int m, float(&y)[8], const auto& gate) {
            const auto write = [&](const Elements<E, 8>& by) { write_points<kForm, E>(p.signal, m == 0 ? a : b, p.signal.discarded[m], unit.channel, point_of_row(row), y, by); };
            if constexpr (!kStagedStrips) write(gate);
            else if (!post_gated<kForm>(p.signal)) write({});
            else write(gates_staged() ? this->post_gate_of(first, row, m) : post_gate(row, m));
          });
    }
  }

  /// Rows of the first digit that no one writes are read as zeros.
  __device__ __forceinline__ void clear_dropped_rows() const {
    if constexpr (!kSmall) {
      if (!(~p.keep & (0xffffffffu >> (32 - Q)))) return;
      for (int i = thread; i < kOwnRows * kColumns / 4; i += kThreads) reinterpret_cast<uint4*>(state)[i] = make_uint4(0, 0, 0, 0);
    }
  }

  __device__ void run() {
    const uint32_t groups = (p.units + kGroup - 1) / kGroup, cluster = block_index() / kCluster, clusters = block_count() / kCluster;
    // Blocks of one multiprocessor are a team that takes turns in one stretch of groups, so that they find the filter in its cache.
    const uint32_t teams = min(p.teams, clusters), team = cluster % teams, before = clusters / teams * team + min(team, clusters % teams);
    const uint32_t step = clusters / teams + (team < clusters % teams);
    const uint32_t group = static_cast<uint32_t>(static_cast<uint64_t>(groups) * before / clusters) + cluster / teams;
    const uint32_t end = static_cast<uint32_t>(static_cast<uint64_t>(groups) * (before + step) / clusters);
    if (thread == 0) *stretch = {group + step, step, end};
    begin(0, group * kGroup);
    clear_dropped_rows();
    sync();
    if (group >= end) return;
    stage(0);
    if constexpr (kStagedStrips) {
      read_units<false>();
      sync();
    }
    for (bool more = true; more;) {
      const uint32_t next = stretch->next;
      more = next < stretch->end;
      if (more) begin(current ^ 1, next * kGroup);
      CoreOperands operands;
      if constexpr (!kStagedStrips) {
        if (kStaged) async_wait();
        read_units<false>();
        if constexpr (M == 1) operands = core_operands();
        sync();
      }
      if constexpr (kSignal != Signal::kComplex) {
        if (!trusted_as_read()) {
          sync();  // all have looked at the maxima
          rescale();
          read_units<true>();
          if constexpr (M == 1) operands = core_operands();
          sync();
        }
      }
      if (more) stage(current ^ 1);
      if constexpr (M > 1) {
        middle<false>();
        operands = core_operands();
        block_sync();
      }
      const RowTwiddles twiddles = row_twiddles();
      core(operands);
      block_sync();
      if constexpr (kStagedStrips) {
        stage_post_gate(first_strip());
        async_commit();
        if (more) stage_strip(current ^ 1, first_strip());
        async_commit();
      } else {
        if (post_gated<kForm>(p.signal)) prefetch(p.signal.post_gate);
      }
      if constexpr (M > 1) {
        middle<true>();
        sync();
      }
      if constexpr (kStagedStrips) {
        turn_round<true, false>(current ^ 1, more);
      } else if constexpr (kSmall) {
        for (int unit = warp; unit < kGroup; unit += kWarps) write_small(unit);
      } else {
        float2 start = twiddles.start;
        for (int first = 32 * warp; first < kColumns; first += 32 * kWarps) {
          write_columns(first, start);
          if constexpr (kSignal == Signal::kComplex) start = multiply(start, twiddles.hop);
        }
      }
      if (thread == 0) stretch->next += stretch->step;
      sync();
      current ^= 1;
    }
  }
};

}  // namespace longconv::cuda
