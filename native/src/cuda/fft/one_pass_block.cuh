// A block of threads that works on transforms on chip: its shared memory, which units it has, and how their input gets there. one_pass.cuh
// has what is computed.
#pragma once

#include "digit_pass.cuh"
#include "layout.cuh"
#include "one_pass_parameters.cuh"

namespace longconv::cuda {

template <Signal kSignal, class E, Form kForm, int Q, int M, int kWarps, int kGroup, int kCluster>
struct OnePassBlock {
  static constexpr int kPoints = Q * M * 256;
  static constexpr int kOwnPoints = kPoints / kCluster, kOwnRows = Q / kCluster;  // of a block
  static constexpr int kColumns = M * 256;
  static constexpr int kThreads = kWarps * 32;
  static constexpr int kMembers = kSignal == Signal::kPair ? 2 : 1;
  static constexpr bool kSmall = Q < 8;
  // Columns of a lane.
  static constexpr int kStripColumns = Q == 32 || kSignal == Signal::kComplex || sizeof(E) == 4 || (kCluster > 1 && kSignal == Signal::kPair) ? 4 : 8;
  static constexpr int kStrip = 8 * kStripColumns, kStrips = kColumns / kStrip;  // columns of a warp's piece of work, and how many there are
  static constexpr int kPieceColumns = kSmall ? 8 : kStripColumns;  // consecutive points that a thread reads
  // Input is copied to shared memory ahead of its use, every thread its own pieces: the next group's while a group is computed; or, where the
  // state leaves no room for that, the next strip's while one is worked on.
  static constexpr bool kStaged = M == 1, kStagedStrips = M > 1 && kSignal != Signal::kComplex;
  using Point = std::conditional_t<kSignal == Signal::kComplex, uint32_t, E>;
  using Staged = Elements<Point, kPieceColumns>;
  static constexpr int kPieces = kPoints * kGroup * kMembers / kPieceColumns / kThreads;  // of each thread in a group
  static constexpr int kStripPieces = Q / 4 * kMembers;                                   // and in a strip
  static constexpr size_t kStagedBytes = sizeof(Staged) * kThreads * (kStaged ? kPieces : kStagedStrips ? kStripPieces : 0);
  // Staged pieces begin at a line: copies to elsewhere take up to a tenth more time.
  static constexpr size_t kStateBytes = (sizeof(UnitState) * 2 * kGroup + sizeof(Stretch) + 127) / 128 * 128;
  static constexpr size_t kSharedBytes = sizeof(uint32_t) * kOwnPoints * kGroup + kStateBytes + kStagedBytes;
  static constexpr size_t kGateBytes = kStagedBytes * (kStagedStrips ? 2 : 1);  // more, for the pre-gate, and for strips of the post-gate, too
  static_assert(kGroup <= kMaximumGroup && (Q < 8 ? kGroup % kWarps == 0 : kGroup == 1), "groups are for short transforms, whole units for each warp");
  static_assert(kCluster == 1 || (Q >= 8 && M > 1 && kCluster <= 8 && kSignal != Signal::kComplex), "clusters are for signals too long for one block");

  const OnePass& p;
  uint32_t* state;
  UnitState* states;
  Stretch* stretch;
  Staged* staged;  // [pieces][threads], then those of the pre-gate, then the post-gate's
  int thread, lane, warp;
  int rank = 0;  // of the block in its cluster
  PeerMemory in_owner, out_owner[2];
  int current = 0;  // half of `states` in use

  __device__ __forceinline__ OnePassBlock(const OnePass& parameters, uint32_t* shared) : p(parameters), state(shared) {
    states = reinterpret_cast<UnitState*>(shared + kOwnPoints * kGroup);
    stretch = reinterpret_cast<Stretch*>(states + 2 * kGroup);
    staged = reinterpret_cast<Staged*>(reinterpret_cast<char*>(states) + kStateBytes);
    thread = thread_index();
    lane = thread & 31;
    warp = thread >> 5;
    if constexpr (kCluster > 1) {
      rank = cluster_rank();
      in_owner = PeerMemory(state, (lane >> 2) % kCluster);
      for (int i = 0; i < 2; ++i) out_owner[i] = PeerMemory(state, digit_row(lane & 3, i) % kCluster);
    }
  }

  /// The thread's place among staged pieces.
  __device__ __forceinline__ int slot() const { return kSmall ? thread : warp * 32 + staged_slot(lane, sizeof(Staged)); }

