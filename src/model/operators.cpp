#include "kdequant/model/operators.h"

namespace kdequant {
namespace {

struct NameOf {
  std::string_view operator()(const Conv&) const { return "Conv"; }
  std::string_view operator()(const Gemm&) const { return "Gemm"; }
  std::string_view operator()(const MatMul&) const { return "MatMul"; }
  std::string_view operator()(const BatchNormalization&) const { return "BatchNormalization"; }
  std::string_view operator()(const Activate& op) const {
    switch (op.function.kind) {
      case Activation::Kind::kRelu: return "Relu";
      case Activation::Kind::kClip: return "Clip";
      case Activation::Kind::kLeakyRelu: return "LeakyRelu";
      case Activation::Kind::kElu: return "Elu";
      case Activation::Kind::kHardSwish: return "HardSwish";
      case Activation::Kind::kHardSigmoid: return "HardSigmoid";
      case Activation::Kind::kSigmoid: return "Sigmoid";
      case Activation::Kind::kTanh: return "Tanh";
      case Activation::Kind::kSwish: return "Swish";
    }
    return "Activation";
  }
  std::string_view operator()(const PRelu&) const { return "PRelu"; }
  std::string_view operator()(const Elementwise& op) const {
    switch (op.kind) {
      case Elementwise::Kind::kAdd: return "Add";
      case Elementwise::Kind::kSub: return "Sub";
      case Elementwise::Kind::kMul: return "Mul";
      case Elementwise::Kind::kDiv: return "Div";
    }
    return "Elementwise";
  }
  std::string_view operator()(const Concat&) const { return "Concat"; }
  std::string_view operator()(const Pool& op) const { return op.kind == Pool::Kind::kMax ? "MaxPool" : "AveragePool"; }
  std::string_view operator()(const GlobalPool& op) const {
    return op.kind == Pool::Kind::kMax ? "GlobalMaxPool" : "GlobalAveragePool";
  }
  std::string_view operator()(const ReduceMean&) const { return "ReduceMean"; }
  std::string_view operator()(const Reshape&) const { return "Reshape"; }
  std::string_view operator()(const Flatten&) const { return "Flatten"; }
  std::string_view operator()(const Squeeze&) const { return "Squeeze"; }
  std::string_view operator()(const Unsqueeze&) const { return "Unsqueeze"; }
  std::string_view operator()(const Pad&) const { return "Pad"; }
  std::string_view operator()(const Slice&) const { return "Slice"; }
  std::string_view operator()(const Split&) const { return "Split"; }
  std::string_view operator()(const Transpose&) const { return "Transpose"; }
  std::string_view operator()(const Lrn&) const { return "LRN"; }
  std::string_view operator()(const Softmax& op) const { return op.log ? "LogSoftmax" : "Softmax"; }
  std::string_view operator()(const ShapeQuery&) const { return "Shape"; }
  std::string_view operator()(const Gather&) const { return "Gather"; }
  std::string_view operator()(const Cast&) const { return "Cast"; }
  std::string_view operator()(const ConstantOfShape&) const { return "ConstantOfShape"; }
  std::string_view operator()(const Identity&) const { return "Identity"; }
};

}  // namespace

std::string_view OperatorName(const Operator& op) { return std::visit(NameOf{}, op); }

}  // namespace kdequant
