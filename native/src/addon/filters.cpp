#include "filters.h"

#include "../cpu/aligned_buffer.h"
#include "../cpu/masked_filter.h"
#include "../cpu/siren_filter.h"
#include "../status.h"
#include "start_with.h"

namespace longconv::addon {

namespace {

class MaskJob final : public Job {
 public:
  explicit MaskJob(const Arguments& a) {
    job_.channels = a.size("channels");
    job_.taps = a.size("taps");
    job_.filter = a.floats("filter", product({job_.channels, job_.taps})).data;
    if (a.has("frequency")) {
      const Arguments frequency = a.object("frequency");
      job_.fft_size = frequency.size("fftSize");
      if (job_.fft_size < job_.taps)
        fail(LC_INVALID_ARGUMENT, "A spectrum of %lld points cannot hold a filter of %lld taps.", static_cast<long long>(job_.fft_size), static_cast<long long>(job_.taps));
      if (job_.fft_size & (job_.fft_size - 1))
        fail(LC_NOT_SUPPORTED, "The FFT size %lld is not a power of two; the kernels compute powers of two.", static_cast<long long>(job_.fft_size));
      job_.gain = frequency.doubles("gain", job_.fft_size / 2 + 1).data;
    }
    if (a.has("lagWeights")) {
      const Span<double> weights = a.doubles("lagWeights");
      job_.lag_weights = weights.data;
      job_.lag_count = weights.size;
    }
    const std::string want = a.text("want");
    if (want == "none") job_.want = MaskedRows::kNone;
    else if (want == "causal") job_.want = MaskedRows::kCausal;
    else if (want == "grid") job_.want = MaskedRows::kGrid;
    else fail(LC_INVALID_ARGUMENT, "mask.want is \"%.32s\"; it is none, causal or grid.", want.c_str());
    if (job_.want == MaskedRows::kGrid && !job_.fft_size) fail(LC_INVALID_ARGUMENT, "Rows of circular lags need a frequency mask.");
    product({job_.channels, job_.fft_size ? job_.fft_size : job_.taps});
  }

  void execute() override {
    if (job_.want != MaskedRows::kNone) masked_ = AlignedBuffer<float>(job_.channels * (job_.want == MaskedRows::kGrid ? job_.fft_size : job_.taps));
    job_.masked = masked_.data();
    energies_ = AlignedBuffer<double>(4 * job_.channels);
    job_.energy = energies_.data();
    job_.error_energy = job_.energy + job_.channels;
    job_.masked_energy = job_.error_energy + job_.channels;
    job_.leak_energy = job_.masked_energy + job_.channels;
    mask_filters(job_, nullptr);
  }

  Napi::Value result(Napi::Env env) override {
    Napi::Object object = Napi::Object::New(env);
    if (job_.want != MaskedRows::kNone) object.Set("masked", to_array<Napi::Float32Array>(env, masked_.data(), masked_.size()));
    object.Set("energy", to_array<Napi::Float64Array>(env, job_.energy, job_.channels));
    object.Set("errorEnergy", to_array<Napi::Float64Array>(env, job_.error_energy, job_.channels));
    object.Set("maskedEnergy", to_array<Napi::Float64Array>(env, job_.masked_energy, job_.channels));
    object.Set("leakEnergy", to_array<Napi::Float64Array>(env, job_.leak_energy, job_.channels));
    return object;
  }

 private:
  MaskFilterJob job_{};
  AlignedBuffer<float> masked_;
  AlignedBuffer<double> energies_;
};

class SpectrumJob final : public Job {
 public:
  explicit SpectrumJob(const Arguments& a) : taps_(a.size("taps")), fft_size_(a.size("fftSize")) {
    if (fft_size_ < taps_) fail(LC_INVALID_ARGUMENT, "A spectrum of %lld points cannot hold rows of %lld taps.", static_cast<long long>(fft_size_), static_cast<long long>(taps_));
    const Span<float> rows = a.floats("rows");
    rows_ = rows.data;
    count_ = rows.size / taps_;
    a.floats("rows", product({count_, taps_}));
    product({count_, fft_size_});
    const std::string part = a.text("part");
    if (part == "phase") part_ = SpectrumPart::kPhase;
    else if (part != "magnitude") fail(LC_INVALID_ARGUMENT, "spectrum.part is \"%.32s\"; it is magnitude or phase.", part.c_str());
  }
  void execute() override {
    values_ = AlignedBuffer<float>(count_ * (fft_size_ / 2 + 1));
    filter_spectra(rows_, count_, taps_, fft_size_, part_, values_.data(), 0, nullptr);
  }
  Napi::Value result(Napi::Env env) override { return to_array<Napi::Float32Array>(env, values_.data(), values_.size()); }