  /// Describes the units of a group in half `half` of the shared states.
  __device__ __forceinline__ void begin(int half, uint32_t first_unit) {
    if (thread >= kGroup) return;
    UnitState& u = states[half * kGroup + thread];
    uint32_t unit = first_unit + thread;
    u.present = unit < p.units;
    if (!u.present) unit = p.units - 1;  // computed, not written
    if constexpr (kSignal == Signal::kComplex) {
      p.rows.locate(unit, u.channel, u.row, u.bin, u.filter, kPoints);
    } else {
      const uint32_t channel = unit / p.units_per_channel, inner = unit - channel * p.units_per_channel;
      u.channel = static_cast<int32_t>(channel);
      for (int m = 0; m < kMembers; ++m) {
        u.piece[m] = piece_of<kMembers>(p.signal, u.channel, inner, m);
        if (!u.present) u.piece[m].start = kNowhere;
        u.maximum[m] = u.piece[m].present() ? 0 : kAbsent;
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

  // Strips of columns are dealt out over the warps of all blocks of the cluster.
  __device__ __forceinline__ int first_strip() const { return rank * kWarps + warp; }
  static constexpr int kStripStep = kCluster * kWarps;

  /// First point of the lane's piece `i` of a strip.
  __device__ __forceinline__ int point_of_piece(int strip, int i) const {
    return digit_row(lane & 3, i) * kColumns + strip * kStrip + kStripColumns * (lane >> 2);
  }

  /// Calls visit(piece, unit, member, point) for the thread's pieces of a group.
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
#pragma unroll
      for (int k = 0; k < kStrips / kWarps; ++k)
#pragma unroll
        for (int i = 0; i < Q / 4; ++i)
#pragma unroll
          for (int m = 0; m < kMembers; ++m) visit((k * (Q / 4) + i) * kMembers + m, 0, m, point_of_piece(warp + k * kWarps, i));
    }
  }

  /// Starts to copy the input of the group described in half `half` of the states.
  __device__ __forceinline__ void stage(int half) {
    if constexpr (kStaged && kSignal == Signal::kComplex) {
      for_pieces([&](int index, int unit, int, int point) {
        const uint32_t* from = states[half * kGroup + unit].row + point;
        uint32_t* to = staged[index * kThreads + slot()].e;
#pragma unroll
        for (int i = 0; i < kPieceColumns; i += 4) async_copy<16>(to + i, from + i, true);
      });
    } else if constexpr (kStaged) {
      stage_array(half, p.signal.input, 0);
      if (pre_gated<kForm>(p.signal)) stage_array(half, p.signal.pre_gate, kPieces);
    }
  }

  __device__ __forceinline__ void stage_array(int half, const void* array, int first) {
    if (is_vector<kForm>(p.signal)) {
      Piece pieces[2] = {};
      if constexpr (!kSmall)
        for (int m = 0; m < kMembers; ++m) pieces[m] = states[half * kGroup].piece[m];
      for_pieces([&](int index, int unit, int m, int point) {
        stage_elements<E, kPieceColumns>(p.signal, kSmall ? states[half * kGroup + unit].piece[m] : pieces[m], array, point,
                                         staged + (first + index) * kThreads + slot());
      });
      return;
    }
    constexpr int kEach = kPieces / (kSmall ? kGroup / kWarps : 1);  // pieces of a unit
#pragma unroll 1
    for (int index = 0; index < kPieces; ++index) {
      const int m = index % kMembers, k = index % kEach / kMembers, unit = kSmall ? warp + index / kEach * kWarps : 0;
      constexpr int kRows = Q < 4 ? 1 : Q / 4;
      const int point = kSmall ? k * 256 + 8 * lane : point_of_piece(warp + k / kRows * kWarps, k % kRows);
      stage_pointwise<E, kPieceColumns>(p.signal, states[half * kGroup + unit].piece[m], array, point, staged + (first + index) * kThreads + slot());
    }
  }

  /// Starts to copy a strip of the unit described in half `half` of the states.
  __device__ __forceinline__ void stage_strip(int half, int strip) {
    stage_strip_of(p.signal.input, half, strip, 0);
    if (pre_gated<kForm>(p.signal) && gates_staged()) stage_strip_of(p.signal.pre_gate, half, strip, kStripPieces);
  }

  __device__ __forceinline__ void stage_strip_of(const void* array, int half, int strip, int first) {
    const UnitState& unit = states[half];
    if (is_vector<kForm>(p.signal)) {
#pragma unroll
      for (int m = 0; m < kMembers; ++m) {
        const Piece piece = unit.piece[m];
#pragma unroll
        for (int i = 0; i < Q / 4; ++i)
          stage_elements<E, kPieceColumns>(p.signal, piece, array, point_of_piece(strip, i), staged + (first + i * kMembers + m) * kThreads + slot());
      }
      return;
    }
#pragma unroll 1
    for (int index = 0; index < kStripPieces; ++index)
      stage_pointwise<E, kPieceColumns>(p.signal, unit.piece[index % kMembers], array, point_of_piece(strip, index / kMembers),
                                        staged + (first + index) * kThreads + slot());
  }

  template <bool kScaled>
  __device__ __forceinline__ void staged_halves(int index, float scale, uint32_t (&out)[kPieceColumns / 2]) const {
    const Staged u = staged[index * kThreads + slot()];
    if (pre_gated<kForm>(p.signal))
      to_halves<true, kScaled>(u, staged[(kPieces + index) * kThreads + slot()], scale, out);
    else
      to_halves<false, kScaled>(u, u, scale, out);
  }

  /// Whether strips of gates are staged, too. Always where the kernel is compiled for them.
  __device__ __forceinline__ bool gates_staged() const { return kForm != Form::kAny || p.gates_staged; }

  // Post-gates of a strip: 8 for every row and member of each 32 columns that a lane will write.
  __device__ __forceinline__ Elements<E, 8>* staged_post_gate(int first, int row, int m) const {
    auto* const from = reinterpret_cast<Elements<E, 8>*>(staged + 2 * kStripPieces * kThreads);
    return from + ((first / 32 % (kStrip / 32) * (Q / 8) + row / 8) * kMembers + m) * kThreads + thread;
  }
  __device__ __forceinline__ Elements<E, 8> post_gate_of(int first, int row, int m) const { return *staged_post_gate(first, row, m); }
  __device__ __forceinline__ void stage_post_gate(int strip) {
    if (!post_gated<kForm>(p.signal) || !gates_staged() || !is_vector<kForm>(p.signal)) return;
#pragma unroll
    for (int m = 0; m < kMembers; ++m) {
      const Piece piece = unit_state(0).piece[m];
#pragma unroll
      for (int first = 0; first < kStrip; first += 32)
#pragma unroll
        for (int i = 0; i < Q / 8; ++i) {
          const int row = 8 * i + (lane >> 2), point = row * kColumns + strip * kStrip + first + 8 * (lane & 3);
          stage_elements<E, 8>(p.signal, piece, p.signal.post_gate, point, staged_post_gate(first, row, m));
        }
    }
  }

  /// A strip that stage_strip() has brought.
  template <bool kScaled, class InStrip>
  __device__ __forceinline__ void take_strip(int half, int strip, InStrip& s) const {
#pragma unroll
    for (int m = 0; m < kMembers; ++m) {
      const float scale = states[half].scale[m];
#pragma unroll
      for (int i = 0; i < Q / 4; ++i) {
        const int index = i * kMembers + m;
        const Staged u = staged[index * kThreads + slot()];
        if (!pre_gated<kForm>(p.signal)) {
          to_halves<false, kScaled>(u, u, scale, s.raw[i][m]);
        } else if (gates_staged()) {
          to_halves<true, kScaled>(u, staged[(kStripPieces + index) * kThreads + slot()], scale, s.raw[i][m]);
        } else {
          const Staged gate = read_elements<kForm, E, kPieceColumns>(p.signal, states[half].piece[m], p.signal.pre_gate, point_of_piece(strip, i));
          to_halves<true, kScaled>(u, gate, scale, s.raw[i][m]);
        }
      }
    }
  }

  /// Asks for the lines of an array that the group in work will read.
  __device__ __forceinline__ void prefetch(const void* array) const {
    if constexpr (kSignal != Signal::kComplex) {
      constexpr int kLine = 128 / static_cast<int>(sizeof(E)), kLines = kPoints / kLine;
#pragma unroll 1
      for (int line = rank * kThreads + thread; line < kGroup * kMembers * kLines; line += kCluster * kThreads) {
        const int point = line % kLines * kLine, index = line / kLines;
        const Piece& piece = unit_state(index / kMembers).piece[index % kMembers];
        if (inside(p.signal, piece, point)) prefetch_to_l2(static_cast<const E*>(array) + piece.at + point);
      }
    }
  }

  /// True where the largest |half| of every unit of the group, among what all blocks of the cluster have read, is good in fp16.
  __device__ __forceinline__ bool trusted_as_read() const { return !warp_any(lane < kGroup && !trusted_as_read(lane)); }

  __device__ __forceinline__ bool trusted_as_read(int unit) const {
    uint32_t top[2] = {unit_state(unit).maximum[0], unit_state(unit).maximum[1]};
#pragma unroll
    for (int other = 1; other < kCluster; ++other)
#pragma unroll
      for (int m = 0; m < kMembers; ++m) top[m] = max(top[m], PeerMemory(&unit_state(unit).maximum[m], (rank + other) % kCluster).word());
    if (halves() && top[1] != kAbsent) top[0] = top[1] = max(top[0], top[1]);
    return trusted<kMembers>(top, p.most);
  }

  /// Scales of units whose values fp16 does not hold as they are.
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
};

}  // namespace longconv::cuda
