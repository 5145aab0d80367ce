// QuantizeOptions from the JSON that TypeScript sends.
#include <rapidjson/document.h>

#include <array>
#include <cmath>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "quantization.h"

namespace kdequant::wasm {
namespace {

using Json = rapidjson::Value;

std::unexpected<Error> Wrong(const std::string& option, std::string_view wanted) {
  return Fail(ErrorCode::kUsage, "the option " + option + " must be " + std::string(wanted));
}

std::string_view TextOf(const Json& value) { return {value.GetString(), value.GetStringLength()}; }

// A name that one of the rooms' parsers reads.
template <typename Enum>
Result<void> ReadName(const std::string& option, const Json& value, Result<Enum> (*parse)(std::string_view),
                      Enum& target) {
  if (!value.IsString()) return Wrong(option, "a string");
  auto parsed = parse(TextOf(value));
  if (!parsed) return Forward(parsed);
  target = *parsed;
  return {};
}

Result<void> ReadCount(const std::string& option, const Json& value, double smallest, auto& target) {
  constexpr double kLargest = 9007199254740991.0;  // beyond it JavaScript's integers have gaps
  const double number = value.IsNumber() ? value.GetDouble() : -1;
  if (!(number >= smallest && number <= kLargest) || number != std::floor(number)) {
    return Wrong(option, "an integer of at least " + std::to_string(static_cast<int>(smallest)));
  }
  target = static_cast<std::remove_reference_t<decltype(target)>>(number);
  return {};
}

Result<void> ReadSamples(const std::string& option, const Json& value, std::size_t& target) {
  if (value.IsString() && TextOf(value) == "all") {
    target = 0;
    return {};
  }
  if (!value.IsNumber()) return Wrong(option, "a number of weights, or \"all\"");
  return ReadCount(option, value, 1, target);
}

Result<void> ReadFactor(const std::string& option, const Json& value, double& target) {
  if (!value.IsNumber() || !(value.GetDouble() > 0)) return Wrong(option, "a number above 0");
  target = value.GetDouble();
  return {};
}

Result<void> ReadCalibration(const std::string& option, const Json& value, QuantizeOptions& options) {
  constexpr std::array<std::pair<std::string_view, Calibration>, 3> kNames{
      {{"synthetic", Calibration::kSynthetic}, {"pictures", Calibration::kPictures}, {"none", Calibration::kNone}}};
  if (value.IsString()) {
    for (const auto& [name, calibration] : kNames) {
      if (TextOf(value) != name) continue;
      options.calibration = calibration;
      return {};
    }
  }
  return Wrong(option, "\"synthetic\", \"none\" or a list of pictures");
}

Result<void> ReadExclude(const std::string& option, const Json& value, std::vector<std::string>& target) {
  if (!value.IsArray()) return Wrong(option, "a list of layer names");
  for (const auto& item : value.GetArray()) {
    if (!item.IsString()) return Wrong(option, "a list of layer names");
    target.emplace_back(TextOf(item));
  }
  return {};
}

Result<void> ReadFlag(const std::string& option, const Json& value, bool& target) {
  if (!value.IsBool()) return Wrong(option, "true or false");
  target = value.GetBool();
  return {};
}

Result<void> ReadInteger(const std::string& option, const Json& value, int low, int high, int& target) {
  const double number = value.IsNumber() ? value.GetDouble() : low - 1;
  if (!(number >= low && number <= high) || number != std::floor(number))
    return Wrong(option, "an integer from " + std::to_string(low) + " to " + std::to_string(high));
  target = static_cast<int>(number);
  return {};
}

Result<void> ReadBits(const std::string& option, const Json& value, int& target) {
  return ReadInteger(option, value, 2, 8, target);
}

Result<void> ReadShare(const std::string& option, const Json& value, std::optional<double>& target) {
  const double share = value.IsNumber() ? value.GetDouble() : -1;
  if (!(share >= 0 && share <= 1)) return Wrong(option, "a number from 0 to 1");
  target = share;
  return {};
}

// One layer's entry in `overrides`.
Result<void> ReadOverride(const std::string& option, const std::string& name, const Json& value,
                          LayerOverride& override) {
  if (name == "bits") return ReadBits(option, value, override.bits.emplace());
  if (name == "method") return ReadName(option, value, &ParseMethod, override.method.emplace());
  if (name == "granularity") return ReadName(option, value, &ParseGranularity, override.granularity.emplace());
  if (name == "samples") return ReadSamples(option, value, override.samples.emplace());
  if (name == "compensation") return ReadFlag(option, value, override.compensation.emplace());
  return Fail(ErrorCode::kUsage,
              "there is no option " + option + "; a layer has bits, method, granularity, samples, compensation");
}

// {"layer or glob": {bits: 8, ...}, ...}
Result<void> ReadOverrides(const std::string& option, const Json& value, std::vector<LayerOverride>& target) {
  if (!value.IsObject()) return Wrong(option, "an object of options by layer");
  for (const auto& [layers, settings] : value.GetObject()) {
    LayerOverride& override = target.emplace_back();
    override.layers = TextOf(layers);
    const std::string where = option + "[\"" + override.layers + "\"]";
    if (!settings.IsObject()) return Wrong(where, "an object of options");
    for (const auto& [name, setting] : settings.GetObject()) {
      const std::string key(TextOf(name));
      auto read = ReadOverride(where + "." + key, key, setting, override);
      if (!read) return read;
    }
  }
  return {};
}

Result<void> ReadOption(const std::string& name, const Json& value, QuantizeOptions& options) {
  if (name == "effort") return {};  // read before all others
  if (name == "method") return ReadName(name, value, &ParseMethod, options.design.method);
  if (name == "granularity") return ReadName(name, value, &ParseGranularity, options.granularity);
  if (name == "codebooks") return ReadInteger(name, value, 1, kMostCodebooks, options.codebooks);
  if (name == "sampling") return ReadName(name, value, &ParseSampling, options.design.sampling.sampling);
  if (name == "samples") return ReadSamples(name, value, options.design.sampling.count);
  if (name == "bandwidth") return ReadName(name, value, &ParseBandwidthRule, options.design.density.rule);
  if (name == "bandwidthFactor") return ReadFactor(name, value, options.design.density.factor);
  if (name == "calibration") return ReadCalibration(name, value, options);
  if (name == "pictures") return ReadCount(name, value, 1, options.picture_count);
  if (name == "compensation") return ReadFlag(name, value, options.compensation);
  if (name == "fits") return ReadInteger(name, value, 0, kMostRounds, options.fits);
  if (name == "sweeps") return ReadInteger(name, value, 0, kMostRounds, options.sweeps);
  if (name == "widen") return ReadShare(name, value, options.widen);
  if (name == "activations") return ReadName(name, value, &ParseActivationMode, options.activations);
  if (name == "bits") {
    int bits = 0;
    if (auto read = ReadBits(name, value, bits); !read) return read;
    options.design.levels = 1 << bits;
    return {};
  }
  if (name == "overrides") return ReadOverrides(name, value, options.overrides);
  if (name == "exclude") return ReadExclude(name, value, options.exclude);
  if (name == "seed") return ReadCount(name, value, 0, options.seed);
  return Fail(
      ErrorCode::kUsage,
      "there is no option " + name +
          "; there are method, granularity, codebooks, sampling, samples, bandwidth, bandwidthFactor, "
          "calibration, pictures, compensation, fits, sweeps, widen, activations, effort, bits, overrides, exclude, "
          "seed");
}

}  // namespace

Result<QuantizeOptions> ParseQuantizeOptions(const std::string& json, const Preprocess& preprocess) {
  rapidjson::Document document;
  // With the same flags as the model room's document: another parser would be 12 KB.
  document.Parse<rapidjson::kParseIterativeFlag | rapidjson::kParseFullPrecisionFlag>(json.data(), json.size());
  if (document.HasParseError() || !document.IsObject()) return Fail(ErrorCode::kUsage, "the options must be an object");
  QuantizeOptions options;
  options.preprocess = preprocess;
  // First the combination, then what is set beside it.
  if (const auto effort = document.FindMember("effort"); effort != document.MemberEnd()) {
    Effort chosen{};
    auto read = ReadName("effort", effort->value, &ParseEffort, chosen);
    if (!read) return Forward(read);
    ApplyEffort(chosen, options);
  }
  for (const auto& [name, value] : document.GetObject()) {
    auto read = ReadOption(std::string(TextOf(name)), value, options);
    if (!read) return Forward(read);
  }
  return options;
}

}  // namespace kdequant::wasm
