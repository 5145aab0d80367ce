#include "shape_inference.h"

#include <algorithm>

#include "check_graph.h"
#include "evaluate.h"
#include "fault.h"
#include "kdequant/model/prepare.h"

namespace kdequant {
namespace model {
namespace {

class ShapesOf {
 public:
  explicit ShapesOf(const InferenceContext& context) : context_(context) {}

  using Shapes = Result<std::vector<Shape>>;

  Shapes operator()(const Conv& op) const { return One(ConvShape(op, context_)); }
  Shapes operator()(const Pool& op) const { return One(PoolShape(op, context_)); }
  Shapes operator()(const Reshape& op) const { return One(ReshapeShape(op, context_)); }
  Shapes operator()(const Flatten& op) const { return One(FlattenShape(op, context_)); }
  Shapes operator()(const Squeeze& op) const { return One(SqueezeShape(op, context_)); }
  Shapes operator()(const Unsqueeze& op) const { return One(UnsqueezeShape(op, context_)); }
  Shapes operator()(const Concat& op) const { return One(ConcatShape(op, context_)); }
  Shapes operator()(const Pad& op) const { return One(PadShape(op, context_)); }
  Shapes operator()(const Slice& op) const { return One(SliceShape(op, context_)); }
  Shapes operator()(const Transpose& op) const { return One(TransposeShape(op, context_)); }
  Shapes operator()(const Gather& op) const { return One(GatherShape(op, context_)); }
  Shapes operator()(const Split& op) const { return SplitShapes(op, context_); }
  Shapes operator()(const Activate&) const { return Same(); }
  Shapes operator()(const Cast&) const { return Same(); }
  Shapes operator()(const Identity&) const { return Same(); }

  Shapes operator()(const Gemm& op) const {
    const Shape& a = context_.Input(0);
    const Shape& b = context_.Input(1);
    if (a.size() != 2 || b.size() != 2) {
      return context_.Bad("it multiplies " + ShapeToString(a) + " by " + ShapeToString(b) +
                          ", but both must have 2 axes");
    }
    const std::int64_t depth = a[op.trans_a ? 0 : 1];
    const std::int64_t other_depth = b[op.trans_b ? 1 : 0];
    if (depth != other_depth) {
      return context_.Bad("it multiplies " + ShapeToString(a) + " by " + ShapeToString(b) + ": " +
                          std::to_string(depth) + " columns do not meet " + std::to_string(other_depth) + " rows");
    }
    const Shape shape{a[op.trans_a ? 1 : 0], b[op.trans_b ? 0 : 1]};
    if (context_.Has(2)) {
      const auto sum = BroadcastShape(context_.Input(2), shape);
      if (!sum || *sum != shape) {
        return context_.Bad("its bias of " + ShapeToString(context_.Input(2)) + " cannot be added to its product of " +
                            ShapeToString(shape));
      }
    }
    return Shapes({shape});
  }

  Shapes operator()(const MatMul&) const {
    Shape a = context_.Input(0);
    Shape b = context_.Input(1);
    const auto no = [&] {
      return context_.Bad("it cannot multiply " + ShapeToString(context_.Input(0)) + " by " +
                          ShapeToString(context_.Input(1)));
    };
    if (a.empty() || b.empty()) return no();
    // A vector counts as a row on the left and as a column on the right; the axis that it is given goes away again.
    const bool row = a.size() == 1;
    const bool column = b.size() == 1;
    if (row) a.insert(a.begin(), 1);
    if (column) b.push_back(1);
    if (a.back() != b[b.size() - 2]) return no();
    auto shape = BroadcastShape({a.begin(), a.end() - 2}, {b.begin(), b.end() - 2});
    if (!shape) return no();
    if (!row) shape->push_back(a[a.size() - 2]);
    if (!column) shape->push_back(b.back());
    return Shapes({std::move(*shape)});
  }

  Shapes operator()(const BatchNormalization&) const {
    const Shape& x = context_.Input(0);
    if (x.size() < 2) return context_.Bad("its input of " + ShapeToString(x) + " has no channels");
    for (std::size_t i = 1; i < 5; ++i) {
      if (context_.Input(i) != Shape{x[1]}) {
        return context_.Bad("its input has " + std::to_string(x[1]) + " channels, but its parameter " +
                            Quoted(context_.graph.value(context_.node.inputs[i]).name) + " is " +
                            ShapeToString(context_.Input(i)));
      }
    }
    return Same();
  }

