/*
 * The table behind which every device looks the same to the planner and the addon. The CPU backend is linked in; a CUDA backend
 * is a shared object that exports `lc_backend_entry` and is opened when a driver is there.
 */
#ifndef LONGCONV_BACKEND_H
#define LONGCONV_BACKEND_H

#include "convolution.h"
#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LC_BACKEND_ABI 2

typedef struct lc_prepared lc_prepared;

/* Measured rates of one device, read by the planner's cost model (src/plan/cost_model.h has the formulas). */
typedef struct lc_costs {
  int64_t minimum_transform;  /* smallest transform the device's FFT takes, in points */
  int64_t transform_rows;     /* overlap-save discards whole rows of transform_length / transform_rows points */
  double fft_level_seconds;   /* per complex point and radix-2 level: forward, inverse and their share of the product */
  double fft_point_seconds;   /* per complex point: first and last pass */
  double block_seconds;       /* per block of overlap-save or row of a comb, besides its points */
  double toeplitz_seconds;    /* per output and tap */
  double toeplitz_point_seconds; /* per output */
  double fold_seconds;        /* per column, kept comb row and row of a quarter period (n1 / 4 + 1): fold and unfold */
  double fold_point_seconds;  /* per input point: fold and unfold */
  double halve_seconds;       /* per sample before a halving of the sampling rate and pair of taps, both ways; 0: the device has no such kernel */
  double halve_point_seconds; /* per sample before a halving, both ways */
  double halve_row_seconds;   /* per row and halving */
  double byte_seconds;        /* per byte streamed from memory (signals and spectra beyond cached_bytes) */
  int64_t cached_bytes;
  double far_factor;          /* transforms larger than near_points cost this much more per point */
  int64_t near_points;
  double call_seconds;        /* fixed cost of one call */
} lc_costs;

typedef struct lc_backend {
  int32_t abi; /* LC_BACKEND_ABI */
  const char* name;
  /* LC_OK, or LC_NOT_SUPPORTED with the reason and what to do. */
  int32_t (*usable)(lc_status* status);
  /* `variant`: an instruction set of the CPU; null for the best one. */
  int32_t (*costs)(const char* variant, lc_costs* costs, lc_status* status);
  /* Brings filter [channels, filter_length] into the plan's layout. `cancel`: polled, non-zero stops with LC_CANCELLED; may be null. */
  int32_t (*prepare)(const lc_convolution_spec* spec, const lc_plan* plan, const char* variant, const float* filter, int32_t threads,
                     const int32_t* cancel, lc_prepared** prepared, lc_status* status);
  /* May run for several calls at a time. Results do not depend on `threads`. */
  int32_t (*run)(const lc_prepared* prepared, const lc_convolution_call* call, const int32_t* cancel, lc_status* status);
  void (*free)(lc_prepared* prepared);
} lc_backend;

#ifdef __cplusplus
}
#endif

#endif
