#include "quantize_options.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <string_view>
#include <tuple>
#include <utility>

#include "kdequant/classify/image_files.h"
#include "kdequant/classify/input.h"
#include "kdequant/density/bandwidth.h"
#include "kdequant/density/sample.h"
#include "kdequant/quantize/overrides.h"
#include "kdequant/vision/preprocess.h"

namespace kdequant {
namespace {

constexpr std::size_t kMaxPictures = 4096;
// More real pictures than this move the ranges and means no further, and each costs a run of the float network.
constexpr std::size_t kMaxRealPictures = 256;

std::optional<std::size_t> WholeNumber(std::string_view text) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Result<void> ParseSamples(const std::string& text, QuantizeOptions& options) {
  const auto count = WholeNumber(text);
  if (text != "all" && (!count || *count == 0)) {
    return Fail(ErrorCode::kUsage, "samples \"" + text + "\" is not a number of weights from 1, or \"all\"");
  }
  options.design.sampling.count = text == "all" ? 0 : *count;
  return {};
}

// "none", "synthetic", "synthetic:N" or a folder.
Result<void> ParseCalibration(const std::string& text, QuantizeOptions& options) {
  if (text == "none") {
    options.calibration = Calibration::kNone;
    options.bias_correction = false;
    options.compensation = false;
    return {};
  }
  constexpr std::string_view kSynthetic = "synthetic";
  if (text == kSynthetic || text.starts_with("synthetic:")) {
    options.calibration = Calibration::kSynthetic;
    if (text == kSynthetic) return {};
    const auto count = WholeNumber(std::string_view(text).substr(kSynthetic.size() + 1));
    if (!count || *count < 1 || *count > kMaxPictures) {
      return Fail(ErrorCode::kUsage, "calibration \"" + text + "\" needs a number of pictures from 1 to " +
                                         std::to_string(kMaxPictures) + ", such as synthetic:64");
    }
    options.picture_count = *count;
    return {};
  }
  std::error_code error;
  if (!std::filesystem::is_directory(text, error)) {
    return Fail(ErrorCode::kUsage,
                "calibration \"" + text + "\" is not synthetic, synthetic:N, none or a folder of pictures");
  }
  options.calibration = Calibration::kPictures;
  return {};
}

}  // namespace

Result<QuantizeOptions> OptionsFrom(const QuantizeArguments& arguments) {
  QuantizeOptions options;
  auto effort = ParseEffort(arguments.effort.value_or("default"));
  if (!effort) return Forward(effort);
  ApplyEffort(*effort, options);
  auto method = ParseMethod(arguments.method);
  if (!method) return Forward(method);
  options.design.method = *method;
  auto granularity = ParseGranularity(arguments.granularity);
  if (!granularity) return Forward(granularity);
  options.granularity = *granularity;
  auto sampling = ParseSampling(arguments.sampling);
  if (!sampling) return Forward(sampling);
  options.design.sampling.sampling = *sampling;
  if (auto samples = ParseSamples(arguments.samples, options); !samples) return Forward(samples);
  auto rule = ParseBandwidthRule(arguments.bandwidth);
  if (!rule) return Forward(rule);
  options.design.density.rule = *rule;
  if (!(arguments.bandwidth_factor > 0) || !std::isfinite(arguments.bandwidth_factor)) {
    return Fail(ErrorCode::kUsage, "the bandwidth factor must be a positive number");
  }
  options.design.density.factor = arguments.bandwidth_factor;
  options.seed = arguments.seed;
  options.design.sampling.seed = arguments.seed;
  options.exclude = arguments.exclude;
  for (const std::string& text : arguments.overrides) {
    auto override = ParseLayerOverride(text);
    if (!override) return Forward(override);
    options.overrides.push_back(std::move(*override));
  }
  if (arguments.bits < 2 || arguments.bits > 8)
    return Fail(ErrorCode::kUsage, std::to_string(arguments.bits) + " bits are not from 2 to 8");
  options.design.levels = 1 << arguments.bits;
  if (arguments.calibration) {
    if (auto parsed = ParseCalibration(*arguments.calibration, options); !parsed) return Forward(parsed);
    // Pictures that were asked for are used for ranges, also where the effort alone would use none.
    if (options.calibration != Calibration::kNone) options.activations = ActivationMode::kStatic;
  }
  if (arguments.compensation) {
    if (*arguments.compensation != "on" && *arguments.compensation != "off") {
      return Fail(ErrorCode::kUsage, "unknown compensation \"" + *arguments.compensation + "\"; it is on or off");
    }
    options.compensation = *arguments.compensation == "on";
    if (options.compensation && options.calibration == Calibration::kNone) {
      return Fail(
          ErrorCode::kUsage,
          "compensation needs pictures to see the layers' inputs on; use --calibration synthetic or a folder, or "
          "--compensation off");
    }
  }
  if (arguments.codebooks) {
    if (*arguments.codebooks < 1 || *arguments.codebooks > kMostCodebooks)
      return Fail(ErrorCode::kUsage, "codebooks are a number from 1 to " + std::to_string(kMostCodebooks));
    options.codebooks = *arguments.codebooks;
  }
  for (const auto& [given, name, option] :
       {std::tuple{arguments.fits, "fits", &options.fits}, std::tuple{arguments.sweeps, "sweeps", &options.sweeps}}) {
    if (!given) continue;
    if (*given < 0 || *given > kMostRounds)
      return Fail(ErrorCode::kUsage, std::string(name) + " are a number from 0 to " + std::to_string(kMostRounds));
    *option = *given;
  }
  if (arguments.widen) {
    const bool is_percentage = *arguments.widen >= 0 && *arguments.widen <= 100;  // NaN is none.
    if (!is_percentage)
      return Fail(ErrorCode::kUsage, "the bytes to widen small layers with are a percentage from 0 to 100");
    options.widen = *arguments.widen / 100;
  }
  if (arguments.activations) {
    auto activations = ParseActivationMode(*arguments.activations);
    if (!activations) return Forward(activations);
    options.activations = *activations;
    if (*activations == ActivationMode::kStatic && options.calibration == Calibration::kNone) {
      return Fail(ErrorCode::kUsage,
                  "static activations need pictures to measure their ranges on; use --calibration synthetic or a "
                  "folder, or --activations dynamic");
    }
  }
  return options;
}

Result<void> AddPictures(const QuantizeArguments& arguments, const Graph& graph, QuantizeOptions& options) {
  auto preprocess = PreprocessFor(graph, arguments.preprocess);
  if (!preprocess) {
    // A network that takes no picture can be quantized all the same, without calibration.
    const bool needed = options.calibration != Calibration::kNone || !arguments.preprocess.empty();
    if (!needed && preprocess.error().code == ErrorCode::kUnsupported) return {};
    if (preprocess.error().code == ErrorCode::kUnsupported) preprocess.error().message += "; use --calibration none";
    return Forward(preprocess);
  }
  options.preprocess = *preprocess;
  if (options.calibration != Calibration::kPictures) return {};
  auto files = ListPictures(*arguments.calibration);
  if (!files) return Forward(files);
  const std::size_t most = arguments.effort ? options.picture_count : kMaxRealPictures;
  const std::size_t count = std::min(most, files->size());
  for (std::size_t i = 0; i < count; ++i) {
    // Evenly through the folder: neighbours by name are often pictures of the same thing.
    const std::filesystem::path& file = (*files)[i * files->size() / count];
    auto image = ReadImage(file);
    if (!image) {
      std::fprintf(stderr, "warning: skipped: %s\n", image.error().message.c_str());
      continue;
    }
    options.pictures.push_back(Crop(*image, *preprocess));
  }
  if (options.pictures.empty()) {
    return Fail(ErrorCode::kBadInput, *arguments.calibration + ": none of its pictures could be read");
  }
  options.picture_count = options.pictures.size();
  return {};
}

}  // namespace kdequant
