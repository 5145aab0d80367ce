// Operators on each element by itself.
#include <cmath>
#include <limits>

#include "read_operators.h"

namespace kdequant::onnx {
namespace {

void ReadActivation(NodeContext& context, Activation function) {
  if (context.InputType(0) == ElementType::kInt) return context.Unsupported("it works on integers");
  context.Emit(Activate{function}, {context.Input(0)});
}

void ReadElementwise(NodeContext& context, Elementwise::Kind kind) {
  if (context.HasAttribute("broadcast") || context.HasAttribute("axis"))
    return context.Unsupported("it broadcasts as before opset 7");
  context.Emit(Elementwise{kind}, {context.Input(0), context.Input(1)});
}

// A bound of Clip: an attribute until opset 10, an input since.
float ClipBound(NodeContext& context, std::string_view name, std::size_t input, float none) {
  float bound = none;
  if (context.opset() < 11) {
    if (const AttributeView* attribute = context.Attribute(name)) bound = attribute->f;
  } else if (context.HasInput(input)) {
    bound = context.ScalarInput(input, name).value_or(none);
  }
  if (std::isnan(bound)) context.Bad(std::string(name) + " is not a number");
  // The largest float is what exporters write for "no bound".
  return std::fabs(bound) == std::numeric_limits<float>::max() ? std::copysign(kInfinity, bound) : bound;
}

}  // namespace

void ReadRelu(NodeContext& context) { ReadActivation(context, {.kind = Activation::Kind::kRelu}); }

void ReadClip(NodeContext& context) {
  const float low = ClipBound(context, "min", 1, -kInfinity);
  const float high = ClipBound(context, "max", 2, kInfinity);
  ReadActivation(context, {.kind = Activation::Kind::kClip, .a = low, .b = high});
}

void ReadLeakyRelu(NodeContext& context) {
  ReadActivation(context, {.kind = Activation::Kind::kLeakyRelu, .a = context.Float("alpha", 0.01F)});
}
void ReadElu(NodeContext& context) {
  ReadActivation(context, {.kind = Activation::Kind::kElu, .a = context.Float("alpha", 1)});
}
void ReadHardSwish(NodeContext& context) { ReadActivation(context, {.kind = Activation::Kind::kHardSwish}); }
void ReadHardSigmoid(NodeContext& context) {
  ReadActivation(
      context,
      {.kind = Activation::Kind::kHardSigmoid, .a = context.Float("alpha", 0.2F), .b = context.Float("beta", 0.5F)});
}
void ReadSigmoid(NodeContext& context) { ReadActivation(context, {.kind = Activation::Kind::kSigmoid}); }
void ReadTanh(NodeContext& context) { ReadActivation(context, {.kind = Activation::Kind::kTanh}); }

void ReadSwish(NodeContext& context) {
  if (context.Float("alpha", 1) != 1) return context.Unsupported("its alpha is not 1");
  ReadActivation(context, {.kind = Activation::Kind::kSwish});
}

void ReadPRelu(NodeContext& context) { context.Emit(PRelu{}, {context.Input(0), context.Input(1)}); }

void ReadAdd(NodeContext& context) { ReadElementwise(context, Elementwise::Kind::kAdd); }
void ReadSub(NodeContext& context) { ReadElementwise(context, Elementwise::Kind::kSub); }
void ReadMul(NodeContext& context) { ReadElementwise(context, Elementwise::Kind::kMul); }
void ReadDiv(NodeContext& context) { ReadElementwise(context, Elementwise::Kind::kDiv); }

void ReadSum(NodeContext& context) {
  if (context.input_count() < 2) return context.Emit(Identity{}, {context.Input(0)});
  ValueId sum = context.Input(0);
  for (std::size_t i = 1; i < context.input_count(); ++i) {
    const bool last = i + 1 == context.input_count();
    const ValueId term = context.Input(i);
    const ValueId result = last ? context.Output(0) : context.FreshValue("partial_sum");
    context.Emit(Elementwise{Elementwise::Kind::kAdd}, {sum, term}, {result});
    sum = result;
  }
}

void ReadDropout(NodeContext& context) {
  context.Ignore({"ratio", "seed", "is_test"});
  context.OnlyOutputsBelow(1, "mask");
  if (context.HasInput(2) && context.ScalarInput(2, "training_mode").value_or(0) != 0) {
    return context.Unsupported("it is in training mode; export the model for inference");
  }
  context.Emit(Identity{}, {context.Input(0)});
}

void ReadIdentity(NodeContext& context) { context.Emit(Identity{}, {context.Input(0)}); }

}  // namespace kdequant::onnx
