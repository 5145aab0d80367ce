#include "evaluate.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "fault.h"
#include "shape_inference.h"

namespace kdequant::model {
namespace {

using Tensors = Result<std::vector<Tensor>>;

std::vector<std::int64_t> RowMajorStrides(const Shape& shape) {
  std::vector<std::int64_t> strides(shape.size(), 1);
  for (std::size_t i = shape.size(); i > 1; --i) strides[i - 2] = strides[i - 1] * shape[i - 1];
  return strides;
}

// Visits the elements of `shape` in row-major order, calling body(offset) with an offset that moves by `strides` along
// the axes. A stride of 0 repeats (broadcasting), a negative one walks backwards.
template <typename Body>
void Walk(const Shape& shape, const std::vector<std::int64_t>& strides, std::int64_t offset, Body body) {
  if (std::ranges::find(shape, 0) != shape.end()) return;
  if (shape.empty()) {
    body(offset);
    return;
  }
  const std::size_t last = shape.size() - 1;
  std::vector<std::int64_t> position(shape.size(), 0);
  while (true) {
    for (std::int64_t i = 0; i < shape[last]; ++i) body(offset + i * strides[last]);
    std::size_t axis = last;
    while (true) {
      if (axis == 0) return;
      --axis;
      offset += strides[axis];
      if (++position[axis] < shape[axis]) break;
      offset -= strides[axis] * shape[axis];
      position[axis] = 0;
    }
  }
}

template <typename T>
T CopyView(const T& input, const Shape& shape, const std::vector<std::int64_t>& strides, std::int64_t offset) {
  T result{shape, {}};
  result.values.reserve(ElementCount(shape).value_or(0));
  Walk(shape, strides, offset,
       [&](std::int64_t at) { result.values.push_back(input.values[static_cast<std::size_t>(at)]); });
  return result;
}

// The strides by which a tensor of `from` is read as if it had the shape `to`.
std::vector<std::int64_t> BroadcastStrides(const Shape& from, const Shape& to) {
  const auto own = RowMajorStrides(from);
  std::vector<std::int64_t> strides(to.size(), 0);
  const std::size_t offset = to.size() - from.size();
  for (std::size_t i = 0; i < from.size(); ++i) strides[offset + i] = from[i] == 1 ? 0 : own[i];
  return strides;
}

// ONNX's integers wrap; C++'s must not.
std::int64_t Wrapped(std::uint64_t bits) { return static_cast<std::int64_t>(bits); }

template <typename Number>
Number Arithmetic(Elementwise::Kind kind, Number a, Number b) {
  if constexpr (std::is_integral_v<Number>) {
    const auto ua = static_cast<std::uint64_t>(a);
    const auto ub = static_cast<std::uint64_t>(b);
    switch (kind) {
      case Elementwise::Kind::kAdd: return Wrapped(ua + ub);
      case Elementwise::Kind::kSub: return Wrapped(ua - ub);
      case Elementwise::Kind::kMul: return Wrapped(ua * ub);
      case Elementwise::Kind::kDiv: return b == -1 ? Wrapped(0 - ua) : a / b;
    }
  } else {
    switch (kind) {
      case Elementwise::Kind::kAdd: return a + b;
      case Elementwise::Kind::kSub: return a - b;
      case Elementwise::Kind::kMul: return a * b;
      case Elementwise::Kind::kDiv: return a / b;
    }
  }
  return a;
}

std::int64_t ToInt(float x) {
  if (std::isnan(x)) return 0;
  constexpr float kEdge = 9223372036854775808.0F;  // 2^63
  if (x >= kEdge) return std::numeric_limits<std::int64_t>::max();
  if (x < -kEdge) return std::numeric_limits<std::int64_t>::min();
  return static_cast<std::int64_t>(x);
}

// One node over tensors of one type.
template <typename T>
class Evaluator {
 public:
  Evaluator(const Node& node, std::vector<const T*> inputs, std::span<const Tensor* const> all,
            std::span<const Shape> shapes)
      : node_(node), inputs_(std::move(inputs)), all_(all), shapes_(shapes) {}

  Tensors Run() { return std::visit(*this, node_.op); }

  Tensors operator()(const Reshape&) { return Reshaped(); }
  Tensors operator()(const Flatten&) { return Reshaped(); }
  Tensors operator()(const Squeeze&) { return Reshaped(); }
  Tensors operator()(const Unsqueeze&) { return Reshaped(); }
  Tensors operator()(const Identity&) { return Reshaped(); }

  Tensors operator()(const Cast& cast) {
    const T& x = *inputs_[0];
    if (cast.to == Cast::To::kInt) {
      IntTensor result{x.shape, {}};
      for (const auto v : x.values) {
        if constexpr (std::is_same_v<T, FloatTensor>) {
          result.values.push_back(ToInt(v));
        } else {
          result.values.push_back(v);
        }
      }
      return One(std::move(result));
    }
    FloatTensor result{x.shape, {}};
    for (const auto v : x.values) result.values.push_back(static_cast<float>(v));
    return One(std::move(result));
  }

