// One input, one output, every size known.
#include <algorithm>
#include <vector>

#include "fault.h"
#include "passes/passes.h"
#include "shape_inference.h"

namespace kdequant::model {
namespace {

// An input that no node reads (a training switch, the mask of a removed branch) is none.
void DropUnreadInputs(Graph& graph) {
  std::vector<bool> read(graph.values.size(), false);
  for (const Node& node : graph.nodes) {
    for (const ValueId input : node.inputs) {
      if (input != kNoValue) read[static_cast<std::size_t>(input)] = true;
    }
  }
  const auto is_unread = [&](ValueId id) { return !read[static_cast<std::size_t>(id)]; };
  if (std::ranges::all_of(graph.inputs, is_unread)) return;
  std::erase_if(graph.inputs, is_unread);
}

// What the nodes that read the input tell about it.
struct Reader {
  bool channels_last = false;  // it goes through a Transpose to NCHW first
  std::int64_t channels = kUnknownDimension;
};

Reader LookAtReaders(const Graph& graph, ValueId input) {
  Reader reader;
  ValueId image = input;
  for (const Node& node : graph.nodes) {
    if (node.inputs[0] != image) continue;
    const auto* transpose = std::get_if<Transpose>(&node.op);
    if (transpose != nullptr && transpose->permutation == std::vector<std::int64_t>{0, 3, 1, 2}) {
      reader.channels_last = true;
      image = node.outputs[0];
    } else if (const auto* conv = std::get_if<Conv>(&node.op); conv != nullptr && graph.IsConstant(node.inputs[1])) {
      const Shape& weight = ShapeOf(*graph.value(node.inputs[1]).constant);
      const bool fits = weight.size() == 4 && conv->groups >= 1 && weight[1] <= kLargestExtent / conv->groups;
      if (fits) reader.channels = weight[1] * conv->groups;
      break;
    }
  }
  return reader;
}

std::unexpected<Error> Open(const std::string& input, const Shape& shape, std::string_view what) {
  return Fail(ErrorCode::kBadInput, "the input " + input + " of " + ShapeToString(shape) + " leaves " +
                                        std::string(what) + " open; export the model with a fixed input size");
}

}  // namespace

Result<void> SettleInput(Graph& graph, const PrepareOptions& options) {
  DropUnreadInputs(graph);
  if (graph.inputs.size() != 1) {
    return Fail(ErrorCode::kUnsupported, "the model has " + std::to_string(graph.inputs.size()) +
                                             " inputs; kdequant runs networks with one input, a picture or a vector");
  }
  if (graph.outputs.size() != 1) {
    return Fail(ErrorCode::kUnsupported, "the model has " + std::to_string(graph.outputs.size()) +
                                             " outputs; kdequant runs networks with one, so export it with that alone");
  }
  Value& input = graph.value(graph.inputs[0]);
  const std::string name = Quoted(input.name);
  if (input.type != ElementType::kFloat) {
    return Fail(ErrorCode::kUnsupported, "the input " + name + " takes integers; export the model with a float input");
  }
  if (!input.shape || (input.shape->size() != 2 && input.shape->size() != 4)) {
    return Fail(ErrorCode::kUnsupported,
                "the input " + name + " has " +
                    (input.shape ? "the shape " + ShapeToString(*input.shape) : std::string("no shape")) +
                    "; kdequant runs networks on one picture (4 axes) or one vector (2 axes)");
  }
  const Shape given = *input.shape;
  Shape& shape = *input.shape;
  if (shape[0] < 1) shape[0] = 1;
  if (shape[0] != 1) {
    return Fail(ErrorCode::kUnsupported,
                "the input " + name + " of " + ShapeToString(given) +
                    " takes several pictures at once; export the model with a batch of 1 or an open one");
  }
  if (shape.size() == 2) {
    if (shape[1] < 1) return Open(name, given, "the length of a vector");
    return {};
  }
  const Reader reader = LookAtReaders(graph, graph.inputs[0]);
  const bool channels_last = reader.channels_last || (shape[1] < 1 && shape[3] >= 1);
  std::int64_t& channels = shape[channels_last ? 3 : 1];
  if (channels < 1) channels = reader.channels;
  if (channels < 1) return Open(name, given, "the number of channels");
  for (std::size_t axis = channels_last ? 1 : 2; axis < (channels_last ? 3U : 4U); ++axis) {
    if (shape[axis] >= 1) continue;
    if (options.default_size < 1) return Open(name, given, "height or width");
    shape[axis] = options.default_size;
  }
  return {};
}

}  // namespace kdequant::model
