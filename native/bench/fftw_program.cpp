// `longconv-fftw B H L THREADS [circular] [gated]`: median wall-clock milliseconds of FFTW convolutions of that shape, on one line.
// Exit code 2 where FFTW is not installed, 1 for wrong arguments. The channels are shared out to the threads.
#include <algorithm>
#include <barrier>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "fftw.h"

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kLeastRuns = 5, kMostRuns = 31;
constexpr double kBudgetMs = 1500;

double milliseconds_since(Clock::time_point start) { return std::chrono::duration<double, std::milli>(Clock::now() - start).count(); }

std::vector<float> noise(int64_t count, unsigned seed) {
  std::minstd_rand random(seed);
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& v : values) v = uniform(random);
  return values;
}

/// The channels of one thread.
struct Share {
  std::vector<float> input, output, pre, post;
  std::unique_ptr<longconv::bench::FftwConvolution> convolution;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) return 1;
  const int64_t batch = std::atoll(argv[1]), channels = std::atoll(argv[2]), length = std::atoll(argv[3]);
  const int64_t threads = std::min(channels, int64_t{std::atoll(argv[4])});
  bool circular = false, gated = false;
  for (int i = 5; i < argc; ++i) {
    circular = circular || std::string(argv[i]) == "circular";
    gated = gated || std::string(argv[i]) == "gated";
  }
  if (batch < 1 || length < 1 || threads < 1 || length > (int64_t{1} << 29)) return 1;

  std::vector<Share> shares(static_cast<std::size_t>(threads));
  for (int64_t i = 0; i < threads; ++i) {
    Share& share = shares[static_cast<std::size_t>(i)];
    const int64_t own = channels * (i + 1) / threads - channels * i / threads, count = batch * own * length;
    share.input = noise(count, 1);
    share.output = std::vector<float>(static_cast<std::size_t>(count));
    if (gated) share.pre = noise(count, 2), share.post = noise(count, 3);
    share.convolution = longconv::bench::FftwConvolution::create(own, length, circular ? length : 2 * length, noise(own * length, 4).data());
    if (!share.convolution) return 2;
  }
  const auto run = [&](Share& s) { s.convolution->run(s.input.data(), s.output.data(), batch, gated ? s.pre.data() : nullptr, gated ? s.post.data() : nullptr); };

  std::barrier sync(threads);
  bool done = false;
  std::vector<std::thread> helpers;
  for (std::size_t i = 1; i < shares.size(); ++i)
    helpers.emplace_back([&, i] {
      for (;;) {
        sync.arrive_and_wait();
        if (done) return;
        run(shares[i]);
        sync.arrive_and_wait();
      }
    });
  const auto run_all = [&] {
    sync.arrive_and_wait();
    run(shares[0]);
    sync.arrive_and_wait();
  };
  run_all();
  std::vector<double> times;
  for (const Clock::time_point begin = Clock::now(); static_cast<int>(times.size()) < kLeastRuns || (milliseconds_since(begin) < kBudgetMs && static_cast<int>(times.size()) < kMostRuns);) {
    const Clock::time_point start = Clock::now();
    run_all();
    times.push_back(milliseconds_since(start));
  }
  done = true;
  sync.arrive_and_wait();
  for (std::thread& helper : helpers) helper.join();
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2), times.end());
  std::printf("%.6f\n", times[times.size() / 2]);
}
