#include "lower.h"

namespace kdequant::runtime {

Result<void> LowerW4A8(PlanBuilder&, bool) {
  return Fail(ErrorCode::kUnsupported, "this build cannot run w4a8 yet; ask for precision f32");
}

}  // namespace kdequant::runtime
