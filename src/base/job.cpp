#include "kdequant/base/job.h"

namespace kdequant {

Result<void> Finish(Job& job) {
  for (;;) {
    auto done = job.Step(1000);
    if (!done) return Forward(done);
    if (*done) return {};
  }
}

}  // namespace kdequant
