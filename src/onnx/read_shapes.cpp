// Operators that move elements, and arithmetic on shapes.
#include <algorithm>
#include <limits>

#include "read_operators.h"
#include "tensor_data.h"

namespace kdequant::onnx {
namespace {

// Axes, an attribute until opset 12 and an input since; empty where they are left out. Nothing where they cannot be
// had.
std::optional<std::vector<std::int64_t>> ReadAxes(NodeContext& context) {
  if (context.opset() < 13) return context.Ints("axes").value_or(std::vector<std::int64_t>{});
  if (!context.HasInput(1)) return std::vector<std::int64_t>{};
  return context.IntInput(1, "axes");
}

// `pads` for the axes in `axes` as begin and end of every axis.
std::optional<std::vector<std::int64_t>> SpreadPads(NodeContext& context, const std::vector<std::int64_t>& pads,
                                                    const std::vector<std::int64_t>& axes) {
  const int rank = context.InputRank(0);
  if (rank < 0) {
    context.Unsupported(
        "it pads some axes (input axes) of a tensor of unknown rank; export it with pads for every axis");
    return std::nullopt;
  }
  const auto all = static_cast<std::size_t>(rank);
  if (pads.size() != 2 * axes.size()) {
    context.Bad("pads and axes do not fit together");
    return std::nullopt;
  }
  std::vector<std::int64_t> spread(2 * all, 0);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::int64_t axis = axes[i] < 0 ? axes[i] + rank : axes[i];
    if (axis < 0 || axis >= rank) {
      context.Bad("it pads axis " + std::to_string(axes[i]) + " of a tensor with " + std::to_string(rank));
      return std::nullopt;
    }
    spread[static_cast<std::size_t>(axis)] = pads[i];
    spread[all + static_cast<std::size_t>(axis)] = pads[axes.size() + i];
  }
  return spread;
}

// Pads, value and mode of Pad in every version; nothing where they cannot be had.
std::optional<std::vector<std::int64_t>> ReadPads(NodeContext& context, float& value) {
  if (context.opset() < 11) {
    value = context.Float("value", 0);
    const auto pads = context.Ints("pads");
    if (!pads) context.Bad("it has no pads");
    return pads;
  }
  auto pads = context.IntInput(1, "pads");
  if (context.HasInput(2)) value = context.ScalarInput(2, "constant_value").value_or(0);
  if (!pads || !context.HasInput(3)) return pads;
  const auto axes = context.IntInput(3, "axes");
  if (!axes) return std::nullopt;
  return SpreadPads(context, *pads, *axes);
}

}  // namespace

void ReadConcat(NodeContext& context) {
  if (!context.HasAttribute("axis")) context.Bad("it has no axis");
  std::vector<ValueId> inputs;
  for (std::size_t i = 0; i < context.input_count(); ++i) inputs.push_back(context.Input(i));
  if (inputs.empty()) return context.Bad("it has no inputs");
  context.Emit(Concat{context.Int("axis", 1)}, std::move(inputs));
}

void ReadReshape(NodeContext& context) {
  context.Emit(Reshape{.allow_zero = context.Int("allowzero", 0) != 0}, {context.Input(0), context.Input(1)});
}

void ReadFlatten(NodeContext& context) { context.Emit(Flatten{context.Int("axis", 1)}, {context.Input(0)}); }

void ReadSqueeze(NodeContext& context) {
  if (auto axes = ReadAxes(context)) context.Emit(Squeeze{std::move(*axes)}, {context.Input(0)});
}

void ReadUnsqueeze(NodeContext& context) {
  auto axes = ReadAxes(context);
  if (axes && axes->empty()) return context.Bad("it has no axes");
  if (axes) context.Emit(Unsqueeze{std::move(*axes)}, {context.Input(0)});
}

void ReadPad(NodeContext& context) {
  Pad pad;
  const auto mode = context.String("mode", "constant");
  if (mode == "reflect") {
    pad.mode = Pad::Mode::kReflect;
  } else if (mode == "edge") {
    pad.mode = Pad::Mode::kEdge;
  } else if (mode != "constant") {
    return context.Unsupported("its mode " + Quoted(mode) + " is not constant, reflect or edge");
  }
  auto pads = ReadPads(context, pad.value);
  if (!pads) return;
  for (const std::int64_t amount : *pads) {
    if (amount > 1 << 20 || amount < -(1 << 20))
      return context.Bad("it pads by " + std::to_string(amount) + " elements");
  }
  if (pads->size() % 2 != 0) return context.Bad("it has an odd number of pads");
  pad.pads = std::move(*pads);
  context.Emit(std::move(pad), {context.Input(0)});
}

