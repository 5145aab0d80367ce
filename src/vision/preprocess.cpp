#include "kdequant/vision/preprocess.h"

#include <charconv>
#include <cmath>
#include <optional>
#include <system_error>

#include "kdequant/base/decimal.h"

namespace kdequant {
namespace {

constexpr std::string_view kAllowed =
    "the presets tf, imagenet, caffe and the keys size=N, resize=N, scale=F, mean=A:B:C, std=A:B:C, order=rgb|bgr";

struct Normalization {
  float scale;
  std::array<float, 3> mean;
  std::array<float, 3> std;
  bool bgr;
};

std::optional<Normalization> Preset(std::string_view name) {
  if (name == "tf") return Normalization{1, {127, 127, 127}, {128, 128, 128}, false};
  if (name == "imagenet") return Normalization{1.0F / 255, {0.485F, 0.456F, 0.406F}, {0.229F, 0.224F, 0.225F}, false};
  if (name == "caffe") return Normalization{1, {103.939F, 116.779F, 123.68F}, {1, 1, 1}, true};
  return std::nullopt;
}

std::string_view Trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

// The text up to `separator`, which is taken off `rest` together with it.
std::string_view NextPart(std::string_view& rest, char separator) {
  const auto end = rest.find(separator);
  const std::string_view part = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
  return part;
}

std::unexpected<Error> Wrong(std::string_view part, const std::string& why) {
  return Fail(ErrorCode::kUsage, "preprocessing: \"" + std::string(part) + "\" " + why);
}

// "0.5" or "1/255".
std::optional<float> Number(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return ParseFloat(Trim(text));
  const auto above = ParseFloat(Trim(text.substr(0, slash)));
  const auto below = ParseFloat(Trim(text.substr(slash + 1)));
  if (!above || !below || *below == 0) return std::nullopt;
  return *above / *below;
}

std::optional<std::array<float, 3>> ThreeNumbers(std::string_view text) {
  std::array<float, 3> values{};
  for (float& value : values) {
    const auto number = Number(NextPart(text, ':'));
    if (!number) return std::nullopt;
    value = *number;
  }
  return text.empty() ? std::optional(values) : std::nullopt;
}

std::optional<int> Side(std::string_view text, int least) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  return whole && value >= least && value <= kMaxCropSize ? std::optional(value) : std::nullopt;
}

Result<void> ApplySide(std::string_view part, std::string_view value, int least, int& side) {
  const auto parsed = Side(value, least);
  if (!parsed) {
    return Wrong(part, "needs a whole number from " + std::to_string(least) + " to " + std::to_string(kMaxCropSize));
  }
  side = *parsed;
  return {};
}

Result<void> ApplyKey(std::string_view part, std::string_view key, std::string_view value, Preprocess& result) {
  if (key == "size") return ApplySide(part, value, 1, result.size);
  if (key == "resize") return ApplySide(part, value, 0, result.resize);
  if (key == "scale") {
    const auto scale = Number(value);
    if (!scale || *scale == 0) return Wrong(part, "needs a number other than 0, such as scale=1/255");
    result.scale = *scale;
    return {};
  }
  if (key == "mean" || key == "std") {
    const auto values = ThreeNumbers(value);
    if (!values) return Wrong(part, "needs three numbers, such as " + std::string(key) + "=0.5:0.5:0.5");
    if (key == "mean") {
      result.mean = *values;
      return {};
    }
    for (const float divisor : *values) {
      if (!(divisor > 0)) return Wrong(part, "divides by a number that is not positive");
    }
    result.std = *values;
    return {};
  }
  if (key == "order") {
    if (value != "rgb" && value != "bgr") return Wrong(part, "must be order=rgb or order=bgr");
    result.bgr = value == "bgr";
    return {};
  }
  return Wrong(part, "is unknown; there are " + std::string(kAllowed));
}

std::string Triple(const std::array<float, 3>& values) {
  return FormatFloat(values[0]) + ":" + FormatFloat(values[1]) + ":" + FormatFloat(values[2]);
}

}  // namespace

Preprocess DefaultPreprocess(int size) { return {.size = size, .resize = (size * 8 + 3) / 7}; }

Result<Preprocess> ParsePreprocess(std::string_view spec, const Preprocess& base) {
  Preprocess result = base;
  std::string_view rest = spec;
  while (!rest.empty()) {
    const std::string_view part = Trim(NextPart(rest, ','));
    if (part.empty()) continue;  // "tf,,size=224" and a comma at the end do no harm
    if (const auto preset = Preset(part)) {
      result.scale = preset->scale;
      result.mean = preset->mean;
      result.std = preset->std;
      result.bgr = preset->bgr;
      continue;
    }
    const auto equals = part.find('=');
    if (equals == std::string_view::npos) {
      return Wrong(part, "is unknown; there are " + std::string(kAllowed));
    }
    auto applied = ApplyKey(part, Trim(part.substr(0, equals)), Trim(part.substr(equals + 1)), result);
    if (!applied) return Forward(applied);
  }
  return result;
}

std::string FormatPreprocess(const Preprocess& preprocess) {
  return "size=" + std::to_string(preprocess.size) + ",resize=" + std::to_string(preprocess.resize) +
         ",scale=" + FormatFloat(preprocess.scale) + ",mean=" + Triple(preprocess.mean) +
         ",std=" + Triple(preprocess.std) + ",order=" + (preprocess.bgr ? "bgr" : "rgb");
}

std::vector<float> ToTensor(const Image& image, const Preprocess& preprocess, TensorLayout layout) {
  // A table of the 256 values that each channel can take: one division a value instead of one a pixel.
  std::array<std::array<float, 256>, 3> table{};
  for (std::size_t c = 0; c < 3; ++c) {
    for (std::size_t pixel = 0; pixel < 256; ++pixel) {
      table[c][pixel] = (static_cast<float>(pixel) * preprocess.scale - preprocess.mean[c]) / preprocess.std[c];
    }
  }
  const Image crop = Crop(image, preprocess);
  const std::size_t pixels = crop.rgb.size() / 3;
  std::vector<float> result(crop.rgb.size());
  for (std::size_t c = 0; c < 3; ++c) {
    const std::size_t source = preprocess.bgr ? 2 - c : c;
    for (std::size_t i = 0; i < pixels; ++i) {
      const std::size_t target = layout == TensorLayout::kNchw ? c * pixels + i : i * 3 + c;
      result[target] = table[c][crop.rgb[i * 3 + source]];
    }
  }
  return result;
}

}  // namespace kdequant
