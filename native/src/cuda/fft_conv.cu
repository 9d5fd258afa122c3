// Plans and launches of the FFT convolution: chooses the transform, owns the tables and spectra, cuts long work into chunks.
#include "fft_conv.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>

#include "device_memory.h"
#include "fft/columns.cuh"
#include "fft/geometry.h"
#include "fft/kernels.h"
#include "fft/one_pass_parameters.cuh"
#include "fft/spectrum.h"
#include "fft/tables.h"
#include "transform_choice.h"

namespace longconv::cuda {

// Chunks of long work take turns on so many streams, so that what waits for memory runs beside what computes: on one H100 3 to 5% faster than one
// chunk of 512 MB. Chunks that would stay in L2 were never faster.
constexpr int kLanes = 4;
constexpr int64_t kChunkBytes = int64_t{128} << 20;

struct Lanes {
  std::vector<cudaStream_t> streams;
  Lanes() = default;
  Lanes(const Lanes&) = delete;
  ~Lanes() {
    for (cudaStream_t stream : streams) cudaStreamDestroy(stream);
  }
};

/// A moment of a stream that others wait for.
class Event {
 public:
  Event() { check(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming), "make an event"); }
  Event(const Event&) = delete;
  ~Event() { cudaEventDestroy(event_); }
  void let_wait(cudaStream_t stream, cudaStream_t for_stream) const {
    check(cudaEventRecord(event_, for_stream), "record an event");
    check(cudaStreamWaitEvent(stream, event_, 0), "wait for an event");
  }

 private:
  cudaEvent_t event_ = nullptr;
};

struct FftConvPlan {
  FftConvSpec spec = {};
  TransformChoice choice = {};
  Signal signal = Signal::kPair;
  int32_t points = 0;     // of the one-pass kernel: all, or 1 / 256 of a long transform
  int32_t history = 0, step = 0;  // overlap-save: of a block, points of the one before and new ones; otherwise 0 and all
  uint32_t keep = 0xffffffffu;    // first-digit rows, on chip
  int32_t kept_rows = 1;          // long
  double alpha = 0;  // the transform's frequencies are f - alpha
  double gain = 1;  // of the digits' tables
  int multiprocessors = 0, most_shared_bytes = 0;
  DeviceMemory filter, filter_scale;
  DeviceMemory in, middle, core, pairs, out, base0, steps0, base1, steps1, core_twiddles, row_twiddles;  // one pass, or rows
  DeviceMemory column_in, column_digit, column_out, inner, coarse, fine, slots, frequency, bins;  // columns
  char description[160] = {};
  Lanes lanes;  // long
};

