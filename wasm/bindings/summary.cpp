#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <cmath>
#include <string>
#include <string_view>

#include "kdequant/base/decimal.h"
#include "model.h"

namespace kdequant::wasm {
namespace {

using Writer = rapidjson::Writer<rapidjson::StringBuffer>;

void String(Writer& writer, std::string_view text) {
  writer.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
}

void WriteShape(Writer& writer, const char* key, const Shape& shape) {
  writer.Key(key);
  writer.StartArray();
  for (const auto dimension : shape) writer.Int64(dimension);
  writer.EndArray();
}

const Shape& ValueShape(const Graph& graph, ValueId id) {
  static const Shape kNone;
  return graph.value(id).shape ? *graph.value(id).shape : kNone;
}

void WriteValue(Writer& writer, const char* key, const Graph& graph, ValueId id) {
  writer.Key(key);
  writer.StartObject();
  writer.Key("name");
  String(writer, graph.value(id).name);
  WriteShape(writer, "shape", ValueShape(graph, id));
  writer.EndObject();
}

int WeightBits(const Tensor& tensor) {
  if (const auto* codebook = std::get_if<CodebookTensor>(&tensor)) return codebook->bits;
  return std::holds_alternative<Int8Tensor>(tensor) ? 8 : 32;
}

void WriteLevels(Writer& writer, const Tensor* weights) {
  writer.Key("levels");
  writer.StartArray();
  if (const auto* codebook = weights != nullptr ? std::get_if<CodebookTensor>(weights) : nullptr) {
    for (std::size_t i = 0; i < codebook->TableSize(); ++i) {
      // As many digits as a float needs: TypeScript makes floats of them again.
      const std::string level = FormatFloat(static_cast<float>(codebook->codes[i]) * codebook->steps[0]);
      writer.RawValue(level.data(), level.size(), rapidjson::kNumberType);
    }
  }
  writer.EndArray();
}

std::size_t CountWeights(const Tensor* weights) {
  return weights != nullptr ? ElementCount(ShapeOf(*weights)).value_or(0) : 0;
}

const Tensor* WeightsOf(const Graph& graph, const Node& node) {
  return HasWeights(graph, node) ? graph.value(node.inputs[1]).constant.get() : nullptr;
}

void WriteLayer(Writer& writer, const Graph& graph, const Node& node) {
  const Tensor* weights = WeightsOf(graph, node);
  const ValueId output = node.outputs[0];
  writer.StartObject();
  writer.Key("name");
  String(writer, node.name);
  writer.Key("op");
  String(writer, OperatorName(node.op));
  WriteShape(writer, "shape", weights != nullptr ? ShapeOf(*weights) : ValueShape(graph, output));
  WriteShape(writer, "outputShape", ValueShape(graph, output));
  writer.Key("depthwise");
  writer.Bool(IsDepthwise(graph, node));
  writer.Key("weights");
  writer.Uint64(CountWeights(weights));
  writer.Key("bits");
  writer.Int(weights != nullptr ? WeightBits(*weights) : 0);
  if (const auto range = graph.ranges.find(graph.value(output).name); range != graph.ranges.end()) {
    writer.Key("activationBits");
    writer.Int(range->second.bits);
  }
  writer.Key("bytes");
  writer.Uint64(weights != nullptr ? StoredBytes(*weights) : 0);
  writer.Key("macs");
  writer.Int64(MultiplyAccumulates(graph, node));
  WriteLevels(writer, weights);
  const auto* codebook = weights != nullptr ? std::get_if<CodebookTensor>(weights) : nullptr;
  writer.Key("codebooks");
  writer.Uint64(codebook != nullptr ? codebook->TableCount() : 0);
  writer.EndObject();
}

}  // namespace

std::string Model::Summary() const {
  const Graph& graph = *graph_;
  std::size_t weights = 0;
  std::int64_t macs = 0;
  bool quantized = false;
  for (const Node& node : graph.nodes) {
    const Tensor* tensor = WeightsOf(graph, node);
    weights += CountWeights(tensor);
    macs += MultiplyAccumulates(graph, node);
    quantized = quantized || (tensor != nullptr && WeightBits(*tensor) < 32);
  }
  rapidjson::StringBuffer buffer;
  Writer writer(buffer);
  writer.StartObject();
  writer.Key("name");
  String(writer, graph.name);
  WriteValue(writer, "input", graph, graph.inputs[0]);
  WriteValue(writer, "output", graph, graph.outputs[0]);
  writer.Key("quantized");
  writer.Bool(quantized);
  writer.Key("weights");
  writer.Uint64(weights);
  writer.Key("macs");
  writer.Int64(macs);
  writer.Key("preprocess");
  String(writer, FormatPreprocess(preprocess_));
  writer.Key("metadata");
  writer.StartObject();
  for (const auto& [key, value] : graph.metadata) {
    writer.Key(key.c_str());
    String(writer, value);
  }
  writer.EndObject();
  writer.Key("layers");
  writer.StartArray();
  for (const Node& node : graph.nodes) WriteLayer(writer, graph, node);
  writer.EndArray();
  writer.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

}  // namespace kdequant::wasm
