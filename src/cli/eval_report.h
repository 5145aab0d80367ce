// The figures of an evaluation, as text and as JSON, and back from JSON.
#ifndef KDEQUANT_CLI_EVAL_REPORT_H_
#define KDEQUANT_CLI_EVAL_REPORT_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "kdequant/base/result.h"
#include "kdequant/classify/evaluation.h"
#include "kdequant/classify/evaluation_counts.h"

namespace kdequant {

/// Part `number` (from 1) of `of`.
struct Shard {
  std::size_t number = 1;
  std::size_t of = 1;
};

/// "2/4". Errors: kUsage.
Result<Shard> ParseShard(const std::string& text);

struct EvalReport {
  EvaluationCounts counts = {};
  std::string precision = {};  ///< empty if the parts of a merged report differ or do not say
  std::optional<Shard> shard = {};
  std::vector<SkippedPicture> skipped = {};
};

std::string EvalToJson(const EvalReport& report);
std::string EvalToText(const EvalReport& report);

/// Adds up the parts of a split evaluation, each the --json output of one. Errors: kBadInput (no such output; the same
/// part twice; a part missing; shards of different numbers), kCannotRead.
Result<EvalReport> MergeReports(const std::vector<std::string>& files);

}  // namespace kdequant

#endif  // KDEQUANT_CLI_EVAL_REPORT_H_
