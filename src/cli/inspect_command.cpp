// kdequant inspect: what is in a network.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common_options.h"
#include "model_file.h"
#include "terminal.h"

namespace kdequant {
namespace {

constexpr const char* kInspectExamples = R"(Examples:
  kdequant inspect model.onnx
  kdequant inspect small.onnx --json

Layers are those with weights, after BatchNormalization has been folded into them and activations fused. Bytes are those of the
weights as the file stores them: indices, levels and scales.)";

struct InspectOptions {
  std::string model;
  bool json = false;
};

struct LayerRow {
  std::string name, op;
  Shape shape;
  int bits = 32;
  std::optional<int> activation_bits;  // absent: decided while the network runs
  std::size_t bytes = 0;
  std::int64_t macs = 0;
  std::vector<float> levels;  // of the first table
  std::size_t codebooks = 0;
};

int BitsOf(const Tensor& weights) {
  if (const auto* codebook = std::get_if<CodebookTensor>(&weights)) return codebook->bits;
  return std::holds_alternative<Int8Tensor>(weights) ? 8 : 32;
}

std::vector<float> LevelsOf(const Tensor& weights) {
  std::vector<float> levels;
  if (const auto* codebook = std::get_if<CodebookTensor>(&weights)) {
    for (std::size_t i = 0; i < codebook->TableSize(); ++i) {
      levels.push_back(static_cast<float>(codebook->codes[i]) * codebook->steps[0]);
    }
  }
  return levels;
}

std::size_t CodebooksOf(const Tensor& weights) {
  const auto* codebook = std::get_if<CodebookTensor>(&weights);
  return codebook != nullptr ? codebook->TableCount() : 0;
}

std::optional<int> ActivationBits(const Graph& graph, const Node& node, int weight_bits) {
  if (weight_bits == 32) return 32;
  const auto range = graph.ranges.find(graph.value(node.inputs[0]).name);
  return range != graph.ranges.end() ? std::optional(range->second.bits) : std::nullopt;
}

std::vector<LayerRow> LayersOf(const Graph& graph) {
  std::vector<LayerRow> rows;
  for (const Node& node : graph.nodes) {
    if (!HasWeights(graph, node)) continue;
    const Tensor& weights = *graph.value(node.inputs[1]).constant;
    const int bits = BitsOf(weights);
    rows.push_back({.name = node.name,
                    .op = std::string(OperatorName(node.op)),
                    .shape = ShapeOf(weights),
                    .bits = bits,
                    .activation_bits = ActivationBits(graph, node, bits),
                    .bytes = StoredBytes(weights),
                    .macs = MultiplyAccumulates(graph, node),
                    .levels = LevelsOf(weights),
                    .codebooks = CodebooksOf(weights)});
  }
  return rows;
}

void WriteShape(const Shape& shape, Json& json) {
  json.Key("shape").BeginList();
  for (const std::int64_t dimension : shape) json.Value(dimension);
  json.EndList();
}

void WriteValues(std::string_view key, const std::vector<ValueId>& ids, const Graph& graph, Json& json) {
  json.Key(key).BeginList();
  for (const ValueId id : ids) {
    json.Begin().Field("name", graph.value(id).name);
    WriteShape(graph.value(id).shape.value_or(Shape{}), json);
    json.End();
  }
  json.EndList();
}

std::string ToJson(const Graph& graph, const std::vector<LayerRow>& layers) {
  Json json;
  json.Begin().Field("opset", graph.opset);
  WriteValues("inputs", graph.inputs, graph, json);
  WriteValues("outputs", graph.outputs, graph, json);
  json.Key("layers").BeginList();
  for (const LayerRow& layer : layers) {
    json.Begin().Field("name", layer.name).Field("op", layer.op);
    WriteShape(layer.shape, json);
    json.Field("bits", layer.bits)
        .Field("activation_bits", layer.activation_bits)
        .Field("bytes", layer.bytes)
        .Field("macs", layer.macs)
        .Field("codebooks", layer.codebooks);
    json.Key("levels").BeginList();
    for (const float level : layer.levels) json.Value(level);
    json.EndList().End();
  }
  json.EndList().Key("metadata").Begin();
  for (const auto& [key, value] : graph.metadata) json.Field(key, value);
  if (!graph.ranges.empty()) json.Field("kdequant.ranges", FormatRanges(graph.ranges));
  json.End().End();
  return std::string(json.text());
}

// Long values (class names, settings) would bury the rest.
std::string Shortened(std::string text) {
  for (char& c : text) {
    if (c == '\n') c = ' ';
  }
  constexpr std::size_t kLongest = 100;
  return text.size() <= kLongest ? text : text.substr(0, kLongest - 3) + "...";
}

std::string ToText(const ModelFile& model, const std::vector<LayerRow>& layers) {
  const Graph& graph = model.graph;
  std::string text = "opset " + std::to_string(graph.opset) + ", " + FormatBytes(model.bytes) + "\n";
  for (const ValueId id : graph.inputs)
    text += "input   " + graph.value(id).name + "  " + ShapeToString(graph.value(id).shape.value_or(Shape{})) + "\n";
  for (const ValueId id : graph.outputs)
    text += "output  " + graph.value(id).name + "  " + ShapeToString(graph.value(id).shape.value_or(Shape{})) + "\n";
  Table table({"layer", "op", "weights", ">bits", ">activations", ">bytes", ">share", ">multiply-adds"});
  std::uint64_t bytes = 0;
  std::uint64_t macs = 0;
  for (const LayerRow& layer : layers) bytes += layer.bytes;
  for (const LayerRow& layer : layers) {
    macs += static_cast<std::uint64_t>(layer.macs);
    table.Add({layer.name, layer.op, ShapeToString(layer.shape), std::to_string(layer.bits),
               layer.activation_bits ? std::to_string(*layer.activation_bits) : "dynamic", FormatCount(layer.bytes),
               FormatPercent(static_cast<double>(layer.bytes), static_cast<double>(bytes)),
               FormatCount(static_cast<std::uint64_t>(layer.macs))});
  }
  table.Add({"all " + std::to_string(layers.size()), "", "", "", "", FormatCount(bytes), "", FormatCount(macs)});
  text += "\n" + table.text();
  if (!graph.metadata.empty()) text += "\n";
  for (const auto& [key, value] : graph.metadata) text += key + "  " + Shortened(value) + "\n";
  if (!graph.ranges.empty()) text += "kdequant.ranges  of " + Plural(graph.ranges.size(), "activation") + "\n";
  return text;
}

ExitCode Inspect(const InspectOptions& options) {
  auto model = LoadModel(options.model, {});
  if (!model) return ReportFailure(model.error(), options.json);
  const std::vector<LayerRow> layers = LayersOf(model->graph);
  return PrintResult(options.json ? ToJson(model->graph, layers) : ToText(*model, layers));
}

}  // namespace

void AddInspect(CLI::App& app, Run& run) {
  const auto options = std::make_shared<InspectOptions>();
  CLI::App* verb = app.add_subcommand("inspect", "Lists a network's layers, bits and bytes");
  verb->add_option("MODEL", options->model, "The network, float or quantized")->required()->type_name("");
  verb->add_flag("--json", options->json, "One JSON object on standard output");
  verb->footer(kInspectExamples);
  verb->callback([options, &run] { run = [options] { return Inspect(*options); }; });
}

}  // namespace kdequant
