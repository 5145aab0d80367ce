#include "byte_budget.h"

#include <utility>

#include "kdequant/base/job.h"
#include "kdequant/onnx/writer.h"
#include "kdequant/quantize/overrides.h"

namespace kdequant {

Result<void> SpendBytes(const std::shared_ptr<const Graph>& graph, std::size_t target, QuantizeOptions& options) {
  QuantizeOptions plain = options;
  ApplyEffort(Effort::kPlain, plain);
  plain.codebooks = options.codebooks;
  auto job = QuantizeJob::Create(graph, std::move(plain));
  if (!job) return Forward(job);
  if (auto finished = Finish(**job); !finished) return finished;
  Graph network = (*job)->TakeGraph();
  // What calibration adds: ranges and biases.
  constexpr std::size_t kBytesPerRange = 64;
  constexpr std::size_t kFraming = 64;
  std::size_t bytes = graph->nodes.size() * (options.activations == ActivationMode::kStatic ? kBytesPerRange : 0);
  for (const Node& node : network.nodes) {
    if (options.bias_correction && HasWeights(network, node) && (node.inputs.size() < 3 || node.inputs[2] == kNoValue))
      bytes += static_cast<std::size_t>(ShapeOf(*network.value(node.inputs[1]).constant)[0]) * sizeof(float) + kFraming;
  }
  auto file = WriteOnnx(network);
  if (!file) return Forward(file);
  options.widen = 0;  // the budget says it all
  auto overrides = WidenLayers((*job)->report(), file->size() + bytes, target);
  if (!overrides) return Forward(overrides);
  // What the caller says of a layer wins.
  overrides->insert(overrides->end(), options.overrides.begin(), options.overrides.end());
  options.overrides = std::move(*overrides);
  return {};
}

}  // namespace kdequant
