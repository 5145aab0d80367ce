#include "byte_budget.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "kdequant/base/job.h"
#include "kdequant/onnx/writer.h"
#include "kdequant/quantize/overrides.h"

namespace kdequant {
namespace {

// What calibration will add to the file: ranges and biases.
std::size_t CalibrationBytes(const Graph& network, const QuantizeOptions& options) {
  constexpr std::size_t kBytesPerRange = 64;
  constexpr std::size_t kFraming = 64;
  std::size_t bytes = options.activations == ActivationMode::kStatic ? network.nodes.size() * kBytesPerRange : 0;
  for (const Node& node : network.nodes) {
    if (options.bias_correction && HasWeights(network, node) && (node.inputs.size() < 3 || node.inputs[2] == kNoValue))
      bytes += static_cast<std::size_t>(ShapeOf(*network.value(node.inputs[1]).constant)[0]) * sizeof(float) + kFraming;
  }
  return bytes;
}

}  // namespace

Result<void> SpendBytes(const std::shared_ptr<const Graph>& graph, std::size_t target, QuantizeOptions& options) {
  options.widen = 0;  // the budget says it all
  // What a layer takes in 8 bits is estimated, never too low: what is left over is spent on more of them.
  constexpr int kRounds = 3;
  for (int round = 0; round < kRounds; ++round) {
    QuantizeOptions plain = options;
    ApplyEffort(Effort::kPlain, plain);
    plain.codebooks = options.codebooks;
    auto job = QuantizeJob::Create(graph, std::move(plain));
    if (!job) return Forward(job);
    if (auto finished = Finish(**job); !finished) return finished;
    const Graph network = (*job)->TakeGraph();
    auto file = WriteOnnx(network);
    if (!file) return Forward(file);
    auto overrides = WidenLayers((*job)->report(), file->size() + CalibrationBytes(network, options), target);
    if (!overrides) return Forward(overrides);
    // What the round before asked for in vain, since the caller says otherwise.
    std::erase_if(*overrides, [&](const LayerOverride& wanted) {
      return std::ranges::any_of(
          options.overrides, [&](const LayerOverride& given) { return given.bits && given.layers == wanted.layers; });
    });
    if (overrides->empty()) break;
    // What the caller says of a layer wins.
    options.overrides.insert(options.overrides.begin(), overrides->begin(), overrides->end());
  }
  return {};
}

}  // namespace kdequant
