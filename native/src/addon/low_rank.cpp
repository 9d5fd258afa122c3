#include "low_rank.h"

#include "../cpu/low_rank_filter.h"
#include "start_with.h"

namespace longconv::addon {

namespace {

class LowRankFilterJob final : public Job {
 public:
  explicit LowRankFilterJob(const Arguments& a) {
    job_.channels = a.size("channels");
    job_.states = a.size("states");
    job_.rank = a.size("rank");
    // Each channel needs some twenty square matrices of its real states.
    if (job_.states > kMostStates) fail(LC_NOT_SUPPORTED, "Filters of low rank are made for at most %d states, not %lld.", kMostStates, static_cast<long long>(job_.states));
    if (job_.rank > 2 * job_.states) fail(LC_INVALID_ARGUMENT, "A rank of %lld is more than %lld states with their conjugates can have.", static_cast<long long>(job_.rank), static_cast<long long>(job_.states));
    const int64_t states = product({job_.channels, job_.states});
    job_.poles = complexes(a.object("poles"), states);
    job_.low_rank = complexes(a.object("lowRank"), product({states, job_.rank}));
    job_.input = complexes(a.object("inputs"), states);
    job_.output = complexes(a.object("outputs"), states);
    job_.dt = a.doubles("steps", job_.channels).data;
    job_.tuned = a.size_or("tuned", 0, 0);
    job_.first = a.size("first", 0);
    job_.count = a.size("count", 0);
    // Written where JavaScript will read it, as modal filters are.
    job_.filter = a.floats("output", product({job_.channels, job_.count})).data;
  }
  void execute() override { longconv::low_rank_filter(job_, nullptr); }
  Napi::Value result(Napi::Env env) override { return env.Undefined(); }

 private:
  static constexpr int kMostStates = 1024;

  static LowRankJob::Complexes complexes(const Arguments& pair, int64_t size) { return {pair.doubles("re", size).data, pair.doubles("im", size).data}; }

  LowRankJob job_{};
};

}  // namespace

Napi::Value low_rank_filter(const Napi::CallbackInfo& info) { return start_with<LowRankFilterJob>(info, "low rank"); }

}  // namespace longconv::addon
