/*
 * The GPU as a device of its own: memory that stays there, convolutions and the other operations of a model on it.
 * liblongconv_cuda exports one function, lc_cuda_entry, which gives the table below. Plain C, no CUDA types: whoever loads
 * the library needs no CUDA header and links no CUDA library.
 *
 * All work is ordered by one stream. Calls that return device results only start work; `download`, `synchronize` and the
 * functions that return numbers wait. Errors of work that is under way are reported by the next call that waits. A table may be
 * used from several threads at a time.
 */
#ifndef LONGCONV_CUDA_H
#define LONGCONV_CUDA_H

#include "convolution.h"
#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LC_CUDA_ABI 2
#define LC_CUDA_ENTRY "lc_cuda_entry"
#define LC_MAX_RANK 6

typedef enum lc_element { LC_F32 = 0, LC_F16 = 1, LC_BF16 = 2, LC_I32 = 3 } lc_element;

typedef struct lc_cuda_device {
  char name[96];
  int32_t major, minor;      /* compute capability */
  int32_t multiprocessors;
  int32_t driver;            /* CUDA version of the driver, 1000 major + 10 minor */
  int64_t memory_bytes;
  int64_t shared_bytes;      /* most shared memory that one block can have */
} lc_cuda_device;

typedef struct lc_cuda_memory { int64_t used_bytes, peak_bytes, device_free_bytes; } lc_cuda_memory;

/* A row-major view: element (i0, i1, ...) lies `strides` . i elements after data. A stride of 0 repeats. */
typedef struct lc_view {
  void* data;
  int32_t element; /* lc_element */
  int32_t rank;
  int64_t dims[LC_MAX_RANK];
  int64_t strides[LC_MAX_RANK];
} lc_view;

typedef struct lc_cuda_convolution lc_cuda_convolution;

/* How a convolution is to be done for a spec of convolution.h; filled by `plan_convolution`. */
typedef struct lc_cuda_plan {
  const char* name;         /* static string for people */
  int64_t prepared_bytes;
  double seconds;           /* predicted for one row of max_length samples of each channel, as on an H100 */
} lc_cuda_plan;

/* y = post_gate * (conv(pre_gate * u) + skip * pre_gate * u); u, gates and y [batch, total_channels, length], contiguous. */
typedef struct lc_cuda_convolution_call {
  int32_t element; /* LC_F32, LC_F16 or LC_BF16: of input, gates and output */
  const void* input;
  void* output; /* must not overlap input or gates */
  const void* pre_gate;
  const void* post_gate;
  const float* skip; /* [total_channels] or null */
  int64_t batch, length, total_channels, first_channel;
} lc_cuda_convolution_call;

typedef enum lc_activation { LC_NONE = 0, LC_GELU_TANH = 1, LC_GELU_ERF = 2, LC_SILU = 3, LC_RELU = 4, LC_SIGMOID = 5, LC_TANH = 6 } lc_activation;

/*
 * d[i] = residual[i] + activation(a[i] b[i] + bias) for i < batch. a is [rows, inner] or, transposed, [inner, rows]; b is
 * [inner, columns] or, transposed, [columns, inner]; d [rows, columns]. Strides between matrices in elements, 0 repeats.
 */
typedef struct lc_cuda_gemm {
  int64_t batch, rows, columns, inner;
  int32_t operand_element; /* LC_F16, LC_BF16, or LC_F32 */
  int32_t output_element;  /* that, or LC_F32 */
  int32_t transposed_a, transposed_b;
  const void* a;
  const void* b;
  void* d;
  int64_t a_stride, b_stride, d_stride;
  const float* bias;      /* null, [columns], or [rows] where bias_along_rows */
  int32_t bias_along_rows;
  int32_t activation;     /* lc_activation */
  const float* residual;  /* null, or laid out as d; may be d itself where output_element is LC_F32 */
} lc_cuda_gemm;

/* y[r] = (x[r] - mean) / sqrt(variance + epsilon) * scale + shift over rows of `width`; root_mean_square: mean counts as 0, no shift. */
typedef struct lc_cuda_norm {
  const void* x;
  void* y;
  int32_t x_element, y_element;
  const float* scale; /* [width] */
  const float* shift; /* [width] or null */
  double epsilon;
  int64_t rows, width;
  int32_t root_mean_square;
} lc_cuda_norm;

/*
 * y[g][b][c][t] = bias + sum_j w[g C + c][j] x[b][g C + c][t + j - pad_left], C = channels / groups: a depthwise convolution of very few
 * taps whose result is split into `groups` arrays, one after the other.
 */
