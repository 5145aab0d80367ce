// kdequant/base/parallel.h
// Threads that wait for work, and loops cut into as many stretches: the same result on one thread or several.
#ifndef KDEQUANT_BASE_PARALLEL_H_
#define KDEQUANT_BASE_PARALLEL_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#ifndef __EMSCRIPTEN__
#include <thread>
#endif

namespace kdequant {

/// The number of threads that the machine runs at once, at least 1; 1 in WebAssembly, where the host knows.
int HardwareThreads();

/// The caller's thread and others that wait for it, made once: giving them work takes a microsecond or two and no
/// memory. Between two jobs a thread looks for the next one for some microseconds, then sleeps.
///
/// One Run at a time. A pool does not own what its threads compute on, and knows no order among them.
class ThreadPool {
 public:
  /// Beyond this, threads would be more than any kernel has work for.
  static constexpr int kMostThreads = 64;

  /// Natively `threads` - 1 threads start at once (0: as many as the machine has, the caller's included). WebAssembly
  /// starts no threads: the host does, see Serve. Builds without threads have the caller's alone.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  /// At least 1, the caller's.
  int threads() const { return threads_; }

  /// Calls `body(part)` for every part in [0, parts), each on a thread of its own, part 0 on the caller's; `parts` is
  /// at most threads(). Returns when all are done. `body` must not throw on another thread, and writes only what
  /// belongs to its part.
  template <typename Body>
  void Run(int parts, const Body& body) {
    if (parts <= 1) {
      if (parts == 1) body(0);
      return;
    }
    RunJob(parts, {[](const void* context, int part) { (*static_cast<const Body*>(context))(part); }, &body});
  }

  /// WebAssembly with threads: what the host calls on thread number `thread` (1, 2, ...; below kMostThreads), which
  /// then belongs to the pool until the module ends. Nothing that runs in there may use the heap or thread-local
  /// variables: the host gave the thread a stack and no more.
  void Serve(int thread);
  /// WebAssembly with threads: tells that `threads` - 1 threads, numbered from 1, are there, and whether the caller's
  /// may sleep until they are done: a page's own thread may not, and looks on.
  void Admit(int threads, bool may_sleep) {
    threads_ = std::clamp(threads, threads_, kMostThreads);
    may_sleep_ = may_sleep;
  }

 private:
  struct Job {
    void (*call)(const void* context, int part) = nullptr;  // null: end
    const void* context = nullptr;
  };
  // Of one thread. On cache lines of their own, or the threads would wait for each other's notes.
  struct alignas(64) Notes {
    std::atomic<std::uint32_t> given = 0;  // Jobs so far.
    std::atomic<std::uint32_t> done = 0;
  };

  void RunJob(int parts, Job job);

  int threads_ = 1;
  bool may_sleep_ = true;
  Job job_;  // Written only while all threads wait.
  std::vector<Notes> notes_;
#ifndef __EMSCRIPTEN__
  std::vector<std::thread> started_;
#endif
};

/// The items of a loop from `begin` up to `end`.
struct Stretch {
  std::ptrdiff_t begin = 0;
  std::ptrdiff_t end = 0;
};

/// Some threads of a pool, for one piece of work. A value; by default the caller's thread alone.
class Threads {
 public:
  Threads() = default;
  /// At most as many as the pool has. The pool must live as long.
  Threads(ThreadPool& pool, int count) : pool_(&pool), count_(std::clamp(count, 1, pool.threads())) {}

  int count() const { return count_; }

  /// Cuts [0, items) into at most count() stretches that begin at multiples of `grain`, and calls
  /// `body(stretch, thread)` for all of them at once, `thread` below count(). Where the cuts lie must not matter to
  /// what is computed.
  template <typename Body>
  void Cut(std::ptrdiff_t items, std::ptrdiff_t grain, const Body& body) const {
    const std::ptrdiff_t grains = (items + grain - 1) / grain;
    const std::ptrdiff_t parts = std::min<std::ptrdiff_t>(count_, grains);
    if (parts <= 1) {
      if (items > 0) body(Stretch{0, items}, 0);
      return;
    }
    pool_->Run(static_cast<int>(parts), [&](int part) {
      body(Stretch{grains * part / parts * grain, std::min(items, grains * (part + 1) / parts * grain)}, part);
    });
  }

  /// Whether that many grains are shared out evenly, or at least not worse than `others`: for work that can be cut in
  /// two ways, the first of which is to be preferred.
  bool CutWell(std::ptrdiff_t grains, std::ptrdiff_t others) const {
    const double balance = Balance(grains);
    return balance >= 0.9 || balance >= Balance(others);
  }

 private:
  // The mean work of a thread over the most: 1 is even.
  double Balance(std::ptrdiff_t grains) const {
    const std::ptrdiff_t most = (grains + count_ - 1) / count_;
    return most == 0 ? 1 : static_cast<double>(grains) / static_cast<double>(most * count_);
  }

  ThreadPool* pool_ = nullptr;
  int count_ = 1;
};

}  // namespace kdequant

#endif  // KDEQUANT_BASE_PARALLEL_H_
