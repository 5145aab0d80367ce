// kdequant/base/job.h
// Long work in short steps.
//
// A worker inside one long WebAssembly call hears no message, and shared memory is usually absent in a page: so a long
// job is an object whose caller asks for a few milliseconds of work at a time, and may show progress, cancel or simply
// stop in between.
#ifndef KDEQUANT_BASE_JOB_H_
#define KDEQUANT_BASE_JOB_H_

#include <chrono>
#include <string>

#include "kdequant/base/result.h"

namespace kdequant {

/// Where a job stands.
struct Progress {
  double fraction = 0;  ///< Of the expected time, 0 to 1, never falling.
  std::string stage;    ///< A word or two for people: "calibrating", "designing levels".
  std::string layer;    ///< The layer at work, where there is one.
};

/// A deadline that work loops look at.
class Budget {
 public:
  explicit Budget(double milliseconds)
      : end_(std::chrono::steady_clock::now() + std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                                                    std::chrono::duration<double, std::milli>(milliseconds))) {}
  bool Spent() const { return std::chrono::steady_clock::now() >= end_; }

 private:
  std::chrono::steady_clock::time_point end_;
};

/// A resumable job. Not thread-safe; destroying it cancels it.
class Job {
 public:
  virtual ~Job() = default;

  /// Works for about `budget_ms` milliseconds (at least one indivisible piece) and says whether the job is done. After
  /// an error or `true`, further calls return the same again.
  virtual Result<bool> Step(double budget_ms) = 0;

  virtual Progress progress() const = 0;
};

/// Runs a job to its end, for callers that have nothing else to do.
Result<void> Finish(Job& job);

}  // namespace kdequant

#endif  // KDEQUANT_BASE_JOB_H_
