// kdequant/runtime/observe.h
// What a network computes on its way to the answer: feature maps to look at, and how far two sessions are apart.
#ifndef KDEQUANT_RUNTIME_OBSERVE_H_
#define KDEQUANT_RUNTIME_OBSERVE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "kdequant/base/result.h"
#include "kdequant/model/graph.h"
#include "kdequant/runtime/session.h"

namespace kdequant {

/// The first output of a node: what a session's observer sees of it.
struct LayerOutput {
  std::string layer = {};
  std::string operator_name = {};
  ValueId value = kNoValue;
  Shape shape = {};
};

/// One for each node of a prepared graph, in its order. Kept beside a session, which does not keep the graph.
std::vector<LayerOutput> LayerOutputs(const Graph& graph);

/// What the darkest and the brightest pixel of a map stand for.
struct MapRange {
  float low = 0;
  float high = 0;
  friend bool operator==(const MapRange&, const MapRange&) = default;
};

struct FeatureMapOptions {
  std::size_t first = 0;  ///< The first channel.
  std::size_t count = 16;
  /// The ranges of another session's maps of the same channels, so that equal values get equal pixels; values beyond
  /// them get the nearest end. Empty: each map's own lowest and highest value.
  std::vector<MapRange> ranges = {};
};

/// Some channels of a layer's output as grey pictures.
struct FeatureMaps {
  std::size_t channels = 0;  ///< Of the layer, however many are here.
  std::size_t width = 0, height = 0;
  std::vector<MapRange> ranges = {};      ///< One a map.
  std::vector<std::uint8_t> pixels = {};  ///< [map][height][width]; 0 throughout where the range is a point.
};

/// Runs `input` and reads a layer's channels on the way. An output [1, C, H, W] has C maps of H x W; any other one is a
/// single map with all its elements in one row. Errors: kUsage (`first` beyond the channels, no map asked for, as many
/// ranges as there are no maps), kOutOfMemory, and those of Session::Run.
Result<FeatureMaps> ReadFeatureMaps(Session& session, const LayerOutput& output, std::span<const float> input,
                                    const FeatureMapOptions& options = {});

/// How far a layer's output in one session is from that in another: sums over its elements.
struct OutputError {
  std::size_t output = 0;  ///< Which of the outputs.
  double signal = 0;       ///< sum x^2, x the reference
  double error = 0;        ///< sum (x - q)^2
};

/// Runs `input` through both and compares the outputs of layers with equal names (of several layers with one name, the
/// first), in the order of `outputs`. The shapes are those of one network in two forms: a layer whose shapes differ is
/// left out. Memory: the reference's activations in float32, once (27 MB for EfficientNet-Lite0). Errors: kOutOfMemory,
/// and those of Session::Run.
Result<std::vector<OutputError>> CompareOutputs(Session& session, std::span<const LayerOutput> outputs,
                                                Session& reference, std::span<const LayerOutput> reference_outputs,
                                                std::span<const float> input);

}  // namespace kdequant

#endif  // KDEQUANT_RUNTIME_OBSERVE_H_
