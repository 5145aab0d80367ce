// What the options of `kdequant quantize` say.
#ifndef KDEQUANT_CLI_QUANTIZE_OPTIONS_H_
#define KDEQUANT_CLI_QUANTIZE_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kdequant/base/result.h"
#include "kdequant/model/graph.h"
#include "kdequant/quantize/quantize.h"

namespace kdequant {

/// As they stand on the command line; what is absent was not given.
struct QuantizeArguments {
  std::string input, output;
  std::string method = "kde-lm";
  std::string granularity = "channel-scale";
  std::string sampling = "stratified";
  std::string samples = "1024";
  std::string bandwidth = "silverman";
  double bandwidth_factor = 0.5;
  std::optional<std::string> calibration, compensation, activations, effort;
  std::optional<int> codebooks, fits, sweeps;
  std::optional<double> widen;
  int bits = 4;
  std::vector<std::string> exclude, overrides;
  std::optional<std::uint64_t> target_bytes;
  std::uint64_t seed = 1;
  int threads = 1;
  std::string preprocess;
  bool json = false;
};

/// Everything that needs no file. Errors: kUsage.
Result<QuantizeOptions> OptionsFrom(const QuantizeArguments& arguments);

/// Reads the calibration pictures, where a folder was given, and finds out how pictures are fed in. Pictures that
/// cannot be read are named on standard error and skipped.
Result<void> AddPictures(const QuantizeArguments& arguments, const Graph& graph, QuantizeOptions& options);

}  // namespace kdequant

#endif  // KDEQUANT_CLI_QUANTIZE_OPTIONS_H_
