#include <array>
#include <utility>

#include "kdequant/quantize/quantize.h"

namespace kdequant {
namespace {

constexpr std::array<std::pair<std::string_view, Granularity>, 3> kGranularities{
    {{"tensor", Granularity::kTensor},
     {"channel-scale", Granularity::kChannelScale},
     {"channel", Granularity::kChannel}}};
constexpr std::array<std::pair<std::string_view, ActivationMode>, 3> kActivationModes{
    {{"static", ActivationMode::kStatic}, {"dynamic", ActivationMode::kDynamic}, {"float", ActivationMode::kFloat}}};
constexpr std::array<std::pair<std::string_view, Effort>, 4> kEfforts{
    {{"plain", Effort::kPlain}, {"fast", Effort::kFast}, {"default", Effort::kDefault}, {"best", Effort::kBest}}};

template <typename Enum, std::size_t N>
Result<Enum> Parse(std::string_view what, std::string_view name,
                   const std::array<std::pair<std::string_view, Enum>, N>& table) {
  std::string allowed;
  for (const auto& [text, value] : table) {
    if (text == name) return value;
    allowed += (allowed.empty() ? "" : ", ") + std::string(text);
  }
  return Fail(ErrorCode::kUsage,
              "unknown " + std::string(what) + " \"" + std::string(name) + "\"; it is one of " + allowed);
}

template <typename Enum, std::size_t N>
std::string_view NameOf(Enum value, const std::array<std::pair<std::string_view, Enum>, N>& table) {
  for (const auto& [text, entry] : table) {
    if (entry == value) return text;
  }
  return {};
}

}  // namespace

void ApplyEffort(Effort effort, QuantizeOptions& options) {
  const auto pictures = [&](std::size_t count) {
    options.calibration = Calibration::kSynthetic;
    options.picture_count = count;
    options.bias_correction = true;
    options.activations = ActivationMode::kStatic;
  };
  options.compensation = effort == Effort::kDefault || effort == Effort::kBest;
  options.codebooks = effort == Effort::kPlain ? 1 : effort == Effort::kFast ? 4 : kMostCodebooks;
  options.fits = effort == Effort::kBest ? 3 : 1;
  options.sweeps = effort == Effort::kBest ? 4 : 0;
  options.widen = options.compensation ? std::nullopt : std::optional(0.0);
  switch (effort) {
    case Effort::kPlain:
      options.calibration = Calibration::kNone;
      options.bias_correction = false;
      options.activations = ActivationMode::kDynamic;
      return;
    case Effort::kFast: return pictures(16);
    case Effort::kDefault: return pictures(64);
    case Effort::kBest: return pictures(256);
  }
}

Result<Granularity> ParseGranularity(std::string_view name) { return Parse("granularity", name, kGranularities); }
std::string_view GranularityName(Granularity granularity) { return NameOf(granularity, kGranularities); }
Result<ActivationMode> ParseActivationMode(std::string_view name) {
  return Parse("activation mode", name, kActivationModes);
}
std::string_view ActivationModeName(ActivationMode mode) { return NameOf(mode, kActivationModes); }
Result<Effort> ParseEffort(std::string_view name) { return Parse("effort", name, kEfforts); }

std::string_view Version() { return KDEQUANT_VERSION; }

}  // namespace kdequant
