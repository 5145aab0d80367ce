#include "kdequant/quantize/overrides.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "glob.h"
#include "kdequant/base/sort.h"

namespace kdequant {
namespace {

constexpr int kFewestBits = 2;
constexpr int kMostBits = 8;

std::optional<std::size_t> WholeNumber(std::string_view text) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::unexpected<Error> Wrong(std::string_view text, const std::string& why) {
  return Fail(ErrorCode::kUsage, "override \"" + std::string(text) + "\": " + why);
}

// One option:value of the override `text`.
Result<void> ReadOption(std::string_view text, std::string_view option, std::string_view value,
                        LayerOverride& override) {
  if (option == "bits") {
    const auto bits = WholeNumber(value);
    if (!bits || *bits < kFewestBits || *bits > kMostBits)
      return Wrong(text, "bits are a number from 2 to 8, not \"" + std::string(value) + "\"");
    override.bits = static_cast<int>(*bits);
    return {};
  }
  if (option == "samples") {
    const auto count = WholeNumber(value);
    if (value != "all" && (!count || *count == 0))
      return Wrong(text, "samples are a number from 1 or \"all\", not \"" + std::string(value) + "\"");
    override.samples = value == "all" ? 0 : *count;
    return {};
  }
  if (option == "compensation") {
    if (value != "on" && value != "off")
      return Wrong(text, "compensation is on or off, not \"" + std::string(value) + "\"");
    override.compensation = value == "on";
    return {};
  }
  if (option == "method") {
    auto method = ParseMethod(value);
    if (!method) return Wrong(text, method.error().message);
    override.method = *method;
    return {};
  }
  if (option == "granularity") {
    auto granularity = ParseGranularity(value);
    if (!granularity) return Wrong(text, granularity.error().message);
    override.granularity = *granularity;
    return {};
  }
  return Wrong(text, "there is no option \"" + std::string(option) +
                         "\" for a layer; there are bits, method, granularity, samples, compensation");
}

}  // namespace

Result<LayerOverride> ParseLayerOverride(std::string_view text) {
  const std::size_t equals = text.rfind('=');
  if (equals == std::string_view::npos || equals == 0 || equals + 1 == text.size()) {
    return Wrong(text, "it has the form GLOB=option:value,..., such as classifier=bits:8");
  }
  LayerOverride override{.layers = std::string(text.substr(0, equals))};
  for (std::string_view rest = text.substr(equals + 1); !rest.empty();) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    const std::string_view pair = rest.substr(0, comma);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    const std::size_t colon = pair.find(':');
    if (colon == std::string_view::npos) return Wrong(text, "\"" + std::string(pair) + "\" is not option:value");
    auto read = ReadOption(text, pair.substr(0, colon), pair.substr(colon + 1), override);
    if (!read) return Forward(read);
  }
  return override;
}

std::string FormatLayerOverride(const LayerOverride& override) {
  std::string text;
  const auto add = [&](std::string_view option, std::string_view value) {
    text += (text.empty() ? "" : ",") + std::string(option) + ":" + std::string(value);
  };
  if (override.bits) add("bits", std::to_string(*override.bits));
  if (override.method) add("method", MethodName(*override.method));
  if (override.granularity) add("granularity", GranularityName(*override.granularity));
  if (override.samples) add("samples", *override.samples == 0 ? "all" : std::to_string(*override.samples));
  if (override.compensation) add("compensation", *override.compensation ? "on" : "off");
  return override.layers + "=" + text;
}

QuantizeOptions OptionsForLayer(const QuantizeOptions& options, std::string_view layer) {
  // Not the pictures: there may be hundreds of them.
  QuantizeOptions own{.design = options.design,
                      .granularity = options.granularity,
                      .codebooks = options.codebooks,
                      .calibration = options.calibration,
                      .picture_count = options.picture_count,
                      .pictures = {},
                      .preprocess = options.preprocess,
                      .activations = options.activations,
                      .bias_correction = options.bias_correction,
                      .compensation = options.compensation,
                      .fits = options.fits,
                      .sweeps = options.sweeps,
                      .widen = options.widen,
                      .exclude = {},
                      .overrides = {},
                      .seed = options.seed};
  for (const LayerOverride& override : options.overrides) {
    if (!GlobMatches(override.layers, layer)) continue;
    if (override.bits) own.design.levels = 1 << *override.bits;
    if (override.method) own.design.method = *override.method;
    if (override.granularity) own.granularity = *override.granularity;
    if (override.samples) own.design.sampling.count = *override.samples;
    if (override.compensation) own.compensation = own.compensation && *override.compensation;
  }
  return own;
}

Result<std::vector<LayerOverride>> WidenLayers(const QuantizeReport& report, std::size_t base_bytes,
                                               std::size_t target_bytes) {
  if (base_bytes > target_bytes) {
    return Fail(ErrorCode::kUsage, "the 4-bit network takes " + std::to_string(base_bytes) +
                                       " bytes and cannot be made smaller; the target is " +
                                       std::to_string(target_bytes));
  }
  struct Candidate {
    const LayerReport* layer;
    std::size_t bytes;  // more
    double gain;        // noise over signal, for each of them
  };
  // 256 levels as floats, and what changes in the file's framing.
  constexpr std::size_t kTableBytes = 1200;
  std::vector<Candidate> candidates;
  for (const LayerReport& layer : report.layers) {
    if (layer.bits != 4 || !std::isfinite(layer.sqnr_db)) continue;
    const std::size_t bytes = layer.weights - layer.weights / 2 + kTableBytes;
    candidates.push_back({&layer, bytes, std::pow(10, -layer.sqnr_db / 10) / static_cast<double>(bytes)});
  }
  SortSmall(candidates, [](const Candidate& a, const Candidate& b) {
    return a.gain != b.gain ? a.gain > b.gain : a.layer < b.layer;
  });
  std::vector<LayerOverride> overrides;
  for (const Candidate& candidate : candidates) {
    if (base_bytes + candidate.bytes > target_bytes) continue;
    base_bytes += candidate.bytes;
    overrides.push_back({.layers = candidate.layer->name, .bits = kMostBits});
  }
  return overrides;
}

}  // namespace kdequant
