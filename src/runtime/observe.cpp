#include "kdequant/runtime/observe.h"

#include <algorithm>
#include <map>
#include <new>
#include <string_view>
#include <utility>

namespace kdequant {
namespace {

std::unexpected<Error> NoMemory() {
  return Fail(ErrorCode::kOutOfMemory,
              "there is not enough memory for the network's activations; close other models or sessions");
}

struct MapShape {
  std::size_t channels = 1, width = 1, height = 1;
};

MapShape MapShapeOf(const Shape& shape) {
  const auto size = [&](std::size_t axis) { return static_cast<std::size_t>(shape[axis]); };
  if (shape.size() == 4 && shape[0] == 1) return {.channels = size(1), .width = size(3), .height = size(2)};
  // Shapes of a session have been counted without overflow before.
  return {.channels = 1, .width = ElementCount(shape).value_or(0), .height = 1};
}

MapRange RangeOf(std::span<const float> map) {
  const auto [low, high] = std::ranges::minmax(map);
  return {.low = low, .high = high};
}

void Draw(std::span<const float> map, const MapRange& range, std::uint8_t* pixels) {
  const float scale = range.high > range.low ? 255.0F / (range.high - range.low) : 0.0F;
  for (std::size_t i = 0; i < map.size(); ++i) {
    const float grey = std::clamp((map[i] - range.low) * scale, 0.0F, 255.0F);
    pixels[i] = static_cast<std::uint8_t>(grey + 0.5F);
  }
}

Result<std::size_t> CountMaps(const LayerOutput& output, std::size_t channels, const FeatureMapOptions& options) {
  if (options.first >= channels || options.count == 0) {
    return Fail(ErrorCode::kUsage,
                "layer \"" + output.layer + "\" has " + std::to_string(channels) + " channels, and " +
                    std::to_string(options.count) + " from number " + std::to_string(options.first) +
                    " on are none of them; ask for channels that it has",
                output.layer);
  }
  const std::size_t count = std::min(options.count, channels - options.first);
  if (!options.ranges.empty() && options.ranges.size() != count) {
    return Fail(ErrorCode::kUsage,
                "there are " + std::to_string(options.ranges.size()) + " ranges for " + std::to_string(count) +
                    " maps; give those that were read with the same channels",
                output.layer);
  }
  return count;
}

}  // namespace

std::vector<LayerOutput> LayerOutputs(const Graph& graph) {
  std::vector<LayerOutput> outputs;
  outputs.reserve(graph.nodes.size());
  for (const Node& node : graph.nodes) {
    const ValueId value = node.outputs[0];
    outputs.push_back({.layer = node.name,
                       .operator_name = std::string(OperatorName(node.op)),
                       .value = value,
                       .shape = graph.value(value).shape.value_or(Shape{})});
  }
  return outputs;
}

Result<FeatureMaps> ReadFeatureMaps(Session& session, const LayerOutput& output, std::span<const float> input,
                                    const FeatureMapOptions& options) {
  const MapShape shape = MapShapeOf(output.shape);
  auto count = CountMaps(output, shape.channels, options);
  if (!count) return Forward(count);
  try {
    FeatureMaps maps{.channels = shape.channels, .width = shape.width, .height = shape.height};
    const std::size_t size = shape.width * shape.height;
    maps.ranges = options.ranges;
    maps.ranges.resize(*count);
    maps.pixels.resize(*count * size);
    auto run = session.Run(input, [&](ValueId value, std::span<const float> elements) {
      if (value != output.value) return;
      for (std::size_t i = 0; i < *count; ++i) {
        const auto map = elements.subspan((options.first + i) * size, size);
        if (options.ranges.empty()) maps.ranges[i] = RangeOf(map);
        Draw(map, maps.ranges[i], maps.pixels.data() + i * size);
      }
    });
    if (!run) return Forward(run);
    return maps;
  } catch (const std::bad_alloc&) {
    return NoMemory();
  }
}

Result<std::vector<OutputError>> CompareOutputs(Session& session, std::span<const LayerOutput> outputs,
                                                Session& reference, std::span<const LayerOutput> reference_outputs,
                                                std::span<const float> input) {
  try {
    std::map<std::string_view, const LayerOutput*> by_name;
    for (const LayerOutput& output : reference_outputs) by_name.emplace(output.layer, &output);
    // What of the session is compared with what of the reference.
    std::map<ValueId, std::pair<std::size_t, ValueId>> wanted;
    std::map<ValueId, std::vector<float>> expected;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const auto found = by_name.find(outputs[i].layer);
      if (found == by_name.end() || found->second->shape != outputs[i].shape) continue;
      if (!expected.try_emplace(found->second->value).second) continue;
      wanted.emplace(outputs[i].value, std::pair(i, found->second->value));
    }
    auto run = reference.Run(input, [&](ValueId value, std::span<const float> elements) {
      if (const auto found = expected.find(value); found != expected.end()) {
        found->second.assign(elements.begin(), elements.end());
      }
    });
    if (!run) return Forward(run);
    std::vector<OutputError> errors;
    run = session.Run(input, [&](ValueId value, std::span<const float> elements) {
      const auto found = wanted.find(value);
      if (found == wanted.end()) return;
      const auto [index, compared] = found->second;
      OutputError& error = errors.emplace_back(OutputError{.output = index});
      std::vector<float>& exact = expected.at(compared);
      for (std::size_t i = 0; i < elements.size(); ++i) {
        const double x = static_cast<double>(exact[i]);
        const double difference = x - static_cast<double>(elements[i]);
        error.signal += x * x;
        error.error += difference * difference;
      }
      exact = {};
    });
    if (!run) return Forward(run);
    return errors;
  } catch (const std::bad_alloc&) {
    return NoMemory();
  }
}

}  // namespace kdequant
