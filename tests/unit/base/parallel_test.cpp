#include "kdequant/base/parallel.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <set>
#include <thread>
#include <vector>

namespace kdequant {

TEST_CASE("A pool runs every part once, each on a thread of its own, the first on the caller's, job after job") {
  ThreadPool pool(3);
  REQUIRE(pool.threads() == 3);
  for (int job = 0; job < 2000; ++job) {
    std::vector<std::thread::id> ran(3);
    std::vector<int> times(3, 0);
    const int parts = job % 4;  // None, one, two, all.
    pool.Run(parts, [&](int part) {
      ran[static_cast<std::size_t>(part)] = std::this_thread::get_id();
      ++times[static_cast<std::size_t>(part)];
    });
    for (int part = 0; part < 3; ++part) CHECK(times[static_cast<std::size_t>(part)] == (part < parts ? 1 : 0));
    if (parts > 0) CHECK(ran[0] == std::this_thread::get_id());
    const std::set<std::thread::id> distinct(ran.begin(), ran.begin() + parts);
    CHECK(distinct.size() == static_cast<std::size_t>(parts));
  }
}

TEST_CASE("A pool waits for threads that were asleep, and ends while they sleep") {
  ThreadPool pool(2);
  std::atomic<int> sum = 0;
  for (int job = 0; job < 3; ++job) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    pool.Run(2, [&](int part) {
      if (part == 1) std::this_thread::sleep_for(std::chrono::milliseconds(5));
      sum += part + 1;
    });
    CHECK(sum == 3 * (job + 1));
  }
}

TEST_CASE("A pool of 0 threads has as many as the machine; none has less than the caller's or more than the most") {
  CHECK(ThreadPool(0).threads() == std::min(HardwareThreads(), ThreadPool::kMostThreads));
  CHECK(ThreadPool(1).threads() == 1);
  CHECK(ThreadPool(1000).threads() == ThreadPool::kMostThreads);
  ThreadPool pool(2);
  CHECK(Threads(pool, 5).count() == 2);
  CHECK(Threads(pool, 0).count() == 1);
}

TEST_CASE("Stretches cover a loop once, begin at multiples of the grain, and differ by at most one grain") {
  ThreadPool pool(3);
  for (const std::ptrdiff_t items : {0, 1, 3, 4, 5, 12, 13, 49, 100}) {
    for (const std::ptrdiff_t grain : {1, 4, 16}) {
      for (int count = 1; count <= 3; ++count) {
        CAPTURE(items);
        CAPTURE(grain);
        CAPTURE(count);
        std::vector<int> covered(static_cast<std::size_t>(items), 0);
        std::vector<std::ptrdiff_t> grains(3, 0);
        Threads(pool, count).Cut(items, grain, [&](Stretch stretch, int thread) {
          CHECK(stretch.begin % grain == 0);
          grains[static_cast<std::size_t>(thread)] = (stretch.end - stretch.begin + grain - 1) / grain;
          for (std::ptrdiff_t i = stretch.begin; i < stretch.end; ++i) ++covered[static_cast<std::size_t>(i)];
        });
        CHECK(covered == std::vector<int>(static_cast<std::size_t>(items), 1));
        const std::ptrdiff_t all = (items + grain - 1) / grain;
        CHECK(std::ranges::max(grains) == (all + count - 1) / count);
      }
    }
  }
}

TEST_CASE("Work is cut the preferred way if that is even, or no less even than the other") {
  ThreadPool pool(2);
  const Threads two(pool, 2);
  CHECK(two.CutWell(8, 100));
  CHECK(two.CutWell(19, 100));       // 95 % of even
  CHECK_FALSE(two.CutWell(3, 100));  // 75 %
  CHECK(two.CutWell(3, 1));
  CHECK(Threads().CutWell(1, 100));
}

}  // namespace kdequant
