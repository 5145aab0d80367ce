#include "kdequant/onnx/reader.h"

#include <algorithm>
#include <array>
#include <new>
#include <utility>

#include "graph_index.h"
#include "node_context.h"
#include "proto.h"
#include "read_operators.h"
#include "tensor_data.h"

namespace kdequant {
namespace onnx {
namespace {

// Opset 7 brought numpy's broadcasting. Up to 28, operators after 21 gained data types only.
constexpr std::int64_t kOldestOpset = 7;
constexpr std::int64_t kNewestOpset = 28;

constexpr auto kReaders = std::to_array<std::pair<std::string_view, ReadFunction>>({
    {"Conv", ReadConv},
    {"Relu", ReadRelu},
    {"Clip", ReadClip},
    {"Add", ReadAdd},
    {"Mul", ReadMul},
    {"BatchNormalization", ReadBatchNormalization},
    {"Concat", ReadConcat},
    {"Gemm", ReadGemm},
    {"MatMul", ReadMatMul},
    {"MaxPool", ReadMaxPool},
    {"AveragePool", ReadAveragePool},
    {"GlobalAveragePool", ReadGlobalAveragePool},
    {"GlobalMaxPool", ReadGlobalMaxPool},
    {"ReduceMean", ReadReduceMean},
    {"LRN", ReadLrn},
    {"Softmax", ReadSoftmax},
    {"LogSoftmax", ReadLogSoftmax},
    {"LeakyRelu", ReadLeakyRelu},
    {"Elu", ReadElu},
    {"HardSwish", ReadHardSwish},
    {"HardSigmoid", ReadHardSigmoid},
    {"Sigmoid", ReadSigmoid},
    {"Tanh", ReadTanh},
    {"Swish", ReadSwish},
    {"PRelu", ReadPRelu},
    {"Sub", ReadSub},
    {"Div", ReadDiv},
    {"Sum", ReadSum},
    {"Dropout", ReadDropout},
    {"Identity", ReadIdentity},
    {"Reshape", ReadReshape},
    {"Flatten", ReadFlatten},
    {"Squeeze", ReadSqueeze},
    {"Unsqueeze", ReadUnsqueeze},
    {"Pad", ReadPad},
    {"Slice", ReadSlice},
    {"Split", ReadSplit},
    {"Transpose", ReadTranspose},
    {"Shape", ReadShape},
    {"Gather", ReadGather},
    {"Cast", ReadCast},
    {"ConstantOfShape", ReadConstantOfShape},
});

Result<void> CheckModel(const ModelView& model) {
  if (model.opset == 0)
    return Fail(ErrorCode::kBadInput, "the file does not say which opset it uses; export the model again");
  if (model.opset < kOldestOpset || model.opset > kNewestOpset) {
    return Fail(ErrorCode::kUnsupported,
                "the model uses opset " + std::to_string(model.opset) + "; kdequant reads opsets " +
                    std::to_string(kOldestOpset) + " to " + std::to_string(kNewestOpset) +
                    ", so convert it (onnx.version_converter) or export it with another opset");
  }
  if (model.has_sparse) {
    return Fail(ErrorCode::kUnsupported,
                "the model has sparse initializers, which kdequant does not read; export it with dense weights");
  }
  return {};
}

// Why a node cannot be read at all; empty if it can.
std::string Refusal(const ModelView& model, const NodeView& node) {
  if (!node.domain.empty() && node.domain != "ai.onnx") return "of domain " + Quoted(node.domain);
  if (std::ranges::find(model.functions, node.op) != model.functions.end()) return "a function of the file";
  return {};
}

class GraphReader {
 public:
  GraphReader(ModelView model, GraphIndex index, std::size_t file_bytes) {
    state_.model = std::move(model);
    state_.index = std::move(index);
    state_.constants.resize(state_.index.names.size());
    state_.values.assign(state_.index.names.size(), kNoValue);
    // Two 4-bit numbers a byte, each read twice, and room for scalars in small files.
    state_.constant_budget = 4 * file_bytes + (std::size_t{1} << 20);
  }

  Result<Graph> Run() {
    state_.graph.name = state_.model.graph_name;
    state_.graph.opset = state_.model.opset;
    if (auto done = ReadMetadata(); !done) return Forward(done);
    if (auto done = ReadInputs(); !done) return Forward(done);
    for (std::size_t n = 0; n < state_.index.names.size(); ++n) {
      const std::int32_t tensor = state_.index.names[n].tensor;
      if (tensor < 0) continue;
      const TensorView& view = state_.model.tensors[static_cast<std::size_t>(tensor)];
      state_.constants[n] = Constant{.values = &view, .as_float = IsFloatType(view.type)};
    }
    for (const std::int32_t node : state_.index.order) {
      if (auto done = ReadNode(node); !done) return Forward(done);
    }
    if (!unsupported_.empty()) return AllUnsupported();
    return ReadOutputs();
  }