  Tensors operator()(const Elementwise& op) {
    const T& a = *inputs_[0];
    const T& b = *inputs_[1];
    if constexpr (std::is_same_v<T, IntTensor>) {
      if (op.kind == Elementwise::Kind::kDiv && std::ranges::find(b.values, 0) != b.values.end()) {
        return Fault(ErrorCode::kBadInput, node_, "it divides integers by 0");
      }
    }
    T result = CopyView(a, shapes_[0], BroadcastStrides(a.shape, shapes_[0]), 0);
    std::size_t next = 0;
    Walk(shapes_[0], BroadcastStrides(b.shape, shapes_[0]), 0, [&](std::int64_t at) {
      result.values[next] = Arithmetic(op.kind, result.values[next], b.values[static_cast<std::size_t>(at)]);
      ++next;
    });
    return One(std::move(result));
  }

  Tensors operator()(const Activate& op) {
    if constexpr (std::is_same_v<T, FloatTensor>) {
      FloatTensor result = *inputs_[0];
      for (float& v : result.values) v = Apply(op.function, v);
      return One(std::move(result));
    } else {
      return Fault(ErrorCode::kUnsupported, node_, "it works on integers");
    }
  }

  Tensors operator()(const Transpose& op) {
    const T& x = *inputs_[0];
    const auto own = RowMajorStrides(x.shape);
    std::vector<std::int64_t> strides;
    for (std::size_t i = 0; i < x.shape.size(); ++i) {
      strides.push_back(
          own[op.permutation.empty() ? x.shape.size() - 1 - i : static_cast<std::size_t>(op.permutation[i])]);
    }
    return One(CopyView(x, shapes_[0], strides, 0));
  }

  Tensors operator()(const Slice& op) {
    const T& x = *inputs_[0];
    auto ranges = SliceRanges(op, x.shape, node_);
    if (!ranges) return Forward(ranges);
    auto strides = RowMajorStrides(x.shape);
    std::int64_t offset = 0;
    for (std::size_t i = 0; i < strides.size(); ++i) {
      offset += (*ranges)[i].start * strides[i];
      strides[i] *= (*ranges)[i].step;
    }
    return One(CopyView(x, shapes_[0], strides, offset));
  }

  Tensors operator()(const Split& op) {
    const T& x = *inputs_[0];
    const auto strides = RowMajorStrides(x.shape);
    const std::size_t axis = *NormalizedAxis(op.axis, x.shape.size());
    std::vector<Tensor> results;
    std::int64_t offset = 0;
    for (const Shape& shape : shapes_) {
      results.emplace_back(CopyView(x, shape, strides, offset));
      offset += shape[axis] * strides[axis];
    }
    return results;
  }

  Tensors operator()(const Concat& op) {
    const std::size_t axis = *NormalizedAxis(op.axis, shapes_[0].size());
    const auto inner = [axis](const T& t) {
      return ElementCount({t.shape.begin() + static_cast<std::ptrdiff_t>(axis), t.shape.end()}).value_or(0);
    };
    T result{shapes_[0], {}};
    const std::size_t total = ElementCount(shapes_[0]).value_or(0);
    result.values.reserve(total);
    for (std::size_t outer = 0; result.values.size() < total; ++outer) {
      for (const T* input : inputs_) {
        const std::size_t length = inner(*input);
        const auto begin = input->values.begin() + static_cast<std::ptrdiff_t>(outer * length);
        result.values.insert(result.values.end(), begin, begin + static_cast<std::ptrdiff_t>(length));
      }
    }
    return One(std::move(result));
  }

  Tensors operator()(const Gather& op) {
    const T& data = *inputs_[0];
    const auto& indices = std::get<IntTensor>(*all_[1]);
    const std::size_t axis = *NormalizedAxis(op.axis, data.shape.size());
    const std::int64_t length = data.shape[axis];
    const auto split = data.shape.begin() + static_cast<std::ptrdiff_t>(axis);
    const std::size_t inner = ElementCount({split + 1, data.shape.end()}).value_or(0);
    const std::size_t outer = ElementCount({data.shape.begin(), split}).value_or(0);
    for (const std::int64_t index : indices.values) {
      if (index < -length || index >= length) {
        return Fault(ErrorCode::kBadInput, node_,
                     "its index " + std::to_string(index) + " is beyond its input of " + ShapeToString(data.shape));
      }
    }
    T result{shapes_[0], {}};
    if (inner == 0 || indices.values.empty()) return One(std::move(result));
    result.values.reserve(outer * indices.values.size() * inner);
    for (std::size_t o = 0; o < outer; ++o) {
      for (const std::int64_t index : indices.values) {
        const auto row = static_cast<std::size_t>(index < 0 ? index + length : index);
        const auto begin =
            data.values.begin() + static_cast<std::ptrdiff_t>((o * static_cast<std::size_t>(length) + row) * inner);
        result.values.insert(result.values.end(), begin, begin + static_cast<std::ptrdiff_t>(inner));
      }
    }
    return One(std::move(result));
  }

