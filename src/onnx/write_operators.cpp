// From the typed operators to nodes of opset 21. Attributes that have ONNX's default are left out.
#include <algorithm>

#include "graph_writer.h"

namespace kdequant::onnx {
namespace {

using Ints = std::vector<std::int64_t>;

template <std::size_t n>
Ints List(const std::array<std::int64_t, n>& values) {
  return {values.begin(), values.end()};
}

// One node, from its operator to the name of what it computes.
class OperatorWriter {
 public:
  OperatorWriter(GraphWriter& writer, const Node& node) : writer_(writer), node_(node) {
    for (const ValueId output : node.outputs) outputs_.push_back(writer.graph().value(output).name);
    if (node.activation) {
      result_ = outputs_.front();
      outputs_.front() = writer.FreshName(result_ + "/pre");
    }
  }

  Result<void> Run() {
    std::visit(*this, node_.op);
    if (node_.activation) WriteActivation(*node_.activation, outputs_.front(), result_, {});
    if (!missing_.empty()) {
      return Fail(ErrorCode::kInternal, "node " + Quoted(node_.name) + " cannot be written: " + missing_, node_.name);
    }
    return {};
  }

  void operator()(const Conv& op) {
    auto attributes = WindowAttributes(op.window, writer_.graph().IsConstant(node_.inputs[1]));
    if (op.groups != 1) attributes.push_back({"group", op.groups});
    Write("Conv", Inputs(), std::move(attributes));
  }

  void operator()(const Gemm& op) {
    std::vector<AttributeOut> attributes;
    if (op.alpha != 1) attributes.push_back({"alpha", op.alpha});
    if (op.beta != 1) attributes.push_back({"beta", op.beta});
    if (op.trans_a) attributes.push_back({"transA", std::int64_t{1}});
    if (op.trans_b) attributes.push_back({"transB", std::int64_t{1}});
    Write("Gemm", Inputs(), std::move(attributes));
  }

  void operator()(const MatMul&) { Write("MatMul", Inputs()); }
  void operator()(const BatchNormalization& op) { Write("BatchNormalization", Inputs(), {{"epsilon", op.epsilon}}); }
  void operator()(const Activate& op) {
    WriteActivation(op.function, writer_.Use(node_.inputs[0]), outputs_.front(), node_.name);
  }
  void operator()(const PRelu&) { Write("PRelu", Inputs()); }

  void operator()(const Elementwise& op) {
    constexpr std::string_view kNames[] = {"Add", "Sub", "Mul", "Div"};
    Write(kNames[static_cast<std::size_t>(op.kind)], Inputs());
  }

  void operator()(const Concat& op) { Write("Concat", Inputs(), {{"axis", op.axis}}); }

  void operator()(const Pool& op) {
    auto attributes = WindowAttributes(op.window, false);
    if (op.ceil_mode) attributes.push_back({"ceil_mode", std::int64_t{1}});
    const bool average = op.kind == Pool::Kind::kAverage;
    if (average && op.count_include_pad) attributes.push_back({"count_include_pad", std::int64_t{1}});
    Write(average ? "AveragePool" : "MaxPool", Inputs(), std::move(attributes));
  }

  void operator()(const GlobalPool& op) {
    Write(op.kind == Pool::Kind::kAverage ? "GlobalAveragePool" : "GlobalMaxPool", Inputs());
  }

  void operator()(const ReduceMean& op) {
    std::vector<AttributeOut> attributes;
    if (!op.keep_dimensions) attributes.push_back({"keepdims", std::int64_t{0}});
    Write("ReduceMean", {Input(), op.axes.empty() ? "" : writer_.UseInts(op.axes)}, std::move(attributes));
  }

  void operator()(const Reshape& op) {
    std::vector<AttributeOut> attributes;
    if (op.allow_zero) attributes.push_back({"allowzero", std::int64_t{1}});
    if (node_.inputs.size() > 1) return Write("Reshape", Inputs(), std::move(attributes));
    // Of a prepared graph: the target is the shape of the result.
    const auto& shape = writer_.graph().value(node_.outputs[0]).shape;
    if (!shape) return Miss("the shape of its result is not known");
    Write("Reshape", {Input(), writer_.UseInts(*shape)}, std::move(attributes));
  }