 private:
  int64_t taps_, fft_size_, count_;
  const float* rows_;
  SpectrumPart part_ = SpectrumPart::kMagnitude;
  AlignedBuffer<float> values_;
};

class SirenFilterJob final : public Job {
 public:
  explicit SirenFilterJob(const Arguments& a) {
    job_.features = a.size("features");
    job_.positions = a.floats("t").size;
    job_.t = a.floats("t").data;
    job_.z = a.floats("z", product({job_.positions, job_.features})).data;
    int64_t width = job_.features;
    for (const Arguments& layer : a.objects("layers")) {
      const int64_t rows = layer.floats("bias").size;
      job_.layers.push_back({layer.floats("weight", product({rows, width})).data, layer.floats("bias").data, width, rows});
      width = rows;
    }
    if (job_.layers.empty() || width == 0) fail(LC_INVALID_ARGUMENT, "A sine filter needs at least one hidden layer.");
    // One frequency vector serves every hidden layer, so all have its width.
    job_.freq = a.floats("freq", width).data;
    for (const SirenJob::Layer& layer : job_.layers)
      if (layer.width != width) fail(LC_INVALID_ARGUMENT, "The hidden layers of a sine filter have one width, not %lld and %lld.", static_cast<long long>(layer.width), static_cast<long long>(width));
    const Span<float> output = a.floats("output");
    job_.output = output.data;
    job_.channels = output.size / width;
    a.floats("output", product({job_.channels, width}));
    if (a.has("window")) {
      const Arguments window = a.object("window");
      job_.deltas = window.floats("deltas", job_.channels).data;
      job_.shift = window.number("shift");
    }
    product({job_.channels, job_.positions});
    job_.stride = job_.positions;
    if (a.has("into")) {
      const Arguments into = a.object("into");
      job_.stride = into.size("stride");
      if (job_.stride < job_.positions) fail(LC_INVALID_ARGUMENT, "Rows of %lld positions do not fit a stride of %lld.", static_cast<long long>(job_.positions), static_cast<long long>(job_.stride));
      const Span<float> rows = into.floats("rows");
      const int64_t needed = job_.channels == 0 ? 0 : product({job_.channels - 1, job_.stride}) + job_.positions;
      if (rows.size < needed) fail(LC_INVALID_ARGUMENT, "The array for the filter has %lld elements where %lld are needed.", static_cast<long long>(rows.size), static_cast<long long>(needed));
      job_.filter = rows.data;
      placed_ = true;
    }
  }
  void execute() override {
    if (!placed_) {
      filter_ = AlignedBuffer<float>(job_.channels * job_.positions);
      job_.filter = filter_.data();
    }
    longconv::siren_filter(job_, nullptr);
  }
  Napi::Value result(Napi::Env env) override {
    if (placed_) return env.Undefined();
    return to_array<Napi::Float32Array>(env, filter_.data(), filter_.size());
  }

 private:
  SirenJob job_{};
  /// Whether JavaScript gave the array for the result.
  bool placed_ = false;
  AlignedBuffer<float> filter_;
};

}  // namespace

Napi::Value mask_filter(const Napi::CallbackInfo& info) { return start_with<MaskJob>(info, "mask"); }
Napi::Value spectrum(const Napi::CallbackInfo& info) { return start_with<SpectrumJob>(info, "spectrum"); }
Napi::Value siren_filter(const Napi::CallbackInfo& info) { return start_with<SirenFilterJob>(info, "siren"); }

}  // namespace longconv::addon
