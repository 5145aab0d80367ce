// lower_f32.h
// The float lowerings of single operators, behind LowerNodeF32.
//
// Each has two ways: row-major kernels that handle everything and are all that KernelSet::kReference uses, and C4
// kernels for what networks do most. Both give the same bits.
#ifndef KDEQUANT_RUNTIME_LOWER_F32_H_
#define KDEQUANT_RUNTIME_LOWER_F32_H_

#include "kernels/activation_f32.h"
#include "lower.h"

namespace kdequant::runtime {

/// A node on its way to steps, with the questions that every lowering asks.
struct NodeLowering {
  PlanBuilder& builder;
  const Node& node;

  ValueId Input(std::size_t i) const { return i < node.inputs.size() ? node.inputs[i] : kNoValue; }
  ValueId Output() const { return node.outputs[0]; }
  const Shape& InputShape(std::size_t i) const { return builder.ShapeOf(node.inputs[i]); }
  const Shape& OutputShape() const { return builder.ShapeOf(node.outputs[0]); }
  std::ptrdiff_t OutputElements() const;

  /// Whether C4 kernels may be used at all.
  bool Blocked() const { return builder.kernels() != KernelSet::kReference; }
  bool InputIsBlocked(std::size_t i) const { return builder.Find(node.inputs[i], kC4F32) != kNoSlot; }

  /// The input or output as row-major floats.
  SlotId PlainInput(std::size_t i) const { return builder.RequireF32(node.inputs[i], Layout::kPlain); }
  SlotId PlainOutput() const { return builder.NewSlot(node.outputs[0], kPlainF32); }

  /// Applies all of the node's activation to a row-major output, in place.
  void ActivatePlain(SlotId output) const;
  /// Applies what a C4 kernel left to do.
  void ActivateRest(const Epilogue& epilogue, SlotId output) const;
};

void LowerConv(const NodeLowering& lowering, const Conv& op);
void LowerGemm(const NodeLowering& lowering, const Gemm& op);
void LowerMatMul(const NodeLowering& lowering);
void LowerPool(const NodeLowering& lowering, const Pool& op);
void LowerGlobalPool(const NodeLowering& lowering, const GlobalPool& op);
void LowerReduceMean(const NodeLowering& lowering, const ReduceMean& op);

void LowerActivate(const NodeLowering& lowering, const Activate& op);
void LowerPRelu(const NodeLowering& lowering);
void LowerElementwise(const NodeLowering& lowering, const Elementwise& op);
void LowerLrn(const NodeLowering& lowering, const Lrn& op);
void LowerSoftmax(const NodeLowering& lowering, const Softmax& op);

void LowerView(const NodeLowering& lowering);  ///< Reshape and its kin.
void LowerConcat(const NodeLowering& lowering, const Concat& op);
void LowerPad(const NodeLowering& lowering, const Pad& op);
void LowerSlice(const NodeLowering& lowering, const Slice& op);
void LowerSplit(const NodeLowering& lowering, const Split& op);
void LowerTranspose(const NodeLowering& lowering, const Transpose& op);

/// An axis of a file (negative: from the end) as an index.
inline std::size_t AxisIndex(std::int64_t axis, std::size_t rank) {
  return static_cast<std::size_t>(axis < 0 ? axis + static_cast<std::int64_t>(rank) : axis);
}

}  // namespace kdequant::runtime

#endif  // KDEQUANT_RUNTIME_LOWER_F32_H_
