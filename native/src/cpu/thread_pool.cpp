#include "thread_pool.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#ifdef __linux__
#include <sched.h>
#endif

namespace longconv {

namespace {

/// A share of the items, on a cache line of its own.
struct alignas(64) Share {
  std::atomic<int64_t> next{0};
  int64_t end = 0;
};

/// Every thread begins with a share of neighbouring items, which ask for each other's memory, and then helps with what is left of the others'.
struct Job {
  const int32_t* cancel;
  const std::function<void(int64_t)>* body;
  std::vector<Share> shares;
  std::atomic<std::size_t> arrived{0};
  int helpers = 0;  // workers inside work(), under Pool::mutex
  std::mutex error_mutex;
  std::exception_ptr error;

  Job(int64_t count, int threads, const int32_t* cancel_flag, const std::function<void(int64_t)>& work_body) : cancel(cancel_flag), body(&work_body), shares(static_cast<std::size_t>(threads)) {
    int64_t begin = 0;
    for (int i = 0; i < threads; ++i) {
      Share& share = shares[static_cast<std::size_t>(i)];
      share.next = begin;
      begin += count / threads + (i < count % threads);
      share.end = begin;
    }
  }

  void work() {
    const std::size_t first = arrived.fetch_add(1, std::memory_order_relaxed);
    for (std::size_t i = 0; i < shares.size(); ++i) finish(shares[(first + i) % shares.size()]);
  }

 private:
  void finish(Share& share) {
    while (!cancelled(cancel)) {
      const int64_t index = share.next.fetch_add(1, std::memory_order_relaxed);
      if (index >= share.end) return;
      try {
        (*body)(index);
      } catch (...) {
        stop(std::current_exception());
      }
    }
  }

  void stop(std::exception_ptr reason) {
    const std::lock_guard<std::mutex> lock(error_mutex);
    if (!error) error = reason;
    for (Share& share : shares) share.next.store(share.end, std::memory_order_relaxed);
  }
};

class Pool {
 public:
  // Never destroyed: workers may still be waiting when the process exits.
  static Pool& instance() {
    static Pool* pool = new Pool;
    return *pool;
  }

  void run(Job& job, int helpers) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      while (static_cast<int>(workers_) < helpers && start_worker()) {
      }
      for (int i = 0; i < helpers; ++i) queue_.push_back(&job);
    }
    ready_.notify_all();
    job.work();
    std::unique_lock<std::mutex> lock(mutex_);
    queue_.erase(std::remove(queue_.begin(), queue_.end(), &job), queue_.end());
    idle_.wait(lock, [&] { return job.helpers == 0; });
  }

 private:
  bool start_worker() {
    try {
      std::thread(&Pool::loop, this).detach();
    } catch (const std::exception&) {
      return false;  // the calling thread does the work alone
    }
    ++workers_;
    return true;
  }

  void loop() {
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      ready_.wait(lock, [&] { return !queue_.empty(); });
      Job* job = queue_.front();
      queue_.pop_front();
      ++job->helpers;
      lock.unlock();
      job->work();
      lock.lock();
      if (--job->helpers == 0) idle_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable ready_;
  std::condition_variable idle_;
  std::deque<Job*> queue_;
  int workers_ = 0;
};

}  // namespace

int hardware_threads() {
  // Asked for with every row of a convolution, so the system is asked once.
  static const int count = [] {
#ifdef __linux__
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
#endif
    return static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  }();
  return count;
}

void parallel_for(int64_t count, int threads, const int32_t* cancel, const std::function<void(int64_t)>& body) {
  if (threads <= 0) threads = hardware_threads();
  Job job(count, static_cast<int>(std::clamp<int64_t>(count, 1, threads)), cancel, body);
  const int helpers = static_cast<int>(job.shares.size()) - 1;
  if (helpers <= 0) job.work();
  else Pool::instance().run(job, helpers);
  if (job.error) std::rethrow_exception(job.error);
}

}  // namespace longconv
