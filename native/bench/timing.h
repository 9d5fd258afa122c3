// Time of repeated work: warm, the processor time of the calling thread, so that other programs on the machine disturb it little.
#pragma once

#include <time.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace longconv::bench {

inline double thread_seconds() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

struct Timing {
  double median_ms;
  double mad_ms;
  double least_ms;
};

/// Runs `work` until `least_runs` runs and `least_seconds` have passed, after one run that is not counted.
template <class Work>
Timing time_runs(Work&& work, int least_runs = 7, double least_seconds = 0.2) {
  work();
  std::vector<double> times;
  for (double total = 0; static_cast<int>(times.size()) < least_runs || total < least_seconds;) {
    const double start = thread_seconds();
    work();
    times.push_back(1e3 * (thread_seconds() - start));
    total += 1e-3 * times.back();
  }
  const auto median = [](std::vector<double> v) {
    std::nth_element(v.begin(), v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2), v.end());
    return v[v.size() / 2];
  };
  const double middle = median(times), least = *std::min_element(times.begin(), times.end());
  for (double& t : times) t = std::abs(t - middle);
  return {middle, median(times), least};
}

}  // namespace longconv::bench
