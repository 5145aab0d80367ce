// kdequant/model/operators.h
// What a node can compute: one small struct an operator, attributes already in one canonical form whichever opset they
// came from.
#ifndef KDEQUANT_MODEL_OPERATORS_H_
#define KDEQUANT_MODEL_OPERATORS_H_

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "kdequant/model/tensor.h"

namespace kdequant {

/// As a bound of a clip: none.
inline constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// A function of one number, applied to every element; as a node of its own or fused behind another operator.
struct Activation {
  enum class Kind {
    kRelu,         ///< max(x, 0)
    kClip,         ///< min(max(x, a), b); a and b may be infinite. Relu6 is Clip(0, 6).
    kLeakyRelu,    ///< x >= 0 ? x : a x
    kElu,          ///< x >= 0 ? x : a (e^x - 1)
    kHardSwish,    ///< x max(0, min(1, x / 6 + 1/2))
    kHardSigmoid,  ///< max(0, min(1, a x + b))
    kSigmoid,
    kTanh,
    kSwish,  ///< x sigmoid(x); not an ONNX operator: Mul(x, Sigmoid(x)) is fused to it.
  };
  Kind kind = Kind::kRelu;
  float a = 0;
  float b = 0;
  friend bool operator==(const Activation&, const Activation&) = default;
};

/// How explicit padding is to be found from the input's size; kExplicit once resolved (every prepared graph).
enum class AutoPad { kExplicit, kSameUpper, kSameLower, kValid };

/// A window that slides over height and width: convolutions and pools share it.
struct Window {
  std::array<std::int64_t, 2> kernel{1, 1};  ///< height, width
  std::array<std::int64_t, 2> strides{1, 1};
  std::array<std::int64_t, 2> dilations{1, 1};
  std::array<std::int64_t, 4> pads{0, 0, 0, 0};  ///< top, left, bottom, right
  AutoPad auto_pad = AutoPad::kExplicit;
};

// Image tensors are [N, C, H, W]. Inputs in brackets may be absent (kNoValue).

/// x, weight [OC, C / groups, kh, kw], [bias [OC]].
struct Conv {
  Window window;
  std::int64_t groups = 1;
};

/// a, b, [c]: alpha a' b' + beta c, ' = transposed if told. A prepared graph has alpha = beta = 1 and no trans_a, and
/// wherever b is a constant it has trans_b (b is a weight matrix [N, K]) and c is [N] or absent.
struct Gemm {
  float alpha = 1;
  float beta = 1;
  bool trans_a = false;
  bool trans_b = false;
};

struct MatMul {};

/// x, scale, bias, mean, variance. Gone from a prepared graph, unless nothing before it can take it (then it is Mul and
/// Add).
struct BatchNormalization {
  float epsilon = 1e-5F;
};

struct Activate {
  Activation function;
};

struct PRelu {};  ///< x, slope (broadcast)

/// Two inputs with numpy broadcasting. Sum of n inputs is read as a chain of additions.
struct Elementwise {
  enum class Kind { kAdd, kSub, kMul, kDiv };
  Kind kind = Kind::kAdd;
};

struct Concat {
  std::int64_t axis = 1;
};

struct Pool {
  enum class Kind { kMax, kAverage };
  Kind kind = Kind::kMax;
  Window window;
  bool ceil_mode = false;
  bool count_include_pad = false;
};

/// Over height and width, to [N, C, 1, 1].
struct GlobalPool {
  Pool::Kind kind = Pool::Kind::kAverage;
};

struct ReduceMean {
  std::vector<std::int64_t> axes;  ///< empty: all
  bool keep_dimensions = true;
};

/// x, [target shape]: the second input may be computed from shapes; preparation resolves it. In a prepared graph
/// Flatten, Squeeze and Unsqueeze are Reshape too, with one input, and the output value's shape is the target.
struct Reshape {
  bool allow_zero = false;
};
struct Flatten {
  std::int64_t axis = 1;
};
struct Squeeze {
  std::vector<std::int64_t> axes;  ///< empty: all of length 1
};
struct Unsqueeze {
  std::vector<std::int64_t> axes;
};

struct Pad {
  enum class Mode { kConstant, kReflect, kEdge };
  Mode mode = Mode::kConstant;
  std::vector<std::int64_t> pads;  ///< begin of every axis, then end of every axis
  float value = 0;
};

struct Slice {
  std::vector<std::int64_t> starts, ends, axes, steps;  ///< equally long
};

struct Split {
  std::int64_t axis = 0;
  std::vector<std::int64_t> sizes;  ///< empty: equal parts
};

struct Transpose {
  std::vector<std::int64_t> permutation;  ///< empty: reversed
};

/// Local response normalization across channels.
struct Lrn {
  std::int64_t size = 1;
  float alpha = 1e-4F;
  float beta = 0.75F;
  float bias = 1;
};

struct Softmax {
  std::int64_t axis = -1;
  bool log = false;
  bool flatten = false;  ///< Before opset 13: over all axes from `axis` on together.
};

// Shape arithmetic: folded to constants during preparation.
struct ShapeQuery {};  ///< ONNX Shape (the whole shape of x as int64)
struct Gather {
  std::int64_t axis = 0;
};
struct Cast {
  enum class To { kFloat, kInt };
  To to = To::kFloat;
};
struct ConstantOfShape {
  Tensor value;  ///< one element
};

struct Identity {};

using Operator = std::variant<Conv, Gemm, MatMul, BatchNormalization, Activate, PRelu, Elementwise, Concat, Pool,
                              GlobalPool, ReduceMean, Reshape, Flatten, Squeeze, Unsqueeze, Pad, Slice, Split,
                              Transpose, Lrn, Softmax, ShapeQuery, Gather, Cast, ConstantOfShape, Identity>;

/// The ONNX name: "Conv", "MaxPool", "LeakyRelu"...
std::string_view OperatorName(const Operator& op);

/// The activation of one number, in this project's own arithmetic, the same on every build.
float Apply(const Activation& activation, float x);

}  // namespace kdequant

#endif  // KDEQUANT_MODEL_OPERATORS_H_
