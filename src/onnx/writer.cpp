#include "kdequant/onnx/writer.h"

#include <algorithm>
#include <new>
#include <protozero/pbf_writer.hpp>

#include "graph_writer.h"
#include "kdequant/model/prepare.h"

namespace kdequant {
namespace onnx {
namespace {

using protozero::pbf_writer;

// The newest opset that onnxruntime 1.18 knows, and the oldest with UINT4.
constexpr std::int64_t kOpset = 21;
constexpr std::int64_t kIrVersion = 10;

void WriteValueInfo(pbf_writer& graph, std::uint32_t field, const Value& value) {
  pbf_writer info(graph, field);
  info.add_string(1, value.name);
  pbf_writer type(info, 2);
  pbf_writer tensor(type, 1);
  tensor.add_int32(1,
                   static_cast<std::int32_t>(value.type == ElementType::kFloat ? DataType::kFloat : DataType::kInt64));
  if (!value.shape) return;
  pbf_writer shape(tensor, 2);
  for (std::size_t i = 0; i < value.shape->size(); ++i) {
    pbf_writer dimension(shape, 1);
    const std::int64_t size = (*value.shape)[i];
    if (size > 0) {
      dimension.add_int64(1, size);
    } else {
      dimension.add_string(2, i == 0 ? "N" : "D" + std::to_string(i));
    }
  }
}

// The graph's results with shapes, which ONNX's checker wants; without where they cannot be inferred.
std::vector<Value> Results(const Graph& graph) {
  std::vector<Value> results;
  for (const ValueId output : graph.outputs) results.push_back(graph.value(output));
  if (std::ranges::all_of(results, [](const Value& value) { return value.shape.has_value(); })) return results;
  Graph inferred = graph;
  if (!InferShapes(inferred)) return results;
  for (std::size_t i = 0; i < results.size(); ++i) results[i].shape = inferred.value(graph.outputs[i]).shape;
  return results;
}

Result<void> WriteGraph(pbf_writer& out, const Graph& graph) {
  GraphWriter writer(graph, out);
  for (const Node& node : graph.nodes) {
    if (auto done = WriteOperator(writer, node); !done) return done;
  }
  out.add_string(2, graph.name.empty() ? "kdequant" : graph.name);
  for (const ValueId input : graph.inputs) WriteValueInfo(out, 11, graph.value(input));
  for (const Value& result : Results(graph)) WriteValueInfo(out, 12, result);
  if (writer.error()) return std::unexpected(*writer.error());
  return {};
}

Result<std::string> WriteModel(const Graph& graph) {
  std::string bytes;
  pbf_writer model(bytes);
  model.add_int64(1, kIrVersion);
  model.add_string(2, "kdequant");
  {
    pbf_writer opset(model, 8);
    opset.add_string(1, "");
    opset.add_int64(2, kOpset);
  }
  auto metadata = graph.metadata;
  if (!graph.ranges.empty()) metadata["kdequant.ranges"] = FormatRanges(graph.ranges);
  for (const auto& [key, text] : metadata) {
    pbf_writer entry(model, 14);
    entry.add_string(1, key);
    entry.add_string(2, text);
  }
  {
    pbf_writer out(model, 7);
    if (auto done = WriteGraph(out, graph); !done) return Forward(done);
  }
  return bytes;
}

}  // namespace
}  // namespace onnx

Result<std::vector<std::uint8_t>> WriteOnnx(const Graph& graph) {
  try {
    auto bytes = onnx::WriteModel(graph);
    if (!bytes) return Forward(bytes);
    if (bytes->size() > 0x7fffffff) {
      return Fail(ErrorCode::kLimit, "the model would have more than 2 GB, the most that an ONNX file may have");
    }
    return std::vector<std::uint8_t>(bytes->begin(), bytes->end());
  } catch (const std::bad_alloc&) {
    return Fail(ErrorCode::kOutOfMemory, "there is not enough memory to write the model");
  }
}

}  // namespace kdequant
