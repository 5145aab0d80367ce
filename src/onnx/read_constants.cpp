// Constants, and the nodes of which quantized weights are made.
#include <algorithm>
#include <array>

#include "read_operators.h"
#include "tensor_data.h"

namespace kdequant::onnx {
namespace {

using Form = Constant::Form;

Constant Stored(const TensorView& tensor) {
  return {.form = Form::kStored, .values = &tensor, .as_float = IsFloatType(tensor.type)};
}

bool IsStored(const Constant* constant) { return constant != nullptr && constant->form == Form::kStored; }

void ReadConstant(NodeContext& context) {
  const TensorView* tensor = nullptr;
  if (context.HasAttribute("value")) {
    tensor = context.TensorAttribute("value");
    if (tensor == nullptr) return;
    if (tensor->name.empty()) {
      TensorView named = *tensor;
      named.name = NodeName(context.node());
      tensor = context.Own(std::move(named));
    }
  } else {
    TensorView made{.name = NodeName(context.node())};
    if (context.HasAttribute("value_float")) {
      made.type = DataType::kFloat;
      made.floats = {context.Float("value_float", 0)};
    } else if (context.HasAttribute("value_int")) {
      made.type = DataType::kInt64;
      made.int64s = {context.Int("value_int", 0)};
    } else if (context.HasAttribute("value_floats")) {
      made.type = DataType::kFloat;
      made.floats = context.Attribute("value_floats") == nullptr ? std::vector<float>{}
                                                                 : context.Attribute("value_floats")->floats;
      made.dims = {static_cast<std::int64_t>(made.floats.size())};
    } else if (context.HasAttribute("value_ints")) {
      made.type = DataType::kInt64;
      made.int64s = context.Ints("value_ints").value_or(std::vector<std::int64_t>{});
      made.dims = {static_cast<std::int64_t>(made.int64s.size())};
    } else {
      return context.Unsupported("its value is sparse or a string");
    }
    tensor = context.Own(std::move(made));
  }
  context.DefineConstant(Stored(*tensor));
}

// Whether no number of an integer tensor would wrap; long tensors of wide types are not looked through.
bool FitsInt32(const TensorView& tensor) {
  if (tensor.type != DataType::kInt64 && tensor.type != DataType::kUint32) return true;
  if (CheckedCount(tensor).value_or(1 << 20) > 1024) return false;
  const auto integers = ReadInts(tensor);
  return integers &&
         std::ranges::all_of(integers->values, [](std::int64_t v) { return v == static_cast<std::int32_t>(v); });
}

// Casts that keep every number of a stored tensor.
bool ReadExactCast(NodeContext& context) {
  const Constant* input = context.InputConstant(0);
  if (!IsStored(input)) return false;
  const AttributeView* to_attribute = context.Attribute("to");
  const auto to = static_cast<DataType>(to_attribute == nullptr ? 0 : to_attribute->i);
  const DataType from = input->values->type;
  Constant result = *input;
  if (IsFloatType(to)) {
    result.as_float = true;
  } else if (to == DataType::kInt64 || (to == DataType::kInt32 && FitsInt32(*input->values))) {
    if (input->as_float || !IsIntegerType(from) || from == DataType::kUint64) return false;
    result.widened = true;
  } else {
    return false;
  }
  context.Ignore({"saturate", "round_mode"});
  context.DefineConstant(result);
  return true;
}

// A codebook's indices, or those plus the start of each channel's own table.
bool IsIndices(const Constant* constant) {
  if (constant == nullptr || constant->as_float || !constant->widened) return false;
  if (constant->form == Form::kOffset) return true;
  return constant->form == Form::kStored &&
         (constant->values->type == DataType::kUint4 || constant->values->type == DataType::kUint8);
}

bool ReadOffset(NodeContext& context) {
  for (const auto& [indices, offset] : {std::pair{0U, 1U}, std::pair{1U, 0U}}) {
    const Constant* left = context.InputConstant(indices);
    const Constant* right = context.InputConstant(offset);
    if (!IsStored(left) || !IsIndices(left) || !IsStored(right) || right->as_float ||
        !IsPerFirstAxis(*right->values, left->shape()))
      continue;
    Constant result = *left;
    result.form = Form::kOffset;
    result.offset = right->values;
    context.DefineConstant(result);
    return true;
  }
  return false;
}

bool ReadLookup(NodeContext& context) {
  const Constant* table = context.InputConstant(0);
  const Constant* indices = context.InputConstant(1);
  if (!IsStored(table) || !table->as_float || !IsFloatType(table->values->type) || table->shape().size() != 1 ||
      !IsIndices(indices))
    return false;
  const AttributeView* axis = context.Attribute("axis");
  if (axis != nullptr && axis->i != 0 && axis->i != -1) return false;
  Constant result = *indices;
  result.form = Form::kLookup;
  result.table = table->values;
  result.as_float = true;
  context.DefineConstant(result);
  return true;
}

bool ReadScale(NodeContext& context) {
  for (const auto& [lookup, scale] : {std::pair{0U, 1U}, std::pair{1U, 0U}}) {
    const Constant* left = context.InputConstant(lookup);
    const Constant* right = context.InputConstant(scale);
    if (left == nullptr || left->form != Form::kLookup || left->scale != nullptr || !IsStored(right) ||
        !right->as_float)
      continue;
    if (!IsPerFirstAxis(*right->values, left->shape())) continue;
    Constant result = *left;
    result.scale = right->values;
    context.DefineConstant(result);
    return true;
  }
  return false;
}

// The stored tensors behind a node's inputs: value, scale, [zero point].
struct QuantizationParts {
  const TensorView* values = nullptr;
  const TensorView* scale = nullptr;
  const TensorView* zero_point = nullptr;
  std::int64_t axis = 1;
};

std::optional<QuantizationParts> Parts(NodeContext& context) {
  std::array<const TensorView*, 3> parts{};
  for (std::size_t i = 0; i < 3; ++i) {
    if (!context.HasInput(i)) continue;
    const Constant* constant = context.InputConstant(i);
    if (!IsStored(constant)) {
      context.Unsupported("kdequant reads quantized weights, not quantized activations; give it the float model");
      return std::nullopt;
    }
    parts[i] = constant->values;
  }
  if (parts[0] == nullptr || parts[1] == nullptr) {
    context.Bad("its scale is missing");
    return std::nullopt;
  }
  if (context.Int("block_size", 0) != 0) {
    context.Unsupported("it has a scale per block (block_size)");
    return std::nullopt;
  }
  context.Ignore({"saturate", "output_dtype", "precision"});
  return QuantizationParts{parts[0], parts[1], parts[2], context.Int("axis", 1)};
}

void ReadDequantize(NodeContext& context) {
  const auto parts = Parts(context);
  if (!parts) return;
  if (!IsIntegerType(parts->values->type))
    return context.Unsupported("it dequantizes " + DataTypeName(parts->values->type));
  context.DefineConstant({.form = Form::kDequantized,
                          .values = parts->values,
                          .scale = parts->scale,
                          .zero_point = parts->zero_point,
                          .axis = parts->axis,
                          .as_float = true});
}

void ReadQuantize(NodeContext& context) {
  const auto parts = Parts(context);
  if (!parts) return;
  if (parts->zero_point == nullptr && context.HasAttribute("output_dtype") &&
      context.Attribute("output_dtype")->i != static_cast<int>(DataType::kUint8)) {
    return context.Unsupported("its type is told by output_dtype; export it with a zero point");
  }
  if (auto paid = context.state().Spend({parts->values, parts->scale, parts->zero_point}); !paid)
    return context.Failed(std::move(paid.error()));
  auto quantized = Quantize(*parts->values, *parts->scale, parts->zero_point, parts->axis);
  if (!quantized) {
    if (quantized.error().code == ErrorCode::kUnsupported) return context.Unsupported(quantized.error().message);
    return context.Failed(std::move(quantized.error()));
  }
  context.DefineConstant(Stored(*context.Own(std::move(*quantized))));
}

}  // namespace

bool ReadAsConstant(NodeContext& context) {
  const auto op = context.node().op;
  if (op == "Constant") return ReadConstant(context), true;
  if (op == "DequantizeLinear") return ReadDequantize(context), true;
  if (op == "QuantizeLinear") return ReadQuantize(context), true;
  if (op == "Identity" && context.InputConstant(0) != nullptr)
    return context.DefineConstant(*context.InputConstant(0)), true;
  if (op == "Cast") return ReadExactCast(context);
  if (op == "Add") return ReadOffset(context);
  if (op == "Gather") return ReadLookup(context);
  if (op == "Mul") return ReadScale(context);
  return false;
}

}  // namespace kdequant::onnx
