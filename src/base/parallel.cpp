#include "kdequant/base/parallel.h"

namespace kdequant {
namespace {

#if !defined(__EMSCRIPTEN__) || defined(__wasm_atomics__)
// Looks this often before it sleeps, some 200 microseconds: longer than the steps of a network that one thread computes
// alone, and than two threads' shares of a layer differ where the machine has other work; to be woken takes about as
// long. Shorter than anybody notices.
constexpr int kLooks = 100000;

void Sleep(std::atomic<std::uint32_t>& note, std::uint32_t seen) {
#ifdef __EMSCRIPTEN__
  __builtin_wasm_memory_atomic_wait32(reinterpret_cast<std::int32_t*>(&note), static_cast<std::int32_t>(seen), -1);
#else
  note.wait(seen);
#endif
}

void Wake(std::atomic<std::uint32_t>& note) {
#ifdef __EMSCRIPTEN__
  __builtin_wasm_memory_atomic_notify(reinterpret_cast<std::int32_t*>(&note), 1);
#else
  note.notify_one();
#endif
}

// Waits until the note is another one than `seen`, and returns it.
std::uint32_t Await(std::atomic<std::uint32_t>& note, std::uint32_t seen, bool may_sleep) {
  for (int look = 0; look < kLooks; ++look) {
    if (const std::uint32_t now = note.load(std::memory_order_acquire); now != seen) return now;
  }
  for (;;) {
    if (const std::uint32_t now = note.load(std::memory_order_acquire); now != seen) return now;
    if (may_sleep) Sleep(note, seen);
  }
}

void Write(std::atomic<std::uint32_t>& note, std::uint32_t value) {
  note.store(value, std::memory_order_release);
  Wake(note);
}
#endif

}  // namespace

#if defined(__EMSCRIPTEN__) && !defined(__wasm_atomics__)

int HardwareThreads() { return 1; }

ThreadPool::ThreadPool(int /*threads*/) {}
ThreadPool::~ThreadPool() = default;
void ThreadPool::RunJob(int parts, Job job) {
  for (int part = 0; part < parts; ++part) job.call(job.context, part);
}

#else

void ThreadPool::RunJob(int parts, Job job) {
  job_ = job;
  for (int part = 1; part < parts; ++part) {
    Notes& notes = notes_[static_cast<std::size_t>(part)];
    Write(notes.given, notes.given.load(std::memory_order_relaxed) + 1);
  }
  job.call(job.context, 0);
  for (int part = 1; part < parts; ++part) {
    Notes& notes = notes_[static_cast<std::size_t>(part)];
    const std::uint32_t given = notes.given.load(std::memory_order_relaxed);
    Await(notes.done, given - 1, may_sleep_);
  }
}

void ThreadPool::Serve(int thread) {
  Notes& notes = notes_[static_cast<std::size_t>(thread)];
  for (std::uint32_t seen = 0;;) {
    seen = Await(notes.given, seen, true);
    const Job job = job_;
    if (!job.call) return;
    job.call(job.context, thread);
    Write(notes.done, seen);
  }
}

#ifdef __EMSCRIPTEN__

int HardwareThreads() { return 1; }

ThreadPool::ThreadPool(int /*threads*/) : notes_(kMostThreads) {}
ThreadPool::~ThreadPool() = default;

#else

int HardwareThreads() { return std::max(1, static_cast<int>(std::thread::hardware_concurrency())); }

ThreadPool::ThreadPool(int threads)
    : threads_(std::clamp(threads > 0 ? threads : HardwareThreads(), 1, kMostThreads)),
      notes_(static_cast<std::size_t>(threads_)) {
  for (int thread = 1; thread < threads_; ++thread) started_.emplace_back([this, thread] { Serve(thread); });
}

ThreadPool::~ThreadPool() {
  job_ = {};
  for (std::size_t i = 0; i < started_.size(); ++i) {
    Notes& notes = notes_[i + 1];
    Write(notes.given, notes.given.load(std::memory_order_relaxed) + 1);
    started_[i].join();
  }
}

#endif
#endif

}  // namespace kdequant
