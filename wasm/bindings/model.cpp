#include "model.h"

#include <algorithm>
#include <utility>

#include "kdequant/model/prepare.h"
#include "kdequant/onnx/reader.h"

namespace kdequant::wasm {
namespace {

constexpr const char* kPreprocessKey = "kdequant.preprocess";
constexpr const char* kLabelsKey = "kdequant.labels";
constexpr const char* kLabelSetKey = "kdequant.labelset";

// The side of the network's square picture, 0 if its input is no picture or its size is open.
int PictureSize(const Graph& graph) {
  if (graph.inputs.empty()) return 0;
  const auto& shape = graph.value(graph.inputs[0]).shape;
  if (!shape || shape->size() != 4) return 0;
  const std::int64_t side = (*shape)[2];
  return side >= 1 && side <= 8192 ? static_cast<int>(side) : 0;
}

// What the file says, and over it what the caller says. A file that says nothing gets the usual proportions: the crop
// is the network's picture, cut from a picture whose short side is 8/7 of it.
Result<Preprocess> PreprocessOf(const Graph& graph, const std::string& spec) {
  Preprocess base;
  if (const int size = PictureSize(graph); size > 0) {
    base.size = size;
    base.resize = (size * 8 + 3) / 7;
  }
  if (const auto found = graph.metadata.find(kPreprocessKey); found != graph.metadata.end()) {
    auto stored = ParsePreprocess(found->second, base);
    if (!stored) return Forward(stored);
    base = *stored;
  }
  return ParsePreprocess(spec, base);
}

}  // namespace

emscripten::val Model::Load(const Bytes& file, double length, const std::string& preprocess, const std::string& labels,
                            const std::string& label_set) {
  return Guard([&]() -> Result<std::shared_ptr<Model>> {
    const auto bytes = file.First(length);
    // The graph has copies of the weights, and some small things between them: without room for those, too, the last
    // large copy would not fit into what the memory grows by here.
    const double graph_bytes = 1.02 * length;
    if (auto enough = CheckMemory(graph_bytes, graph_bytes); !enough) return Forward(enough);
    auto graph = ReadOnnx(bytes);
    if (!graph) return Forward(graph);
    auto settings = PreprocessOf(*graph, preprocess);
    if (!settings) return Forward(settings);
    auto prepared = Prepare(*graph, {.default_size = settings->size});
    if (!prepared) return Forward(prepared);
    if (!preprocess.empty()) graph->metadata[kPreprocessKey] = FormatPreprocess(*settings);
    if (!labels.empty() || !label_set.empty()) {
      graph->metadata.erase(kLabelsKey);
      graph->metadata.erase(kLabelSetKey);
      graph->metadata[labels.empty() ? kLabelSetKey : kLabelsKey] = labels.empty() ? label_set : labels;
    }
    return std::make_shared<Model>(std::make_shared<const Graph>(*std::move(graph)), *settings, bytes.size());
  });
}

Result<std::size_t> Model::FindLayer(const std::string& layer) const {
  const auto node =
      std::ranges::find_if(graph_->nodes, [&](const Node& n) { return n.name == layer && HasWeights(*graph_, n); });
  if (node != graph_->nodes.end()) return static_cast<std::size_t>(node - graph_->nodes.begin());
  return Fail(ErrorCode::kUsage, "there is no layer \"" + layer + "\" with weights; model.layers lists them", layer);
}

emscripten::val Model::LayerWeights(const std::string& layer) {
  return Guard([&]() -> Result<emscripten::val> {
    auto node = FindLayer(layer);
    if (!node) return Forward(node);
    auto weights = Dequantize(*graph_->value(graph_->nodes[*node].inputs[1]).constant);
    if (!weights) return Forward(weights);
    weights_ = std::move(weights->values);
    return ViewOf(std::span<const float>(weights_));
  });
}

}  // namespace kdequant::wasm