namespace {

/// Raises the kernel's shared-memory limit; fails where the device has less.
void allow_shared_memory(const KernelLaunch& kernel, size_t bytes) {
  check(cudaFuncSetAttribute(kernel.function, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(bytes)),
        "give a block the shared memory that this length needs");
}

/// A launch of `kernel` with one unit, to be asked about or given more blocks. attribute: outlives the result.
cudaLaunchConfig_t launch_of(const KernelLaunch& kernel, bool stages_gates, cudaStream_t stream, cudaLaunchAttribute& attribute) {
  attribute = {};
  attribute.id = cudaLaunchAttributeClusterDimension;
  attribute.val.clusterDim = {static_cast<unsigned>(kernel.cluster), 1, 1};
  cudaLaunchConfig_t launch = {};
  launch.gridDim = dim3(static_cast<unsigned>(kernel.cluster));
  launch.blockDim = dim3(kernel.threads);
  launch.dynamicSmemBytes = kernel.shared_bytes + (stages_gates ? kernel.gate_bytes : 0);
  launch.stream = stream;
  launch.attrs = &attribute;
  launch.numAttrs = kernel.cluster > 1 ? 1 : 0;
  return launch;
}

/// Whether this GPU runs transforms of `points` in clusters: from compute capability 9.0 on, where enough of its multiprocessors lie together.
bool has_clusters(int device, Signal signal, int points) {
  int supported = 0, resident = 0;
  check(cudaDeviceGetAttribute(&supported, cudaDevAttrClusterLaunch, device), "be asked for clusters");
  if (!supported) return false;
  const KernelLaunch kernel = one_pass_kernel(signal, Element::kHalf, Form::kAny, points);
  cudaLaunchAttribute attribute;
  const cudaLaunchConfig_t launch = launch_of(kernel, true, nullptr, attribute);
  allow_shared_memory(kernel, launch.dynamicSmemBytes);
  return cudaOccupancyMaxActiveClusters(&resident, kernel.function, &launch) == cudaSuccess && resident > 0;
}

TransformChoice choose_transform_for(const FftConvSpec& spec, int device) {
  const TransformChoice choice = choose_transform(spec, true);
  if (choice.is_long || choice.points <= kLargestOnChip || has_clusters(device, choice.pairs ? Signal::kPair : Signal::kReal, static_cast<int>(choice.points))) return choice;
  return choose_transform(spec, false);
}

void use(FftConvPlan& plan, const TransformChoice& choice) {
  plan.choice = choice;
  plan.history = static_cast<int32_t>(choice.history);
  plan.step = static_cast<int32_t>(choice.block() - choice.history);
  plan.points = static_cast<int32_t>(choice.is_long ? choice.points / kColumnRadix : choice.points);
  plan.signal = choice.pairs ? Signal::kPair : Signal::kReal;
  plan.alpha = choice.pairs && !choice.halves ? 0 : 0.25;
}

FragmentKind fragments_in(Signal signal) { return signal == Signal::kReal ? FragmentKind::kFromReal : FragmentKind::kComplex; }
FragmentKind fragments_out(Signal signal) {
  return signal == Signal::kPair ? FragmentKind::kToPair : signal == Signal::kReal ? FragmentKind::kToReal : FragmentKind::kComplex;
}

void upload_tables(FftConvPlan& plan) {
  const int n = plan.points;
  const Geometry g = geometry_of(n);
  const Signal signal = plan.choice.is_long ? Signal::kComplex : plan.signal;
  const double alpha = plan.choice.is_long ? 0 : plan.alpha;
  auto gain = [&](int radix, double shift, int times) { plan.gain *= std::pow(fragment_gain(radix, shift), times); };
  gain(16, 0, 4);
  if (g.middle > 1) gain(g.middle, 0, 2);
  if (g.first >= 8) {
    gain(g.first, alpha, 2);
    plan.in = DeviceMemory::of(digit_fragments(fragments_in(signal), g.first, alpha));
    plan.out = DeviceMemory::of(digit_fragments(fragments_out(signal), g.first, alpha));
  }
  plan.core = DeviceMemory::of(digit_fragments(FragmentKind::kComplex, 16, 0));
  plan.base0 = DeviceMemory::of(twiddle_base(n, g.first, g.middle * 256, alpha));
  plan.steps0 = DeviceMemory::of(twiddle_steps(n, g.first, alpha));
  plan.pairs = DeviceMemory::of(digit_fragments(FragmentKind::kPairs, 16, 0));
  plan.core_twiddles = DeviceMemory::of(core_twiddles());
  if (g.middle > 1) {
    plan.middle = DeviceMemory::of(digit_fragments(FragmentKind::kComplex, g.middle, 0));
    plan.base1 = DeviceMemory::of(twiddle_base(g.middle * 256, g.middle, 256, 0));
    plan.steps1 = DeviceMemory::of(twiddle_steps(g.middle * 256, g.middle, 0));
    plan.row_twiddles = DeviceMemory::of(row_twiddles(g.middle * 256, g.middle, 0));
  } else {
    plan.row_twiddles = DeviceMemory::of(row_twiddles(n, g.first, alpha));
  }
  if (!plan.choice.is_long) return;
  gain(16, plan.alpha, 2);
  gain(16, 0, 2);
  plan.column_in = DeviceMemory::of(digit_fragments(fragments_in(plan.signal), 16, plan.alpha));
  plan.column_digit = DeviceMemory::of(digit_fragments(FragmentKind::kComplex, 16, 0));
  plan.column_out = DeviceMemory::of(digit_fragments(fragments_out(plan.signal), 16, plan.alpha));
  plan.inner = DeviceMemory::of(twiddle_inner(plan.alpha));
  const int64_t period = 4 * plan.choice.points;
  plan.coarse = DeviceMemory::of(twiddle_circle(period, 4096, static_cast<int>(period / 4096)));
  plan.fine = DeviceMemory::of(twiddle_circle(period, 1, 4096));
}

void compute_filters(FftConvPlan& plan, const float* filter, cudaStream_t stream) {
  const FftConvSpec& s = plan.spec;
  std::vector<int32_t> rows = {0};
  if (plan.choice.is_long) {
    rows = rows_with_kept_bins(plan.spec, plan.choice);
    plan.kept_rows = static_cast<int32_t>(rows.size());
    std::vector<int32_t> slots(kColumnRadix, -1);
    for (size_t i = 0; i < rows.size(); ++i) slots[rows[i]] = static_cast<int32_t>(i);
    plan.slots = DeviceMemory::of(slots);
  } else if (plan.choice.can_leave_out_rows()) {
    plan.keep = 0;
    for (const int32_t row : rows_with_kept_bins(plan.spec, plan.choice)) plan.keep |= 1u << row;
  }
  plan.frequency = DeviceMemory::of(rows);
  if (plan.choice.is_long) plan.bins = DeviceMemory::of(row_bins(rows, static_cast<int>(4 * plan.alpha), 4 * plan.choice.points, plan.points));
  plan.filter = DeviceMemory(static_cast<size_t>(4) * s.channels * plan.kept_rows * plan.points);
  plan.filter_scale = DeviceMemory(4 * s.channels);
  check(cudaMemsetAsync(plan.filter_scale.as<void>(), 0, 4 * s.channels, stream), "clear memory");
  DeviceMemory kept;
  if (s.kept) kept = DeviceMemory::of(std::vector<uint8_t>(s.kept, s.kept + s.fft_size / 2 + 1));
  SpectrumRequest r = {};
  r.filter = filter;
  r.channels = s.channels;
  r.filter_length = s.filter_length;
  r.taps = s.mode == LC_CAUSAL ? std::min(s.filter_length, s.max_length) : s.filter_length;
  r.transform = plan.choice.points;
  r.circle = s.right_angle ? s.fft_size : 0;
  r.alpha = plan.alpha;
  r.kept = s.kept ? kept.as<uint8_t>() : nullptr;
  r.rows = plan.choice.is_long ? kColumnRadix : 1;
  r.points = plan.points;
  r.frequency = plan.frequency.as<int32_t>();
  r.kept_rows = plan.kept_rows;
  r.gain = static_cast<float>(plan.gain);
  compute_spectrum(r, plan.filter.as<uint32_t>(), plan.filter_scale.as<float>(), stream);
}

void describe(FftConvPlan& plan) {
  const Geometry g = geometry_of(plan.points);
  int used = std::snprintf(plan.description, sizeof plan.description, "%s, %lld points", plan.spec.overlap_save ? "overlap-save" :
                           plan.signal == Signal::kReal ? "right-angle" : "circular pairs", static_cast<long long>(plan.choice.block()));
  if (plan.choice.is_long) used += std::snprintf(plan.description + used, sizeof plan.description - used, ", %d of %d rows", plan.kept_rows, kColumnRadix);
  else if (g.first >= 8 && __builtin_popcount(plan.keep) < g.first)
    used += std::snprintf(plan.description + used, sizeof plan.description - used, ", %d of %d rows", __builtin_popcount(plan.keep), g.first);
  if (plan.spec.overlap_save) std::snprintf(plan.description + used, sizeof plan.description - used, ", %d new in each", plan.step);
}

/// Sequences (pairs of rows, or rows) of a long transform that fit a chunk.
int64_t chunk_sequences(const FftConvPlan& plan) {
  const int64_t bytes = std::max<int64_t>(1, int64_t{4} * plan.kept_rows * plan.points);
  return std::max<int64_t>(1, (plan.spec.chunk_bytes > 0 ? plan.spec.chunk_bytes : kChunkBytes) / bytes);
}

size_t state_bytes(const FftConvPlan& plan) { return (chunk_sequences(plan) * sizeof(SequenceState) + 255) / 256 * 256; }

/// Of the workspace: state and rows of one chunk.
int64_t lane_bytes(const FftConvPlan& plan) { return static_cast<int64_t>(state_bytes(plan)) + chunk_sequences(plan) * plan.kept_rows * plan.points * 4; }

bool aligned(const void* pointer) { return reinterpret_cast<uintptr_t>(pointer) % 16 == 0; }

SignalArrays arrays_of(const FftConvPlan& plan, const FftConvCall& call) {
  SignalArrays s = {};
  s.input = call.input;
  s.pre_gate = call.pre_gate;
  s.post_gate = call.post_gate;
  s.output = call.output;
  s.skip = call.skip;
  s.batch = static_cast<int32_t>(call.batch);
  s.total_channels = call.total_channels;
  s.first_channel = static_cast<int32_t>(call.first_channel);
  s.length = static_cast<int32_t>(call.length);
  s.step = plan.step;
  s.history = plan.history;
  s.blocks = static_cast<int32_t>((call.length + plan.step - 1) / plan.step);
  s.apart = plan.choice.halves ? plan.points : 0;
  s.discarded[0] = std::min(plan.history, plan.points);
  s.discarded[1] = std::max(plan.history - plan.points, 0);
  s.vector = call.length % 8 == 0 && plan.step % 8 == 0 && plan.history % 8 == 0 && aligned(call.input) && aligned(call.output) &&
             aligned(call.pre_gate) && aligned(call.post_gate);
  return s;
}

OnePass tables_of(const FftConvPlan& plan) {
  const Geometry g = geometry_of(plan.points);
  OnePass o = {};
  o.in_fragments = plan.in.as<uint4>();
  o.middle_fragments = plan.middle.as<uint4>();
  o.core_fragments = plan.core.as<uint4>();
  o.pair_fragments = plan.pairs.as<uint4>();
  o.out_fragments = plan.out.as<uint4>();
  o.first = {plan.base0.as<float2>(), plan.steps0.as<float2>(), g.middle * 32};
  o.middle = {plan.base1.as<float2>(), plan.steps1.as<float2>(), 32};
  o.core_twiddles = plan.core_twiddles.as<float4>();
  o.row_twiddles = plan.row_twiddles.as<uint32_t>();
  o.filter = plan.filter.as<uint32_t>();
  o.filter_scale = plan.filter_scale.as<float>();
  o.keep = plan.keep;
  o.most = most_trusted(plan.choice.points, plan.gain);
  return o;
}

/// Whether gates are staged in shared memory, too, on this GPU.
bool has_room_for_gates(const FftConvPlan& plan, const KernelLaunch& kernel) {
  return kernel.gates_staged || kernel.shared_bytes + kernel.gate_bytes <= static_cast<size_t>(plan.most_shared_bytes);
}

void launch_one_pass(const FftConvPlan& plan, const KernelLaunch& kernel, OnePass& parameters, cudaStream_t stream) {
  cudaLaunchAttribute attribute;
  parameters.gates_staged = parameters.signal.pre_gate && has_room_for_gates(plan, kernel);
  cudaLaunchConfig_t launch = launch_of(kernel, parameters.gates_staged, stream, attribute);
  allow_shared_memory(kernel, launch.dynamicSmemBytes);
  int resident = 0;  // blocks of a multiprocessor, or clusters of the GPU
  check(kernel.cluster > 1 ? cudaOccupancyMaxActiveClusters(&resident, kernel.function, &launch)
                           : cudaOccupancyMaxActiveBlocksPerMultiprocessor(&resident, kernel.function, kernel.threads, launch.dynamicSmemBytes),
        "plan a launch");
  if (resident == 0) fail(LC_NOT_SUPPORTED, "This GPU has too little shared memory or too few registers for %d points on chip.", plan.points);
  const int64_t groups = (static_cast<int64_t>(parameters.units) + kernel.group - 1) / kernel.group;
  if (groups == 0) return;
  const int64_t at_once = kernel.cluster > 1 ? resident : static_cast<int64_t>(resident) * plan.multiprocessors;
  launch.gridDim = dim3(static_cast<unsigned>(std::min(groups, at_once) * kernel.cluster));
  parameters.teams = static_cast<uint32_t>(kernel.cluster > 1 ? at_once : plan.multiprocessors);
  void* arguments[] = {&parameters};
  check(cudaLaunchKernelExC(&launch, kernel.function, arguments), "start a kernel");
}

void launch_long(const FftConvPlan& plan, const FftConvCall& call, cudaStream_t stream) {
  const SignalArrays signal = arrays_of(plan, call);
  const auto columns = [&](ColumnsStep step) {
    const KernelLaunch kernel = columns_kernel(plan.signal, call.element, form_of(signal), step);
    allow_shared_memory(kernel, kernel.shared_bytes);
    return kernel;
  };
  const KernelLaunch forward = columns(ColumnsStep::kForward), settle = columns(ColumnsStep::kSettle), inverse = columns(ColumnsStep::kInverse);
  const KernelLaunch row_kernel = one_pass_kernel(Signal::kComplex, call.element, Form::kAny, plan.points);
  const int64_t members = plan.signal == Signal::kPair ? 2 : 1, per_channel = (call.batch + members - 1) / members;
  const int64_t at_once = std::min<int64_t>(chunk_sequences(plan), 65535);
  Columns c = {};
  c.signal = signal;
  c.slots = plan.slots.as<int32_t>();
  c.in_fragments = plan.column_in.as<uint4>();
  c.digit_fragments = plan.column_digit.as<uint4>();
  c.out_fragments = plan.column_out.as<uint4>();
  c.inner = plan.inner.as<float2>();
  c.filter_scale = plan.filter_scale.as<float>();
  c.points = plan.points;
  c.most = most_trusted(plan.choice.points, plan.gain);
  c.rows.filter = plan.filter.as<uint32_t>();
  c.rows.bins = plan.bins.as<RowBin>();
  c.rows.twiddles = {plan.coarse.as<float2>(), plan.fine.as<float2>(), static_cast<uint32_t>(4 * plan.choice.points - 1)};
  c.rows.kept_rows = static_cast<uint32_t>(plan.kept_rows);
  c.rows.shift4 = static_cast<int32_t>(4 * plan.alpha);
  OnePass rows = tables_of(plan);
  rows.units_per_channel = 1;
  const int64_t channels_at_once = std::max<int64_t>(1, at_once / per_channel);
  const auto parts = [](int64_t whole, int64_t part) { return (whole + part - 1) / part; };
  const int64_t lanes = std::min<int64_t>(kLanes, parts(plan.spec.channels, channels_at_once) * parts(per_channel, at_once));
  const auto lane_of = [&](int64_t i) { return lanes == 1 ? stream : plan.lanes.streams[static_cast<size_t>(i)]; };
  const Event event;
  for (int64_t i = 0; i < lanes; ++i) {
    if (lanes > 1) event.let_wait(lane_of(i), stream);
    check(cudaMemsetAsync(static_cast<char*>(call.workspace) + i * lane_bytes(plan), 0, state_bytes(plan), lane_of(i)), "clear memory");
  }
  int64_t chunk = 0;
  for (int64_t channel = 0; channel < plan.spec.channels; channel += channels_at_once) {
    const int64_t channels = std::min(channels_at_once, plan.spec.channels - channel);
    for (int64_t first = 0; first < per_channel; first += at_once) {
      const int64_t sequences = std::min(at_once, per_channel - first);
      c.rows.first_channel = static_cast<int32_t>(channel);
      c.rows.sequences = static_cast<uint32_t>(sequences);
      c.first_sequence = static_cast<uint32_t>(first);
      const int64_t turn = chunk++ % lanes;
      char* const place = static_cast<char*>(call.workspace) + turn * lane_bytes(plan);
      c.sequences = reinterpret_cast<SequenceState*>(place);
      c.rows.data = reinterpret_cast<uint32_t*>(place + state_bytes(plan));
      cudaStream_t const lane = lane_of(turn);
      void* arguments[] = {&c};
      const unsigned all = static_cast<unsigned>(channels * sequences);
      const auto start = [&](const KernelLaunch& kernel, unsigned tiles) {
        check(cudaLaunchKernel(kernel.function, dim3(tiles, all), dim3(kernel.threads), arguments, kernel.shared_bytes, lane), "start a kernel");
      };
      const unsigned tiles = static_cast<unsigned>(plan.points / 64);
      start(forward, tiles);
      start(settle, 1);
      rows.rows = c.rows;
      rows.units = static_cast<uint32_t>(channels * sequences * plan.kept_rows);
      launch_one_pass(plan, row_kernel, rows, lane);
      start(inverse, tiles);
    }
  }
  for (int64_t i = 0; lanes > 1 && i < lanes; ++i) event.let_wait(stream, lane_of(i));
}

}  // namespace

