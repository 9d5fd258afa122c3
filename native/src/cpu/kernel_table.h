// What one instruction set offers: plain structures and function pointers. Filled by isa/*.cpp, one translation unit per
// instruction set, and called by the algorithms, which are compiled once for the baseline processor.
#pragma once

#include <cstdint>

namespace longconv {

constexpr int kMaxFftLevels = 16;

/// Tables of one twisted complex FFT; see kernels/twisted_fft.h. Built by fft_plan.cpp for a lane count.
template <class T>
struct FftTables {
  int64_t n = 0;        ///< points, a power of two, at least lanes * lanes
  int32_t lanes = 0;    ///< W: radix of the first pass and lanes of every later one
  int64_t columns = 0;  ///< n / lanes
  int32_t levels = 0;   ///< passes after the first one
  int32_t radix[kMaxFftLevels] = {};
  int64_t span[kMaxFftLevels] = {};         ///< block length in columns at each level; span[0] = columns
  const T* twiddle[kMaxFftLevels] = {};     ///< [span / radix][radix - 1][2]: w_span^(j q), q = 1..radix-1
  int64_t fine_columns = 0;
  const T* fine = nullptr;    ///< [lanes][2][fine_columns]: exp(-2 pi i (r + alpha) l / n)
  const T* coarse = nullptr;  ///< [columns / fine_columns][lanes][2]: exp(-2 pi i (r + alpha) l fine_columns / n)
  const T* twist = nullptr;   ///< [lanes][2]: exp(-2 pi i alpha h / lanes)
  bool twisted = false;       ///< alpha != 0
};

/// Memory that will be read and written next, asked for line by line while a transform computes. Advanced by the kernel.
struct Touch {
  int32_t pace = 1;  ///< bytes asked for on each side for every 4 bytes that the transform has points
  int64_t spectrum_ahead = 0;  ///< elements of the spectrum beyond those multiplied with; 0: it is in the caches already
  const char* read = nullptr;
  const char* read_end = nullptr;
  const char* write = nullptr;
  const char* write_end = nullptr;
};

/// Signal read by the first pass: n points, `im` null for real input; gates multiply element by element where given.
template <class T>
struct FirstPassSource {
  const T* re = nullptr;
  const T* im = nullptr;
  const T* re_gate = nullptr;
  const T* im_gate = nullptr;
  /// Complex twisted signals: elements beyond each one read whose memory is asked for meanwhile; 0: none.
  int64_t ahead = 0;
};

/// Applied to a result on its way out: y = (conv + skip * input * pre) * post; null pointers leave their factor out.
template <class T>
struct Epilogue {
  const T* input = nullptr;
  const T* pre = nullptr;
  const T* post = nullptr;
  T skip = 0;
  bool any() const { return input != nullptr || post != nullptr; }
  /// The same for results that begin at element `at`.
  Epilogue from(int64_t at) const { return {input ? input + at : nullptr, pre ? pre + at : nullptr, post ? post + at : nullptr, skip}; }
};

/// Where the last pass writes each part's rows from its first one to lanes-1 (row h is points [h * columns, (h + 1) * columns)), the first at offset 0.
template <class T>
struct LastPassSink {
  T* re = nullptr;
  T* im = nullptr;  ///< null: the imaginary part is not wanted
  int32_t re_first_row = 0;
  int32_t im_first_row = 0;
  Epilogue<T> re_epilogue;
  Epilogue<T> im_epilogue;
};

/// The first Monarch digit, restricted to kept rows; see kernels/comb_fold.h.
struct CombTables {
  int32_t n1 = 0;
  int32_t rows = 0;
  int32_t real_rows = 0;         ///< rows are ordered 0 and n1/2 first, which are real,
  int32_t even_rows = 0;         ///< the other even r next, then the odd ones
  int64_t columns = 0;           ///< M = N / n1
  int64_t row_stride = 0;        ///< floats between re and im of a row; a row takes 2 * row_stride
  const float* cosine = nullptr; ///< [rows][n1/4 + 1]: cos(2 pi r h / n1)
  const float* sine = nullptr;
};

/// Kernels of kernels/halve.h for filters of 2, 3 .. 8 pairs of taps.
constexpr int kLeastHalvingPairs = 2;
constexpr int kHalvingKernels = 7;
struct HalvingKernels {
  /// out[m] for m < count from x[0, 2 count + 2 pairs - 2), gated like it (gate null: not).
  void (*halve[kHalvingKernels])(const float* taps, const float* x, const float* gate, float* out, int64_t count);
  /// y[t] for t < count from w[0, count / 2 + pairs], behind which kOverread more must be readable, whatever they are; y = epilogue(y).
  void (*twice[kHalvingKernels])(const float* taps, const float* w, float* y, int64_t count, const Epilogue<float>&);
  static constexpr int64_t kOverread = 32;
};

struct SirenLayer {
  const double* weight;  ///< [rows][in]
  const double* bias;    ///< [rows], null for the output layer
  int64_t in;
  int64_t rows;
};
struct SirenTables {
  const SirenLayer* layers;
  int64_t layer_count;
  SirenLayer output;
  const double* freq;         ///< [width]
  const double* decay;        ///< [output rows] |delta|, null: no window
  double shift;
  int64_t max_width;          ///< widest layer, features included
};

template <class T>
struct FftKernels {
  int32_t lanes;
  void (*first_pass)(const FftTables<T>&, const FirstPassSource<T>&, T* work);
  /// All later forward stages; the result stays in the permuted order of the work array.
  void (*forward)(const FftTables<T>&, T* work);
  /// Later forward stages, product with `spectrum` (same layout as work), and their inverses. Polls `cancel` in long transforms.
  void (*convolve)(const FftTables<T>&, T* work, const T* spectrum, Touch* touch, const int32_t* cancel);
  void (*last_pass)(const FftTables<T>&, const T* work, const LastPassSink<T>&);
};

struct KernelTable {
  const char* name;
  FftKernels<float> f32;
  FftKernels<double> f64;
  /// z[row] from the n1/2 rows of x (gate null or like x).
  void (*comb_fold)(const CombTables&, const float* x, const float* gate, float* z);
  void (*comb_unfold)(const CombTables&, const float* z, float* y, const Epilogue<float>&);
  /// Sums x[i] + x[half + i] to x[i] and differences to x[half + i], i in [0, half).
  void (*sums_and_differences)(float* x, int64_t half);
  HalvingKernels halving;
  /// y[t] = sum_{j < count_taps} taps[j] x[t - j], t in [0, count): x points at element 0 and has count_taps - 1 readable elements before it.
  void (*toeplitz)(const float* taps, int64_t count_taps, const float* x, float* y, int64_t count);
  /// sum_{i < count} a[i] b[i] gate[i] (gate null: 1).
  float (*dot)(const float* a, const float* b, const float* gate, int64_t count);
  /// dst = src * gate (gate null: copy).
  void (*gate_copy)(float* dst, const float* src, const float* gate, int64_t count);
  /// float32 values of 16-bit samples (lc_sample_type LC_FLOAT16 or LC_BFLOAT16), and back, rounding to nearest even.
  void (*widen)(float* dst, const uint16_t* src, int32_t sample_type, int64_t count);
  void (*narrow)(uint16_t* dst, const float* src, int32_t sample_type, int64_t count);
  /// dst = epilogue(src). `far`: the caches lose dst before it is read again, so that it need not go there.
  void (*finish)(float* dst, const float* src, const Epilogue<float>&, int64_t count, bool far);
  /// Positions [0, count) of a tile: z [count][features], t [count]; writes out[row * out_stride + p]. scratch: 2 * max_width * siren_tile doubles.
  void (*siren)(const SirenTables&, const float* z, const float* t, int64_t features, int64_t count, float* out, int64_t out_stride, double* scratch);
  /// c[r][j] = sum_{i < inner} a[r][i] b[i][j], row-major; c overlaps neither. `columns` is a multiple of kMatrixColumns.
  void (*matrix_product)(const double* a, const double* b, double* c, int64_t rows, int64_t inner, int64_t columns);
};

/// Positions evaluated together by KernelTable::siren; count never exceeds it.
constexpr int64_t kSirenTile = 64;
/// Two of the widest vectors of doubles.
constexpr int64_t kMatrixColumns = 16;

}  // namespace longconv