  void operator()(const Flatten& op) { Write("Flatten", Inputs(), {{"axis", op.axis}}); }
  void operator()(const Squeeze& op) { Write("Squeeze", {Input(), op.axes.empty() ? "" : writer_.UseInts(op.axes)}); }
  void operator()(const Unsqueeze& op) { Write("Unsqueeze", {Input(), writer_.UseInts(op.axes)}); }

  void operator()(const Pad& op) {
    std::vector<AttributeOut> attributes;
    if (op.mode == Pad::Mode::kReflect) attributes.push_back({"mode", std::string_view("reflect")});
    if (op.mode == Pad::Mode::kEdge) attributes.push_back({"mode", std::string_view("edge")});
    Write("Pad", {Input(), writer_.UseInts(op.pads), op.value == 0 ? "" : writer_.UseScalar(op.value)},
          std::move(attributes));
  }

  void operator()(const Slice& op) {
    const bool every = std::ranges::all_of(op.steps, [](std::int64_t step) { return step == 1; });
    Write("Slice", {Input(), writer_.UseInts(op.starts), writer_.UseInts(op.ends), writer_.UseInts(op.axes),
                    every ? "" : writer_.UseInts(op.steps)});
  }

  void operator()(const Split& op) {
    std::vector<AttributeOut> attributes;
    if (op.axis != 0) attributes.push_back({"axis", op.axis});
    if (op.sizes.empty()) attributes.push_back({"num_outputs", static_cast<std::int64_t>(outputs_.size())});
    Write("Split", {Input(), op.sizes.empty() ? "" : writer_.UseInts(op.sizes)}, std::move(attributes));
  }

  void operator()(const Transpose& op) {
    std::vector<AttributeOut> attributes;
    if (!op.permutation.empty()) attributes.push_back({"perm", op.permutation});
    Write("Transpose", Inputs(), std::move(attributes));
  }

  void operator()(const Lrn& op) {
    Write("LRN", Inputs(), {{"size", op.size}, {"alpha", op.alpha}, {"beta", op.beta}, {"bias", op.bias}});
  }

  void operator()(const Softmax& op) {
    const std::string_view name = op.log ? "LogSoftmax" : "Softmax";
    const auto& shape = writer_.graph().value(node_.inputs[0]).shape;
    if (!op.flatten) return Write(name, Inputs(), {{"axis", op.axis}});
    if (shape) {
      const auto rank = static_cast<std::int64_t>(shape->size());
      const std::int64_t axis = op.axis < 0 ? op.axis + rank : op.axis;
      // All axes from `axis` on together are `axis` alone where the others have one element, or where there are none.
      const bool alone = axis >= 0 && axis < rank &&
                         std::all_of(
                             shape->begin() + static_cast<std::ptrdiff_t>(axis) + 1, shape->end(),
                             [](std::int64_t d) { return d == 1; });
      if (alone) return Write(name, Inputs(), {{"axis", axis}});
    }
    const std::string target = TargetOf(shape);
    const std::string flat = writer_.ShortName();
    const std::string soft = writer_.ShortName();
    writer_.WriteNode({.op = "Flatten", .inputs = {Input()}, .outputs = {flat}, .attributes = {{"axis", op.axis}}});
    writer_.WriteNode({.op = name, .inputs = {flat}, .outputs = {soft}});
    Write("Reshape", {soft, target});
  }

  void operator()(const ShapeQuery&) { Write("Shape", Inputs()); }
  void operator()(const Gather& op) {
    std::vector<AttributeOut> attributes;
    if (op.axis != 0) attributes.push_back({"axis", op.axis});
    Write("Gather", Inputs(), std::move(attributes));
  }
  void operator()(const Cast& op) {
    const auto to = op.to == Cast::To::kFloat ? DataType::kFloat : DataType::kInt64;
    Write("Cast", Inputs(), {{"to", static_cast<std::int64_t>(to)}});
  }
  void operator()(const ConstantOfShape& op) { Write("ConstantOfShape", Inputs(), {{"value", &op.value}}); }
  void operator()(const Identity&) { Write("Identity", Inputs()); }

