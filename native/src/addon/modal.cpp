#include "modal.h"

#include "../cpu/modal_filter.h"
#include "start_with.h"

namespace longconv::addon {

namespace {

class ModalFilterJob final : public Job {
 public:
  explicit ModalFilterJob(const Arguments& a) {
    job_.channels = a.size("channels");
    job_.states = a.size("states");
    const int64_t modes = product({job_.channels, job_.states});
    read_pair(a.object("logPoles"), modes, job_.log_pole_re, job_.log_pole_im);
    read_pair(a.object("residues"), modes, job_.residue_re, job_.residue_im);
    if (a.has("direct")) job_.direct = a.doubles("direct", job_.channels).data;
    job_.delay = a.size_or("delay", 0, 0);
    job_.first = a.size("first", 0);
    job_.count = a.size("count", 0);
    // Gigabytes at times, so they are written where JavaScript will read them. JavaScript makes the array: when that fails here, the process ends.
    job_.filter = a.floats("output", product({job_.channels, job_.count})).data;
  }
  void execute() override { longconv::modal_filter(job_, nullptr); }
  Napi::Value result(Napi::Env env) override { return env.Undefined(); }

 private:
  static void read_pair(const Arguments& pair, int64_t size, const double*& re, const double*& im) {
    re = pair.doubles("re", size).data;
    if (pair.has("im")) im = pair.doubles("im", size).data;
  }

  ModalJob job_{};
};

}  // namespace

Napi::Value modal_filter(const Napi::CallbackInfo& info) { return start_with<ModalFilterJob>(info, "modal"); }

}  // namespace longconv::addon
