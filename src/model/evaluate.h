// Nodes whose inputs are constants, computed.
#ifndef KDEQUANT_MODEL_EVALUATE_H_
#define KDEQUANT_MODEL_EVALUATE_H_

#include <span>
#include <vector>

#include "kdequant/base/result.h"
#include "kdequant/model/graph.h"

namespace kdequant::model {

/// Whether EvaluateNode can compute the operator: what moves elements, arithmetic on single elements, shape arithmetic.
bool CanEvaluate(const Operator& op);

/// The outputs of a node with the shapes `shapes`, in time linear in what it reads and writes. `inputs` are all present
/// (null only for an optional one) except of Shape, which needs `first_shape` alone: the shape of input 0. A quantized
/// input counts as the floats that it stands for, except that a Reshape which keeps its output channels keeps it
/// quantized. Errors: kBadInput (an index out of range, an integer division by 0).
Result<std::vector<Tensor>> EvaluateNode(const Node& node, std::span<const Tensor* const> inputs,
                                         const Shape& first_shape, std::span<const Shape> shapes);

/// The matrix [columns, rows] of a matrix [rows, columns].
FloatTensor TransposedMatrix(const FloatTensor& matrix);

}  // namespace kdequant::model

#endif  // KDEQUANT_MODEL_EVALUATE_H_