typedef struct lc_cuda_depthwise {
  const void* x; /* [batch, channels, length], or [batch, length, channels] where transposed_x */
  int32_t transposed_x;
  void* y;       /* [groups, batch, channels / groups, output_length] */
  int32_t element;
  const float* weight; /* [channels, taps] */
  const float* bias;   /* [channels] or null */
  int64_t batch, channels, length, output_length, taps, pad_left, groups;
} lc_cuda_depthwise;

typedef enum lc_elementwise {
  LC_COPY = 0, LC_ADD = 1, LC_SUBTRACT = 2, LC_MULTIPLY = 3, LC_DIVIDE = 4, LC_POWER = 5, LC_MAXIMUM = 6, LC_MINIMUM = 7,
  LC_ACTIVATE = 8, /* `activation` of a */
  LC_NEGATE = 9, LC_EXPONENTIAL = 10, LC_LOGARITHM = 11, LC_SQUARE_ROOT = 12, LC_RECIPROCAL = 13, LC_ERF = 14, LC_ABSOLUTE = 15,
  LC_SINE = 16, LC_COSINE = 17
} lc_elementwise;

/* y = a op b element by element, in float32. All three have y's dims; strides of 0 broadcast. b.data null for operations of one operand. */
typedef struct lc_cuda_elementwise {
  int32_t operation;  /* lc_elementwise */
  int32_t activation; /* lc_activation, LC_ACTIVATE only */
  lc_view a, b, y;
} lc_cuda_elementwise;

/* A row of logits with this target does not count. */
#define LC_NOT_SCORED (-100)

/* Sums over the rows of one call. */
typedef struct lc_cuda_metrics { double negative_log_likelihood, correct, divergence, finite; } lc_cuda_metrics;

typedef struct lc_cuda_api {
  int32_t abi; /* LC_CUDA_ABI */

  /* LC_OK with the device, or LC_NOT_SUPPORTED with the reason why CUDA is not usable and what to do. Call it first. */
  int32_t (*open)(lc_cuda_device* device, lc_status* status);

  int32_t (*allocate)(int64_t bytes, void** pointer, lc_status* status);
  void (*release)(void* pointer);
  int32_t (*upload)(void* device, const void* host, int64_t bytes, lc_status* status);
  int32_t (*download)(void* host, const void* device, int64_t bytes, lc_status* status);
  int32_t (*synchronize)(lc_status* status);
  int32_t (*memory)(int32_t reset_peak, lc_cuda_memory* memory, lc_status* status);

  int32_t (*make_mark)(void** mark, lc_status* status);
  int32_t (*seconds_between)(void* first, void* second, double* seconds, lc_status* status);
  void (*free_mark)(void* mark);

  int32_t (*plan_convolution)(const lc_convolution_spec* spec, int32_t exact, lc_cuda_plan* plan, lc_status* status);
  /* filter: host memory [channels, filter_length]; spectra and tables are made on the device and kept there until freed.
     exact: float32 accuracy for every element type, by split operands; otherwise operands are rounded to fp16. */
  int32_t (*prepare_convolution)(const lc_convolution_spec* spec, int32_t exact, const float* filter, lc_cuda_convolution** prepared, lc_status* status);
  int32_t (*run_convolution)(const lc_cuda_convolution* prepared, const lc_cuda_convolution_call* call, lc_status* status);
  void (*free_convolution)(lc_cuda_convolution* prepared);

  int32_t (*gemm)(const lc_cuda_gemm* call, lc_status* status);
  int32_t (*norm)(const lc_cuda_norm* call, lc_status* status);
  int32_t (*depthwise)(const lc_cuda_depthwise* call, lc_status* status);
  int32_t (*elementwise)(const lc_cuda_elementwise* call, lc_status* status);
  /* y[r] = table[index[r]], rows of `width`. An index outside 0..table_rows-1 makes the row NaN. index int32, table in float32. */
  int32_t (*gather)(const int32_t* index, int64_t rows, const float* table, int64_t table_rows, int64_t width, void* y, int32_t y_element,
                    lc_status* status);
  /* Softmax metrics of float32 logits [rows, classes] against targets [rows]; `dense` as logits, or null: KL(dense || logits). Waits. */
  int32_t (*metrics)(const float* logits, const float* dense, const int32_t* targets, int64_t rows, int64_t classes, lc_cuda_metrics* metrics,
                     lc_status* status);
  /* sums[0] = sum (a - b)^2, sums[1] = sum b^2 over `count` elements, in float64. Waits. */
  int32_t (*difference)(const void* a, const void* b, int32_t element, int64_t count, double* sums, lc_status* status);
} lc_cuda_api;

/* Type of the exported function. */
typedef const lc_cuda_api* (*lc_cuda_entry_function)(void);

#ifdef __cplusplus
}
#endif

#endif