void ReadSlice(NodeContext& context) {
  std::optional<std::vector<std::int64_t>> starts, ends, axes, steps;
  if (context.opset() < 10) {
    starts = context.Ints("starts");
    ends = context.Ints("ends");
    axes = context.Ints("axes");
  } else {
    starts = context.IntInput(1, "starts");
    ends = context.IntInput(2, "ends");
    if (context.HasInput(3) && !(axes = context.IntInput(3, "axes"))) return;
    if (context.HasInput(4) && !(steps = context.IntInput(4, "steps"))) return;
  }
  if (context.unsupported()) return;
  if (!starts || !ends) return context.Bad("it has no starts or ends");
  if (!axes) {
    axes.emplace();
    for (std::size_t i = 0; i < starts->size(); ++i) axes->push_back(static_cast<std::int64_t>(i));
  }
  if (!steps) steps.emplace(starts->size(), 1);
  if (ends->size() != starts->size() || axes->size() != starts->size() || steps->size() != starts->size()) {
    return context.Bad("its starts, ends, axes and steps are not equally many");
  }
  if (std::ranges::find(*steps, 0) != steps->end()) return context.Bad("it has a step of 0");
  context.Emit(Slice{std::move(*starts), std::move(*ends), std::move(*axes), std::move(*steps)}, {context.Input(0)});
}

void ReadSplit(NodeContext& context) {
  Split split{.axis = context.Int("axis", 0), .sizes = {}};
  if (context.opset() < 13) {
    split.sizes = context.Ints("split").value_or(std::vector<std::int64_t>{});
  } else if (context.HasInput(1)) {
    auto sizes = context.IntInput(1, "split");
    if (!sizes) return;
    split.sizes = std::move(*sizes);
  }
  if (context.opset() >= 18 && context.Int("num_outputs", static_cast<std::int64_t>(context.output_count())) !=
                                   static_cast<std::int64_t>(context.output_count())) {
    return context.Bad("num_outputs contradicts its outputs");
  }
  if (!split.sizes.empty() && split.sizes.size() != context.output_count())
    return context.Bad("its split contradicts its outputs");
  std::vector<ValueId> outputs;
  for (std::size_t i = 0; i < context.output_count(); ++i)
    outputs.push_back(context.node().outputs[i].empty() ? context.FreshValue("unused") : context.Output(i));
  if (outputs.empty()) return context.Bad("it has no outputs");
  context.Emit(std::move(split), {context.Input(0)}, std::move(outputs));
}

void ReadTranspose(NodeContext& context) {
  context.Emit(Transpose{context.Ints("perm").value_or(std::vector<std::int64_t>{})}, {context.Input(0)});
}

void ReadShape(NodeContext& context) {
  constexpr std::int64_t kToTheEnd = std::numeric_limits<std::int64_t>::max();
  const std::int64_t start = context.Int("start", 0);
  const std::int64_t end = context.Int("end", kToTheEnd);
  if (start == 0 && end == kToTheEnd) return context.Emit(ShapeQuery{}, {context.Input(0)});
  // Slice counts from the end and clamps as Shape does.
  const ValueId whole = context.FreshValue("whole_shape");
  context.Emit(ShapeQuery{}, {context.Input(0)}, {whole});
  context.Emit(Slice{{start}, {end}, {0}, {1}}, {whole});
}

void ReadGather(NodeContext& context) {
  context.Emit(Gather{context.Int("axis", 0)}, {context.Input(0), context.Input(1)});
}

void ReadCast(NodeContext& context) {
  context.Ignore({"saturate", "round_mode"});  // of 8-bit floats
  const auto to = static_cast<DataType>(context.Int("to", 0));
  // A narrow type would round or wrap; shapes and indices have 32 or 64 bits. Half floats become floats everywhere.
  if (to == DataType::kInt32 || to == DataType::kInt64) return context.Emit(Cast{Cast::To::kInt}, {context.Input(0)});
  if (!IsFloatType(to)) return context.Unsupported("it casts to " + DataTypeName(to));
  if (context.InputType(0) == ElementType::kFloat) return context.Emit(Identity{}, {context.Input(0)});
  context.Emit(Cast{Cast::To::kFloat}, {context.Input(0)});
}

void ReadConstantOfShape(NodeContext& context) {
  if (!context.HasAttribute("value")) {
    return context.Emit(ConstantOfShape{FloatTensor{{1}, {0}}}, {context.Input(0)});
  }
  const TensorView* view = context.TensorAttribute("value");
  if (view == nullptr) return;
  auto value = context.state().EvaluateWithinBudget({.values = view, .as_float = IsFloatType(view->type)}, false);
  if (!value) return context.Failed(std::move(value.error()));
  if (view->dims.size() > 1 || CheckedCount(*view).value_or(0) != 1)
    return context.Bad("its value is not a single number");
  context.Emit(ConstantOfShape{std::move(*value)}, {context.Input(0)});
}

}  // namespace kdequant::onnx
