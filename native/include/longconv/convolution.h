/*
 * What a convolution is, how the planner wants it done, and one call of it. Plain data: no ownership passes through these
 * structures, every pointer stays valid for the length of the call it is given to. Sizes are 64-bit, arrays row-major.
 */
#ifndef LONGCONV_CONVOLUTION_H
#define LONGCONV_CONVOLUTION_H

#include <stdint.h>

/*
 * LC_CAUSAL:   y[t] = sum_{j=0..min(t, filter_length-1)} k[j] u[t-j]
 * LC_GRID:     y[t] = sum_s k[(t-s) mod fft_size] u[s]; filter_length == fft_size; bins that are not kept count as exactly 0
 * LC_CIRCULAR: y[t] = sum_j k[j] u[(t-j) mod length], length == max_length, filter_length <= length
 */
typedef enum lc_mode { LC_CAUSAL = 0, LC_GRID = 1, LC_CIRCULAR = 2 } lc_mode;

typedef struct lc_convolution_spec {
  int32_t mode; /* lc_mode */
  int64_t channels;
  int64_t filter_length; /* row length of the filter array */
  int64_t max_length;    /* longest input that will be run */
  int64_t fft_size;      /* LC_GRID only: a power of two */
  const uint8_t* kept;   /* LC_GRID only: [fft_size / 2 + 1], non-zero where a bin may be non-zero */
} lc_convolution_spec;

typedef enum lc_algorithm {
  LC_TOEPLITZ = 0,     /* direct sum, very short filters */
  LC_OVERLAP_SAVE = 1, /* blocks of 2 * transform_length points, `discard` of which are history */
  LC_RIGHT_ANGLE = 2,  /* one transform_length-point complex transform per row of input */
  LC_COMB_ROWS = 3,    /* only the kept rows of the digit f mod comb_modulus, each a transform of transform_length points */
  LC_CIRCULAR_FFT = 4, /* one transform_length-point complex transform per pair of rows */
  LC_DECIMATED = 5     /* low-pass masks: one sample in `decimation`, convolved by a transform_length-point complex transform */
} lc_algorithm;

typedef struct lc_plan {
  int32_t algorithm; /* lc_algorithm */
  const char* name;  /* static string for people */
  int64_t taps;      /* taps that can act: at most the longest input */
  int64_t transform_length;
  int64_t discard;       /* LC_OVERLAP_SAVE: history points of a block, a multiple of transform_length / transform_rows */
  int64_t comb_modulus;
  int64_t comb_rows;     /* rows computed, mirrored rows counted once */
  int64_t band;          /* LC_DECIMATED: no bin from this one on is kept */
  int64_t decimation;    /* LC_DECIMATED: a power of two */
  double seconds;        /* predicted for the call asked about */
  int64_t prepared_bytes;
  double executed_fraction; /* share of the dense arithmetic: spectrum points visited; LC_DECIMATED: operations, those of its filters included */
} lc_plan;

/* Samples of signals; arithmetic is float32 whatever the type. */
typedef enum lc_sample_type { LC_FLOAT32 = 0, LC_FLOAT16 = 1, LC_BFLOAT16 = 2 } lc_sample_type;

typedef struct lc_convolution_call {
  const void* input; /* [batch, total_channels, length] of sample_type, like output and gates */
  void* output;      /* same layout; only this convolution's channels are written; must not overlap any input */
  const void* pre_gate;
  const void* post_gate;
  const float* skip; /* [total_channels] */
  /* LC_CAUSAL only, null otherwise: [batch, channels, filter_length - 1] inputs (after the gate) that precede the call's first point,
     oldest first. Replaced by the last ones when the call succeeds, so that a long input can be run in pieces. */
  float* history;
  int32_t sample_type; /* lc_sample_type */
  int64_t batch;
  int64_t length;
  int64_t total_channels;
  int64_t first_channel;
  int32_t threads; /* 0: all */
} lc_convolution_call;

#endif