  Shapes operator()(const PRelu&) const {
    const auto shape = BroadcastShape(context_.Input(0), context_.Input(1));
    if (!shape || *shape != context_.Input(0)) {
      return context_.Bad("its slope of " + ShapeToString(context_.Input(1)) + " does not fit its input of " +
                          ShapeToString(context_.Input(0)));
    }
    return Same();
  }

  Shapes operator()(const Elementwise&) const {
    auto shape = BroadcastShape(context_.Input(0), context_.Input(1));
    if (!shape) {
      return context_.Bad("its inputs are " + ShapeToString(context_.Input(0)) + " and " +
                          ShapeToString(context_.Input(1)) + ": where lengths differ, one of them must be 1");
    }
    return Shapes({std::move(*shape)});
  }

  Shapes operator()(const GlobalPool&) const {
    Shape shape = context_.Input(0);
    if (shape.size() != 4) {
      return context_.Bad("its input is " + ShapeToString(shape) + " but must have 4 axes (2-D pooling)");
    }
    shape[2] = shape[3] = 1;
    return Shapes({std::move(shape)});
  }

  Shapes operator()(const ReduceMean& op) const {
    const Shape& x = context_.Input(0);
    std::vector<bool> reduced(x.size(), op.axes.empty());
    for (const std::int64_t axis : op.axes) {
      const auto position = NormalizedAxis(axis, x.size());
      if (!position || reduced[*position]) {
        return context_.Bad("its axis " + std::to_string(axis) + " does not exist in " + ShapeToString(x) +
                            " or is listed twice");
      }
      reduced[*position] = true;
    }
    Shape shape;
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (!reduced[i]) shape.push_back(x[i]);
      if (reduced[i] && op.keep_dimensions) shape.push_back(1);
    }
    return Shapes({std::move(shape)});
  }

  Shapes operator()(const Lrn& op) const {
    const Shape& x = context_.Input(0);
    if (x.size() < 2) return context_.Bad("its input of " + ShapeToString(x) + " has no channels");
    if (op.size < 1) return context_.Bad("its size is " + std::to_string(op.size));
    return Same();
  }

  Shapes operator()(const Softmax& op) const {
    const Shape& x = context_.Input(0);
    // Over all axes from `axis` on, that one may be the rank: then every element is alone.
    const bool beyond = op.flatten && op.axis == static_cast<std::int64_t>(x.size());
    if (!beyond && !NormalizedAxis(op.axis, x.size())) {
      return context_.Bad("its axis " + std::to_string(op.axis) + " does not exist in its input of " +
                          ShapeToString(x));
    }
    return Same();
  }

  Shapes operator()(const ShapeQuery&) const {
    return Shapes({Shape{static_cast<std::int64_t>(context_.Input(0).size())}});
  }

  Shapes operator()(const ConstantOfShape&) const {
    const IntTensor* shape = context_.KnownInts(0);
    if (shape == nullptr || shape->shape.size() != 1) {
      return Fault(ErrorCode::kUnsupported, context_.node,
                   "its shape depends on the data; export the model with a fixed shape");
    }
    return Shapes({shape->values});
  }

 private:
  Shapes Same() const { return Shapes({context_.Input(0)}); }

  static Shapes One(Result<Shape> shape) {
    if (!shape) return Forward(shape);
    return Shapes({std::move(*shape)});
  }

