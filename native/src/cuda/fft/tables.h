// Constant tables of the kernels, computed in float64 on the host and rounded once. w_n = exp(-2 pi i / n).
#pragma once

#include <vector_types.h>

#include <cstdint>
#include <vector>

#include "geometry.h"

namespace longconv::cuda {

enum class FragmentKind { kComplex, kPairs, kFromReal, kToReal, kToPair };

/// Fragments of digit.cuh, [tile][fragment][lane]. kComplex, kFromReal: rows f - alpha. kPairs: the same for core.cuh's pairs of points (radix 16). kToReal, kToPair: columns f - alpha, of the swapped result
/// the imaginary part, or that and the real part.
/// Entries are scaled by about 1 / sqrt(radix): by the value near it for which rounding to fp16 changes them least.
std::vector<uint4> digit_fragments(FragmentKind kind, int radix, double alpha);
/// What that scale is, relative to 1 / sqrt(radix).
double fragment_gain(int radix, double alpha);

/// Bits of the largest |half| (64 at most) of rows whose transform of `points` stays in fp16's range wherever its energy gathers: two rows at
/// the maximum, taken as one complex sequence, give up to sqrt(2 points) times as much. gain: of all digits' tables together.
uint32_t most_trusted(int64_t points, double gain);

/// [rows][columns / 8]: w_n^((row - alpha) 8 c)
std::vector<float2> twiddle_base(int64_t n, int rows, int columns, double alpha);
/// [rows][4]: w_n^((row - alpha) {1, 4, 8, 128})
std::vector<float2> twiddle_steps(int64_t n, int rows, double alpha);
/// core.cuh's twiddles. Within the core, [row / 8][column & 1][lane]: w_256^(row column) of columns 8 apart. Of its results, in fp16, re and im of
/// two at a time, [row][n2 / 8][lane][n1 / 8][re, im]: w_n^((row - alpha) (16 n1 + n2)) of neighbouring n2.
std::vector<float4> core_twiddles();
std::vector<uint32_t> row_twiddles(int64_t n, int rows, double alpha);
/// [count]: exp(-2 pi i stride i / period)
std::vector<float2> twiddle_circle(int64_t period, int64_t stride, int count);
/// Rows f of a long transform of `period` / 4 points, for rows of `points` points: frequencies f - shift4 / 4, far columns of their on-chip transform.
std::vector<RowBin> row_bins(const std::vector<int32_t>& frequencies, int shift4, int64_t period, int points);
/// [16 fa][16 rb]: w_256^((fa - alpha) rb)
std::vector<float2> twiddle_inner(double alpha);

}  // namespace longconv::cuda