  template <typename Op>
  Tensors operator()(const Op&) {
    return Fault(ErrorCode::kInternal, node_, "its constant result cannot be computed beforehand");
  }

 private:
  template <typename Any>
  static Tensors One(Any tensor) {
    std::vector<Tensor> results;
    results.emplace_back(std::move(tensor));
    return results;
  }

  Tensors Reshaped() {
    T result = *inputs_[0];
    result.shape = shapes_[0];
    return One(std::move(result));
  }

  const Node& node_;
  std::vector<const T*> inputs_;  // those of the type T, in order
  std::span<const Tensor* const> all_;
  std::span<const Shape> shapes_;
};

bool MovesNothing(const Operator& op) {
  return std::holds_alternative<Reshape>(op) || std::holds_alternative<Flatten>(op) ||
         std::holds_alternative<Squeeze>(op) || std::holds_alternative<Unsqueeze>(op);
}

template <typename T>
std::optional<Tensor> ReshapedWeights(const Tensor& tensor, const Shape& shape) {
  const auto* weights = std::get_if<T>(&tensor);
  if (weights == nullptr || shape.empty() || weights->shape.empty() || weights->shape[0] != shape[0])
    return std::nullopt;
  T result = *weights;
  result.shape = shape;
  return Tensor(std::move(result));
}

Tensor Filled(const Tensor& value, const Shape& shape) {
  const std::size_t count = ElementCount(shape).value_or(0);
  if (const auto* ints = std::get_if<IntTensor>(&value)) {
    return IntTensor{shape, std::vector<std::int64_t>(count, ints->values[0])};
  }
  return FloatTensor{shape, std::vector<float>(count, std::get<FloatTensor>(value).values[0])};
}

}  // namespace

bool CanEvaluate(const Operator& op) {
  return MovesNothing(op) || std::holds_alternative<Identity>(op) || std::holds_alternative<Cast>(op) ||
         std::holds_alternative<Elementwise>(op) || std::holds_alternative<Activate>(op) ||
         std::holds_alternative<Transpose>(op) || std::holds_alternative<Slice>(op) ||
         std::holds_alternative<Split>(op) || std::holds_alternative<Concat>(op) ||
         std::holds_alternative<Gather>(op) || std::holds_alternative<ShapeQuery>(op) ||
         std::holds_alternative<ConstantOfShape>(op);
}

Tensors EvaluateNode(const Node& node, std::span<const Tensor* const> inputs, const Shape& first_shape,
                     std::span<const Shape> shapes) {
  if (std::holds_alternative<ShapeQuery>(node.op)) {
    return std::vector<Tensor>{IntTensor{shapes[0], first_shape}};
  }
  if (const auto* filled = std::get_if<ConstantOfShape>(&node.op)) {
    return std::vector<Tensor>{Filled(filled->value, shapes[0])};
  }
  if (MovesNothing(node.op)) {
    if (auto weights = ReshapedWeights<CodebookTensor>(*inputs[0], shapes[0])) return std::vector{std::move(*weights)};
    if (auto weights = ReshapedWeights<Int8Tensor>(*inputs[0], shapes[0])) return std::vector{std::move(*weights)};
  }
  if (std::holds_alternative<IntTensor>(*inputs[0])) {
    std::vector<const IntTensor*> ints;
    for (const Tensor* input : inputs) {
      if (const auto* tensor = input ? std::get_if<IntTensor>(input) : nullptr) ints.push_back(tensor);
    }
    return Evaluator<IntTensor>(node, std::move(ints), inputs, shapes).Run();
  }
  std::vector<FloatTensor> dequantized;
  dequantized.reserve(inputs.size());  // pointers into it must stay valid
  std::vector<const FloatTensor*> floats;
  for (const Tensor* input : inputs) {
    if (input == nullptr || std::holds_alternative<IntTensor>(*input)) continue;
    if (const auto* tensor = std::get_if<FloatTensor>(input)) {
      floats.push_back(tensor);
      continue;
    }
    auto tensor = Dequantize(*input);
    if (!tensor) return Forward(tensor);
    dequantized.push_back(std::move(*tensor));
    floats.push_back(&dequantized.back());
  }
  return Evaluator<FloatTensor>(node, std::move(floats), inputs, shapes).Run();
}

FloatTensor TransposedMatrix(const FloatTensor& matrix) {
  const std::int64_t rows = matrix.shape[0];
  const std::int64_t columns = matrix.shape[1];
  return CopyView(matrix, {columns, rows}, {1, columns}, 0);
}

}  // namespace kdequant::model