  const InferenceContext& context_;
};

// The element type of a node's results, or nothing where its inputs' types make no sense.
std::optional<ElementType> ResultType(const Graph& graph, const Node& node) {
  const auto type = [&](std::size_t i) { return graph.value(node.inputs[i]).type; };
  const auto is_int = [&](std::size_t i) { return type(i) == ElementType::kInt; };
  const auto all_equal = [&] {
    return std::ranges::all_of(node.inputs, [&](ValueId id) { return graph.value(id).type == type(0); });
  };
  const auto all_float = [&] {
    return std::ranges::all_of(
        node.inputs, [&](ValueId id) { return id == kNoValue || graph.value(id).type == ElementType::kFloat; });
  };
  if (const auto* cast = std::get_if<Cast>(&node.op)) {
    return cast->to == Cast::To::kInt ? ElementType::kInt : ElementType::kFloat;
  }
  if (std::holds_alternative<ShapeQuery>(node.op)) return ElementType::kInt;
  if (const auto* filled = std::get_if<ConstantOfShape>(&node.op)) {
    if (!is_int(0)) return std::nullopt;
    return std::holds_alternative<IntTensor>(filled->value) ? ElementType::kInt : ElementType::kFloat;
  }
  if (std::holds_alternative<Gather>(node.op)) return is_int(1) ? std::optional(type(0)) : std::nullopt;
  if (std::holds_alternative<Reshape>(node.op)) {
    return node.inputs.size() < 2 || node.inputs[1] == kNoValue || is_int(1) ? std::optional(type(0)) : std::nullopt;
  }
  if (std::holds_alternative<Elementwise>(node.op) || std::holds_alternative<Concat>(node.op)) {
    return all_equal() ? std::optional(type(0)) : std::nullopt;
  }
  const bool moves = std::holds_alternative<Flatten>(node.op) || std::holds_alternative<Squeeze>(node.op) ||
                     std::holds_alternative<Unsqueeze>(node.op) || std::holds_alternative<Slice>(node.op) ||
                     std::holds_alternative<Split>(node.op) || std::holds_alternative<Transpose>(node.op) ||
                     std::holds_alternative<Identity>(node.op);
  if (moves) return type(0);
  return all_float() ? std::optional(ElementType::kFloat) : std::nullopt;
}

// Sets shapes and types in one walk over the sorted nodes, computing constants on the way.
class ShapeWalk {
 public:
  ShapeWalk(Graph& graph, FoldingLimits& limits) : graph_(graph), limits_(limits), known_(graph.values.size()) {}

  Result<KnownTensors> Run() {
    for (std::size_t i = 0; i < graph_.values.size(); ++i) {
      Value& value = graph_.values[i];
      if (!value.constant) continue;
      value.shape = ShapeOf(*value.constant);
      known_[i] = value.constant;
    }
    for (const ValueId input : graph_.inputs) {
      const auto& shape = graph_.value(input).shape;
      if (!shape || std::ranges::any_of(*shape, [](std::int64_t d) { return d < 1; })) {
        return Fail(ErrorCode::kBadInput, "the input " + Quoted(graph_.value(input).name) + " has " +
                                              (shape ? "the shape " + ShapeToString(*shape) : std::string("no shape")) +
                                              "; export the model with the sizes of its input");
      }
      if (shape->size() > kMostAxes) {
        return Fail(ErrorCode::kUnsupported, "the input " + Quoted(graph_.value(input).name) + " has more than 8 axes");
      }
      if (const auto count = ElementCount(*shape); !count) return std::unexpected(count.error());
    }
    for (const Node& node : graph_.nodes) {
      if (auto done = Visit(node); !done) return Forward(done);
    }
    return std::move(known_);
  }

 private:
  Result<void> Visit(const Node& node) {
    const auto type = ResultType(graph_, node);
    if (!type) {
      return Fault(ErrorCode::kUnsupported, node, "it works on integers, or on integers and floats together");
    }
    auto shapes = InferNode({graph_, node, known_});
    if (!shapes) return Forward(shapes);
    for (std::size_t i = 0; i < shapes->size(); ++i) {
      Shape& shape = (*shapes)[i];
      if (shape.size() > kMostAxes) {
        return Fault(ErrorCode::kUnsupported, node,
                     "its result has " + std::to_string(shape.size()) + " axes, more than 8");
      }
      if (auto count = ElementCount(shape); !count) {
        return Fault(ErrorCode::kLimit, node, "its result is too large: " + count.error().message);
      }
      Value& value = graph_.value(node.outputs[i]);
      value.type = *type;
      value.shape = std::move(shape);
    }
    if (auto done = Evaluate(node); !done) return done;
    for (const ValueId output : node.outputs) {
      const Shape& shape = *graph_.value(output).shape;
      const bool empty = std::ranges::find(shape, 0) != shape.end();
      if (empty && !known_[static_cast<std::size_t>(output)]) {
        return Fault(ErrorCode::kBadInput, node,
                     "its result of " + ShapeToString(shape) + " is empty; use a larger input");
      }
    }
    return {};
  }

