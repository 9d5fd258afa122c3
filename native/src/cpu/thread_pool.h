// One pool of worker threads for the process. parallel_for hands out indices in order; the calling thread takes part, so it also
// makes progress when every worker is busy with other calls.
#pragma once

#include <cstdint>
#include <functional>

namespace longconv {

/// Threads that this process may use: processors of its affinity mask.
int hardware_threads();

/// Calls body(index) for every index in [0, count) on at most `threads` threads (0: all). Indices are independent of each other.
/// Stops handing out indices once *cancel is non-zero. The first exception thrown by body is rethrown here.
void parallel_for(int64_t count, int threads, const int32_t* cancel, const std::function<void(int64_t)>& body);

inline bool cancelled(const int32_t* cancel) { return cancel && __atomic_load_n(cancel, __ATOMIC_RELAXED) != 0; }

}  // namespace longconv
