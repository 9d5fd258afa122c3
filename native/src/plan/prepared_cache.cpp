#include "prepared_cache.h"

#include <cstring>

#include "../status.h"

namespace longconv {

namespace {

/// Bytes of prepared filters that are kept although nobody uses them.
constexpr int64_t kIdleBytes = int64_t{64} << 20;

/// 128 bits over a sequence of values: two multiply-and-fold streams with different odd constants.
class ContentHash {
 public:
  void add(const void* data, std::size_t bytes) {
    const auto* p = static_cast<const unsigned char*>(data);
    for (; bytes >= 8; p += 8, bytes -= 8) word(read(p, 8));
    word(read(p, bytes) ^ static_cast<uint64_t>(bytes) << 56);
  }
  template <class T>
  void value(T x) {
    add(&x, sizeof x);
  }
  const uint64_t* key() const { return state_; }

 private:
  static uint64_t read(const unsigned char* p, std::size_t bytes) {
    uint64_t x = 0;
    std::memcpy(&x, p, bytes);
    return x;
  }
  static uint64_t fold(uint64_t a, uint64_t b) {
    const unsigned __int128 product = static_cast<unsigned __int128>(a) * b;
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
  }
  void word(uint64_t x) {
    ++count_;
    state_[0] = fold(state_[0] ^ x, 0x9e3779b97f4a7c15u) + count_;
    state_[1] = fold(state_[1] + (x ^ 0xd6e8feb86659fd93u), 0xc2b2ae3d27d4eb4fu) ^ (state_[0] >> 7);
  }
  uint64_t state_[2] = {0x243f6a8885a308d3u, 0x13198a2e03707344u};
  uint64_t count_ = 0;
};

}  // namespace

PreparedCache& PreparedCache::instance() {
  static auto* cache = new PreparedCache;  // never destroyed: a job may still run when the process exits
  return *cache;
}

std::shared_ptr<const lc_prepared> PreparedCache::get(const lc_backend& backend, const lc_convolution_spec& spec, const lc_plan& plan, const char* variant, const float* filter,
                                                      const int32_t* cancel) {
  ContentHash hash;
  hash.add(backend.name, std::strlen(backend.name));
  hash.add(variant ? variant : "", variant ? std::strlen(variant) : 0);
  for (const int64_t size : {int64_t{spec.mode}, spec.channels, spec.filter_length, spec.max_length, spec.fft_size, int64_t{plan.algorithm}, plan.transform_length, plan.comb_modulus})
    hash.value(size);
  if (spec.kept) hash.add(spec.kept, static_cast<std::size_t>(spec.fft_size / 2 + 1));
  hash.add(filter, static_cast<std::size_t>(spec.channels * spec.filter_length) * sizeof(float));
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (auto entry = entries_.begin(); entry != entries_.end(); ++entry)
      if (std::memcmp(entry->key, hash.key(), sizeof entry->key) == 0) {
        entries_.splice(entries_.begin(), entries_, entry);
        return entries_.front().prepared;
      }
    // Room first, so that idle filters and the new one are never all in memory.
    evict(std::max<int64_t>(0, kIdleBytes - plan.prepared_bytes));
  }
  lc_prepared* raw = nullptr;
  lc_status status{};
  if (backend.prepare(&spec, &plan, variant, filter, 0, cancel, &raw, &status) != LC_OK) throw Error(static_cast<lc_code>(status.code), status.message);
  std::shared_ptr<const lc_prepared> prepared(raw, [&backend](const lc_prepared* p) { backend.free(const_cast<lc_prepared*>(p)); });
  const std::lock_guard<std::mutex> lock(mutex_);
  entries_.push_front({{hash.key()[0], hash.key()[1]}, plan.prepared_bytes, prepared});
  evict(kIdleBytes);
  return prepared;
}

void PreparedCache::evict(int64_t limit) {
  int64_t idle = 0;
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    if (entry->prepared.use_count() == 1 && (idle += entry->bytes) > limit) {
      idle -= entry->bytes;
      entry = entries_.erase(entry);
    } else {
      ++entry;
    }
  }
}

}  // namespace longconv
