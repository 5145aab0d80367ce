// Mixed precision for a file of a given size.
#ifndef KDEQUANT_CLI_BYTE_BUDGET_H_
#define KDEQUANT_CLI_BYTE_BUDGET_H_

#include <cstddef>
#include <memory>

#include "kdequant/base/result.h"
#include "kdequant/model/graph.h"
#include "kdequant/quantize/quantize.h"

namespace kdequant {

/// Gives layers 8 bits as far as a file of at most `target` bytes allows: adds overrides to the options, before the
/// caller's own, which win. Quantizes without calibration, up to three times, to see what the file takes. Errors:
/// kUsage (4 bits take more), and those of QuantizeJob.
Result<void> SpendBytes(const std::shared_ptr<const Graph>& graph, std::size_t target, QuantizeOptions& options);

}  // namespace kdequant

#endif  // KDEQUANT_CLI_BYTE_BUDGET_H_
