// What goes on inside a session: its steps, and what its layers give out.
#include <algorithm>
#include <string>

#include "session.h"

namespace kdequant::wasm {

using emscripten::val;

val InferenceSession::Profile() {
  return Guard([&]() -> Result<val> {
    auto tensor = Tensor();
    if (!tensor) return Forward(tensor);
    auto steps = session_.Profile(*tensor);
    if (!steps) return Forward(steps);
    val result = val::array();
    for (const StepTime& step : *steps) {
      val entry = val::object();
      entry.set("layer", step.layer);
      entry.set("op", std::string(step.operator_name));
      entry.set("milliseconds", step.milliseconds);
      result.call<void>("push", entry);
    }
    return result;
  });
}

val InferenceSession::FeatureMaps(const std::string& layer, double first, double count, const val& ranges) {
  return Guard([&]() -> Result<val> {
    auto tensor = Tensor();
    if (!tensor) return Forward(tensor);
    const auto output = std::ranges::find(outputs_, layer, &LayerOutput::layer);
    if (output == outputs_.end()) {
      return Fail(ErrorCode::kUsage, "there is no layer \"" + layer + "\"; model.layers lists them", layer);
    }
    FeatureMapOptions options{.first = static_cast<std::size_t>(first), .count = static_cast<std::size_t>(count)};
    const auto ends = emscripten::convertJSArrayToNumberVector<float>(ranges);
    for (std::size_t i = 0; i + 1 < ends.size(); i += 2)
      options.ranges.push_back({.low = ends[i], .high = ends[i + 1]});
    auto maps = ReadFeatureMaps(session_, *output, *tensor, options);
    if (!maps) return Forward(maps);
    maps_ = *std::move(maps);
    val result = val::object();
    result.set("channels", static_cast<double>(maps_.channels));
    result.set("width", static_cast<double>(maps_.width));
    result.set("height", static_cast<double>(maps_.height));
    result.set("pixels", ViewOf(std::span<const std::uint8_t>(maps_.pixels)));
    val list = val::array();
    for (const MapRange& range : maps_.ranges) {
      list.call<void>("push", range.low, range.high);
    }
    result.set("ranges", list);
    return result;
  });
}

val InferenceSession::CompareOutputs(InferenceSession& reference) {
  return Guard([&]() -> Result<val> {
    auto tensor = Tensor();
    if (!tensor) return Forward(tensor);
    auto errors = kdequant::CompareOutputs(session_, outputs_, reference.session_, reference.outputs_, *tensor);
    if (!errors) return Forward(errors);
    val result = val::array();
    for (const OutputError& error : *errors) {
      val entry = val::object();
      entry.set("layer", outputs_[error.output].layer);
      entry.set("op", outputs_[error.output].operator_name);
      entry.set("signal", error.signal);
      entry.set("error", error.error);
      result.call<void>("push", entry);
    }
    return result;
  });
}

}  // namespace kdequant::wasm
