// Options that several verbs have, and what they mean.
#ifndef KDEQUANT_CLI_COMMON_OPTIONS_H_
#define KDEQUANT_CLI_COMMON_OPTIONS_H_

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <string_view>

#include "failure.h"
#include "kdequant/base/result.h"
#include "kdequant/classify/classifier.h"

namespace kdequant {

/// What a verb does once its options are known.
using Run = std::function<ExitCode()>;

/// How a network is run.
struct RunOptions {
  std::string precision;
  std::string preprocess;
  std::string kernels = "best";
  int threads = 1;
  bool json = false;
};

/// --precision, --preprocess, --kernels, --json.
void AddRunOptions(CLI::App& verb, RunOptions& options);

/// Errors: kUsage for a precision or kernel set that does not exist.
Result<ClassifierOptions> ClassifierOptionsOf(const RunOptions& options);

std::string_view PrecisionName(Precision precision);

inline constexpr const char* kPreprocessHelp =
    "How pictures are fed in, over what the file says: presets tf, imagenet, caffe and size=, resize=, scale=, "
    "mean=A:B:C, "
    "std=A:B:C, order=rgb|bgr, comma-separated";

// One a verb.
void AddQuantize(CLI::App& app, Run& run);
void AddClassify(CLI::App& app, Run& run);
void AddEval(CLI::App& app, Run& run);
void AddInspect(CLI::App& app, Run& run);
void AddLogits(CLI::App& app, Run& run);

}  // namespace kdequant

#endif  // KDEQUANT_CLI_COMMON_OPTIONS_H_
