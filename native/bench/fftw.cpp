#include "fftw.h"

#include <dlfcn.h>

#include <algorithm>
#include <complex>
#include <cstring>
#include <vector>

namespace longconv::bench {

namespace {

using Plan = void*;
/// The functions of libfftw3f that are used, by their documented signatures.
struct Library {
  Plan (*plan_r2c)(int, float*, float (*)[2], unsigned);
  Plan (*plan_c2r)(int, float (*)[2], float*, unsigned);
  void (*execute)(Plan);
  void (*destroy)(Plan);
  void* (*allocate)(std::size_t);
  void (*release)(void*);

  bool open() {
    void* handle = dlopen("libfftw3f.so.3", RTLD_NOW | RTLD_LOCAL);
    if (!handle) return false;
    const auto find = [handle](auto& function, const char* name) { return (function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(handle, name))) != nullptr; };
    return find(plan_r2c, "fftwf_plan_dft_r2c_1d") && find(plan_c2r, "fftwf_plan_dft_c2r_1d") && find(execute, "fftwf_execute") && find(destroy, "fftwf_destroy_plan") &&
           find(allocate, "fftwf_malloc") && find(release, "fftwf_free");
  }
};

constexpr unsigned kMeasure = 0;

class Convolution final : public FftwConvolution {
 public:
  Convolution(const Library& library, int64_t channels, int64_t length, int64_t points, const float* filter)
      : library_(library), channels_(channels), length_(length), points_(points), bins_(points / 2 + 1) {
    real_ = static_cast<float*>(library.allocate(sizeof(float) * static_cast<std::size_t>(points)));
    complex_ = static_cast<std::complex<float>*>(library.allocate(sizeof(std::complex<float>) * static_cast<std::size_t>(bins_)));
    auto* raw = reinterpret_cast<float(*)[2]>(complex_);
    forward_ = library.plan_r2c(static_cast<int>(points), real_, raw, kMeasure);
    inverse_ = library.plan_c2r(static_cast<int>(points), raw, real_, kMeasure);
    spectra_.resize(static_cast<std::size_t>(channels * bins_));
    for (int64_t c = 0; c < channels; ++c) {
      load(filter + c * length, nullptr);
      library.execute(forward_);
      for (int64_t f = 0; f < bins_; ++f) spectra_[static_cast<std::size_t>(c * bins_ + f)] = complex_[f] / static_cast<float>(points);
    }
  }
  ~Convolution() override {
    library_.destroy(forward_);
    library_.destroy(inverse_);
    library_.release(real_);
    library_.release(complex_);
  }

  void run(const float* input, float* output, int64_t batch, const float* pre_gate, const float* post_gate) override {
    for (int64_t row = 0; row < batch * channels_; ++row) {
      load(input + row * length_, pre_gate ? pre_gate + row * length_ : nullptr);
      library_.execute(forward_);
      // Written out: the operator of std::complex handles infinities and would not be vectorised.
      const float* k = reinterpret_cast<const float*>(&spectra_[static_cast<std::size_t>(row % channels_ * bins_)]);
      float* z = reinterpret_cast<float*>(complex_);
      for (int64_t f = 0; f < 2 * bins_; f += 2) {
        const float re = z[f] * k[f] - z[f + 1] * k[f + 1], im = z[f] * k[f + 1] + z[f + 1] * k[f];
        z[f] = re;
        z[f + 1] = im;
      }
      library_.execute(inverse_);
      if (post_gate) for (int64_t t = 0; t < length_; ++t) output[row * length_ + t] = real_[t] * post_gate[row * length_ + t];
      else std::memcpy(output + row * length_, real_, sizeof(float) * static_cast<std::size_t>(length_));
    }
  }

 private:
  void load(const float* row, const float* gate) {
    if (gate) for (int64_t t = 0; t < length_; ++t) real_[t] = row[t] * gate[t];
    else std::memcpy(real_, row, sizeof(float) * static_cast<std::size_t>(length_));
    std::fill(real_ + length_, real_ + points_, 0.0f);
  }

  Library library_;
  int64_t channels_, length_, points_, bins_;
  float* real_;
  std::complex<float>* complex_;
  Plan forward_, inverse_;
  std::vector<std::complex<float>> spectra_;
};

}  // namespace

std::unique_ptr<FftwConvolution> FftwConvolution::create(int64_t channels, int64_t length, int64_t points, const float* filter) {
  Library library{};
  if (!library.open()) return nullptr;
  return std::make_unique<Convolution>(library, channels, length, points, filter);
}

}  // namespace longconv::bench
