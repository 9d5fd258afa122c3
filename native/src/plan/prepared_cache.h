// Prepared filters by content: validating, sweeping and exporting ask for the same ones again and again.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>

#include "longconv/backend.h"

namespace longconv {

class PreparedCache {
 public:
  static PreparedCache& instance();

  /// The prepared filter of this content (filter values, sizes, kept bins, plan, variant): a known one, or a new one. Throws Error.
  std::shared_ptr<const lc_prepared> get(const lc_backend& backend, const lc_convolution_spec& spec, const lc_plan& plan, const char* variant, const float* filter,
                                         const int32_t* cancel);

 private:
  struct Entry {
    uint64_t key[2];
    int64_t bytes;
    std::shared_ptr<const lc_prepared> prepared;
  };
  /// Drops the oldest entries that nobody uses until at most `limit` bytes are held by such.
  void evict(int64_t limit);

  std::mutex mutex_;
  std::list<Entry> entries_;  ///< most recently used first
};

}  // namespace longconv