int32_t fft_conv_prepare(const FftConvSpec& spec, const float* filter, cudaStream_t stream, FftConvPlan** plan, lc_status* status) {
  return guarded(status, [&] {
    *plan = nullptr;
    auto made = std::make_unique<FftConvPlan>();
    made->spec = spec;
    int device = 0;
    check(cudaGetDevice(&device), "be found");
    use(*made, choose_transform_for(spec, device));
    check(cudaDeviceGetAttribute(&made->multiprocessors, cudaDevAttrMultiProcessorCount, device), "be asked for its size");
    check(cudaDeviceGetAttribute(&made->most_shared_bytes, cudaDevAttrMaxSharedMemoryPerBlockOptin, device), "be asked for its size");
    upload_tables(*made);
    compute_filters(*made, filter, stream);
    made->spec.kept = nullptr;  // the caller's memory
    if (made->choice.is_long) {
      made->lanes.streams.resize(kLanes);
      for (cudaStream_t& lane : made->lanes.streams) check(cudaStreamCreateWithFlags(&lane, cudaStreamNonBlocking), "make a stream");
    }
    describe(*made);
    *plan = made.release();
  });
}

int32_t fft_conv_launch(const FftConvPlan& plan, const FftConvCall& call, cudaStream_t stream, lc_status* status) {
  return guarded(status, [&] {
    const bool fixed = plan.spec.mode == LC_CIRCULAR;
    if (call.length < 1 || call.length > plan.spec.max_length || (fixed && call.length != plan.spec.max_length))
      fail(LC_INVALID_ARGUMENT, "This filter was prepared for inputs of %s%lld points, not %lld.", fixed ? "" : "up to ",
           static_cast<long long>(plan.spec.max_length), static_cast<long long>(call.length));
    if (call.batch < 1 || call.first_channel < 0 || call.first_channel + plan.spec.channels > call.total_channels)
      fail(LC_INVALID_ARGUMENT, "The arrays do not hold the channels of this filter.");
    if (call.total_channels > INT32_MAX || call.batch * plan.spec.channels * ((call.length + plan.step - 1) / plan.step) > INT32_MAX)
      fail(LC_NOT_SUPPORTED, "The CUDA kernels take at most 2^31 rows and blocks at a time: split the batch.");
    if (plan.choice.is_long) {
      if (!call.workspace) fail(LC_INVALID_ARGUMENT, "This length needs a workspace.");
      launch_long(plan, call, stream);
      return;
    }
    OnePass o = tables_of(plan);
    o.signal = arrays_of(plan, call);
    const int64_t sequences = plan.signal == Signal::kPair && !plan.choice.halves ? 2 : 1;  // of a unit
    const int64_t per_channel = (call.batch * o.signal.blocks + sequences - 1) / sequences;
    o.units_per_channel = static_cast<uint32_t>(per_channel);
    o.units = static_cast<uint32_t>(per_channel * plan.spec.channels);
    const Form form = form_of(o.signal);
    KernelLaunch kernel = one_pass_kernel(plan.signal, call.element, form, plan.points);
    if (form == Form::kGated && !has_room_for_gates(plan, kernel)) kernel = one_pass_kernel(plan.signal, call.element, Form::kAny, plan.points);
    launch_one_pass(plan, kernel, o, stream);
  });
}

size_t fft_conv_workspace_bytes(const FftConvPlan& plan) {
  if (!plan.choice.is_long) return 0;
  return static_cast<size_t>(kLanes * lane_bytes(plan));
}

size_t fft_conv_prepared_bytes(const FftConvPlan& plan) {
  size_t bytes = 0;
  for (const DeviceMemory* memory :
       {&plan.filter, &plan.filter_scale, &plan.in, &plan.middle, &plan.core, &plan.pairs, &plan.out, &plan.base0, &plan.steps0, &plan.base1, &plan.steps1,
        &plan.core_twiddles, &plan.row_twiddles, &plan.column_in, &plan.column_digit, &plan.column_out, &plan.inner, &plan.coarse, &plan.fine, &plan.slots,
        &plan.frequency, &plan.bins})
    bytes += memory->bytes();
  return bytes;
}

const char* fft_conv_describe(const FftConvPlan& plan) { return plan.description; }

void fft_conv_free(FftConvPlan* plan) { delete plan; }

}  // namespace longconv::cuda