 private:
  Result<void> ReadMetadata() {
    for (const auto& [key, text] : state_.model.metadata) {
      if (key != "kdequant.ranges") {
        state_.graph.metadata[std::string(key)] = text;
        continue;
      }
      auto ranges = ParseRanges(std::string(text));
      if (!ranges) return Forward(ranges);
      state_.graph.ranges = std::move(*ranges);
    }
    return {};
  }

  Result<void> ReadInputs() {
    for (const NameId name : state_.index.inputs) {
      const NameInfo& info = state_.index.names[static_cast<std::size_t>(name)];
      const ValueView& view = state_.model.inputs[static_cast<std::size_t>(info.input)];
      if (!IsFloatType(view.type) && !IsIntegerType(view.type)) {
        return Fail(ErrorCode::kUnsupported, "input " + Quoted(view.name) + " has elements of " +
                                                 DataTypeName(view.type) +
                                                 "; kdequant reads networks of float tensors");
      }
      Value value{.name = std::string(view.name),
                  .type = IsFloatType(view.type) ? ElementType::kFloat : ElementType::kInt,
                  .shape = view.shape,
                  .constant = nullptr};
      const ValueId id = state_.AddValue(std::move(value), view.shape ? static_cast<int>(view.shape->size()) : -1);
      state_.values[static_cast<std::size_t>(name)] = id;
      state_.graph.inputs.push_back(id);
    }
    return {};
  }

  Result<void> ReadNode(std::int32_t number) {
    NodeContext context(state_, number);
    const NodeView& node = context.node();
    std::string refusal = Refusal(state_.model, node);
    if (refusal.empty()) {
      if (!ReadAsConstant(context)) {
        if (const ReadFunction read = FindReader(node.op)) {
          read(context);
        } else {
          refusal = " ";
        }
      }
      if (refusal.empty()) context.Finish();
      if (context.error()) return std::unexpected(*context.error());
      if (context.unsupported()) refusal = "because " + *context.unsupported();
    }
    if (refusal.empty()) return {};
    if (refusal == " ") refusal.clear();
    // Listed at most: enough to see what kind of network it is.
    constexpr std::size_t kListed = 20;
    if (unsupported_count_++ < kListed) {
      if (!unsupported_.empty()) unsupported_ += ", ";
      unsupported_ += Describe(node).substr(5) + (refusal.empty() ? "" : " " + refusal);
    } else {
      ++unlisted_;
    }
    if (first_unsupported_.empty()) first_unsupported_ = NodeName(node);
    context.GiveUp();
    return {};
  }

  std::unexpected<Error> AllUnsupported() const {
    std::string message =
        "kdequant does not support " +
        (unsupported_count_ == 1 ? std::string("a node") : std::to_string(unsupported_count_) + " nodes") +
        " of this model: " + unsupported_;
    if (unlisted_ > 0) message += ", and " + std::to_string(unlisted_) + " more";
    return Fail(ErrorCode::kUnsupported, message + "; simplify the model or export it without them",
                first_unsupported_);
  }

  Result<Graph> ReadOutputs() {
    for (const NameId name : state_.index.outputs) {
      const auto n = static_cast<std::size_t>(name);
      if (state_.constants[n]) {
        return Fail(ErrorCode::kUnsupported, "the graph's output " + Quoted(state_.index.names[n].text) +
                                                 " is a constant: there is nothing to compute");
      }
      // What the file says of the result is a hint, for files that are written again without inferring shapes.
      Value& value = state_.graph.value(state_.values[n]);
      if (!value.shape) value.shape = state_.model.outputs[state_.graph.outputs.size()].shape;
      state_.graph.outputs.push_back(state_.values[n]);
    }
    return std::move(state_.graph);
  }

  ReadState state_;
  std::string unsupported_;
  std::string first_unsupported_;
  std::size_t unsupported_count_ = 0;
  std::size_t unlisted_ = 0;
};

}  // namespace

ReadFunction FindReader(std::string_view op) {
  const auto found = std::ranges::find(kReaders, op, &std::pair<std::string_view, ReadFunction>::first);
  return found == kReaders.end() ? nullptr : found->second;
}

}  // namespace onnx

Result<Graph> ReadOnnx(std::span<const std::uint8_t> bytes) {
  try {
    auto model = onnx::ParseModel(bytes);
    if (!model) return Forward(model);
    if (auto fine = onnx::CheckModel(*model); !fine) return Forward(fine);
    auto index = onnx::IndexGraph(*model);
    if (!index) return Forward(index);
    return onnx::GraphReader(std::move(*model), std::move(*index), bytes.size()).Run();
  } catch (const std::bad_alloc&) {
    return Fail(ErrorCode::kOutOfMemory,
                "the model of " + std::to_string(bytes.size()) + " bytes does not fit into memory");
  }
}

}  // namespace kdequant
