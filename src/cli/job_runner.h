// Runs a job for somebody who watches.
#ifndef KDEQUANT_CLI_JOB_RUNNER_H_
#define KDEQUANT_CLI_JOB_RUNNER_H_

#include "kdequant/base/job.h"
#include "kdequant/base/result.h"

namespace kdequant {

/// Runs the job to its end, with a progress line on standard error where that is a terminal. Errors: the job's, and
/// kCancelled after Ctrl-C.
Result<void> RunJob(Job& job);

}  // namespace kdequant

#endif  // KDEQUANT_CLI_JOB_RUNNER_H_