 private:
  std::string Input() { return writer_.Use(node_.inputs[0]); }

  std::vector<std::string> Inputs() {
    std::vector<std::string> names;
    for (const ValueId input : node_.inputs) names.push_back(writer_.Use(input));
    return names;
  }

  void Write(std::string_view op, std::vector<std::string> inputs, std::vector<AttributeOut> attributes = {}) {
    writer_.WriteNode({.op = op,
                       .inputs = std::move(inputs),
                       .outputs = outputs_,
                       .attributes = std::move(attributes),
                       .name = node_.name});
  }

  void Miss(std::string what) { missing_ = std::move(what); }

  static std::vector<AttributeOut> WindowAttributes(const Window& window, bool kernel_is_known) {
    std::vector<AttributeOut> attributes;
    if (!kernel_is_known) attributes.push_back({"kernel_shape", List(window.kernel)});
    const auto is_one = [](std::int64_t v) { return v == 1; };
    if (!std::ranges::all_of(window.strides, is_one)) attributes.push_back({"strides", List(window.strides)});
    if (!std::ranges::all_of(window.dilations, is_one)) attributes.push_back({"dilations", List(window.dilations)});
    switch (window.auto_pad) {
      case AutoPad::kSameUpper: attributes.push_back({"auto_pad", std::string_view("SAME_UPPER")}); break;
      case AutoPad::kSameLower: attributes.push_back({"auto_pad", std::string_view("SAME_LOWER")}); break;
      case AutoPad::kValid: break;  // no pads
      case AutoPad::kExplicit:
        if (std::ranges::any_of(window.pads, [](std::int64_t v) { return v != 0; }))
          attributes.push_back({"pads", List(window.pads)});
        break;
    }
    return attributes;
  }

  // The shape that a flattened tensor gets back: constant where it is known, else the input's.
  std::string TargetOf(const std::optional<Shape>& shape) {
    if (shape && std::ranges::all_of(*shape, [](std::int64_t d) { return d > 0; })) return writer_.UseInts(*shape);
    std::string target = writer_.ShortName();
    writer_.WriteNode({.op = "Shape", .inputs = {Input()}, .outputs = {target}});
    return target;
  }

  void WriteActivation(const Activation& function, const std::string& input, const std::string& output,
                       std::string_view name) {
    NodeOut node{.op = "", .inputs = {input}, .outputs = {output}, .attributes = {}, .name = name};
    switch (function.kind) {
      case Activation::Kind::kRelu: node.op = "Relu"; break;
      case Activation::Kind::kClip:
        node.op = "Clip";
        node.inputs.push_back(function.a == -kInfinity ? "" : writer_.UseScalar(function.a));
        node.inputs.push_back(function.b == kInfinity ? "" : writer_.UseScalar(function.b));
        break;
      case Activation::Kind::kLeakyRelu:
        node.op = "LeakyRelu";
        node.attributes = {{"alpha", function.a}};
        break;
      case Activation::Kind::kElu:
        node.op = "Elu";
        node.attributes = {{"alpha", function.a}};
        break;
      case Activation::Kind::kHardSwish: node.op = "HardSwish"; break;
      case Activation::Kind::kHardSigmoid:
        node.op = "HardSigmoid";
        node.attributes = {{"alpha", function.a}, {"beta", function.b}};
        break;
      case Activation::Kind::kSigmoid: node.op = "Sigmoid"; break;
      case Activation::Kind::kTanh: node.op = "Tanh"; break;
      case Activation::Kind::kSwish: {
        const std::string gate = writer_.ShortName();
        writer_.WriteNode({.op = "Sigmoid", .inputs = {input}, .outputs = {gate}});
        node.op = "Mul";
        node.inputs.push_back(gate);
        break;
      }
    }
    writer_.WriteNode(node);
  }

  GraphWriter& writer_;
  const Node& node_;
  std::vector<std::string> outputs_;
  std::string result_;  // behind the fused activation
  std::string missing_;
};

}  // namespace

Result<void> WriteOperator(GraphWriter& writer, const Node& node) { return OperatorWriter(writer, node).Run(); }

}  // namespace kdequant::onnx