  Result<void> Evaluate(const Node& node) {
    if (!CanEvaluate(node.op)) return {};
    const bool needs_values = !std::holds_alternative<ShapeQuery>(node.op);
    if (needs_values && !std::ranges::all_of(node.inputs, [&](ValueId id) {
          return id == kNoValue || known_[static_cast<std::size_t>(id)] != nullptr;
        })) {
      return {};
    }
    if (std::holds_alternative<Identity>(node.op)) {
      Know(node.outputs[0], known_[static_cast<std::size_t>(node.inputs[0])]);
      return {};
    }
    std::size_t elements = 0;
    for (const ValueId output : node.outputs) elements += ElementCount(*graph_.value(output).shape).value_or(0);
    const bool too_large = elements > limits_.largest;
    // Quantized inputs are widened as a whole, however little is taken of them.
    for (const ValueId id : node.inputs) elements += QuantizedElements(id);
    const bool too_many = too_large || elements > limits_.total;
    if (too_many && !limits_.must_fold) return {};
    if (too_many) {
      return Fault(ErrorCode::kLimit, node,
                   "it computes a constant of " + std::to_string(elements) +
                       " elements, more than kdequant computes beforehand; simplify the model "
                       "(for example with onnxsim)");
    }
    limits_.total -= elements;
    std::vector<const Tensor*> inputs;
    for (const ValueId id : node.inputs) {
      inputs.push_back(id == kNoValue ? nullptr : known_[static_cast<std::size_t>(id)].get());
    }
    std::vector<Shape> shapes;
    for (const ValueId output : node.outputs) shapes.push_back(*graph_.value(output).shape);
    auto results = EvaluateNode(node, inputs, *graph_.value(node.inputs[0]).shape, shapes);
    if (!results) return Forward(results);
    for (std::size_t i = 0; i < results->size(); ++i) {
      Know(node.outputs[i], std::make_shared<const Tensor>(std::move((*results)[i])));
    }
    return {};
  }

  std::size_t QuantizedElements(ValueId id) const {
    if (id == kNoValue) return 0;
    const auto& tensor = known_[static_cast<std::size_t>(id)];
    if (!tensor || std::holds_alternative<FloatTensor>(*tensor) || std::holds_alternative<IntTensor>(*tensor)) return 0;
    return ElementCount(ShapeOf(*tensor)).value_or(0);
  }

  void Know(ValueId id, std::shared_ptr<const Tensor> tensor) {
    known_[static_cast<std::size_t>(id)] = std::move(tensor);
  }

  Graph& graph_;
  FoldingLimits& limits_;
  KnownTensors known_;
};

}  // namespace

const IntTensor* InferenceContext::KnownInts(std::size_t i) const {
  if (!Has(i)) return nullptr;
  const auto& tensor = known[static_cast<std::size_t>(node.inputs[i])];
  return tensor ? std::get_if<IntTensor>(tensor.get()) : nullptr;
}

std::unexpected<Error> InferenceContext::Bad(std::string_view text) const {
  return Fault(ErrorCode::kBadInput, node, text);
}

Result<std::vector<Shape>> InferNode(const InferenceContext& context) {
  return std::visit(ShapesOf(context), context.node.op);
}

Result<KnownTensors> InferShapesAndConstants(Graph& graph, FoldingLimits& limits) {
  return ShapeWalk(graph, limits).Run();
}

std::optional<std::size_t> NormalizedAxis(std::int64_t axis, std::size_t rank) {
  const auto length = static_cast<std::int64_t>(rank);
  if (axis < -length || axis >= length) return std::nullopt;
  return static_cast<std::size_t>(axis < 0 ? axis + length : axis);
}

std::optional<Shape> BroadcastShape(const Shape& a, const Shape& b) {
  const Shape& longer = a.size() >= b.size() ? a : b;
  const Shape& shorter = a.size() >= b.size() ? b : a;
  Shape shape = longer;
  const std::size_t offset = longer.size() - shorter.size();
  for (std::size_t i = 0; i < shorter.size(); ++i) {
    std::int64_t& length = shape[offset + i];
    if (length == 1) {
      length = shorter[i];
    } else if (shorter[i] != 1 && shorter[i] != length) {
      return std::nullopt;
    }
  }
  return shape;
}

}  // namespace model

Result<void> InferShapes(Graph& graph) {
  if (auto done = model::CheckGraph(graph); !done) return done;
  // Enough for what shapes are computed from.
  constexpr std::size_t kShapeArithmetic = 4096;
  model::FoldingLimits limits{.largest = kShapeArithmetic, .total = std::size_t{1} << 24};
  auto known = model::InferShapesAndConstants(graph, limits);
  if (!known) return Forward(known);
  return {};
}

}  // namespace kdequant
