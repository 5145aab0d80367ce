// Constants of a file, and the expressions over them that stand for quantized weights.
//
// An expression is only remembered while the nodes are read and computed when a node that needs its value turns up: the
// four nodes of a 4-bit weight never become floats unless something other than a Conv or Gemm looks at them.
#ifndef KDEQUANT_ONNX_CONSTANTS_H_
#define KDEQUANT_ONNX_CONSTANTS_H_

#include <cstdint>

#include "kdequant/base/result.h"
#include "kdequant/model/tensor.h"
#include "proto.h"

namespace kdequant::onnx {

struct Constant {
  enum class Form {
    kStored,       ///< values
    kOffset,       ///< values + offset, one offset per index of the first axis
    kLookup,       ///< table[values + offset] * scale, offset and scale absent or per index of the first axis
    kDequantized,  ///< (values - zero_point) * scale, the latter two for the tensor or along `axis`
  };
  Form form = Form::kStored;
  const TensorView* values = nullptr;
  const TensorView* offset = nullptr;
  const TensorView* table = nullptr;
  const TensorView* scale = nullptr;
  const TensorView* zero_point = nullptr;
  std::int64_t axis = 0;
  bool as_float = false;  ///< Whether the result is float; a stored integer tensor may be (a Cast).
  bool widened = false;   ///< Behind a Cast to int32 or int64, so that sums do not wrap.

  /// Every form keeps the shape of its values.
  const Shape& shape() const { return values->dims; }
};

/// Whether `tensor` has the shape [n, 1, 1...] that broadcasts along the first axis of `shape`, n = shape[0].
bool IsPerFirstAxis(const TensorView& tensor, const Shape& shape);

/// The constant's elements: a FloatTensor or an IntTensor; with `as_weight` a CodebookTensor or Int8Tensor where the
/// expression is one exactly. Errors: those of tensor_data.h, and kBadInput (an index outside the table, scales that do
/// not fit).
Result<Tensor> Evaluate(const Constant& constant, bool as_weight);

/// Integers of QuantizeLinear(values, scale, zero point) of `type` (kInt8 or kUint8) as a stored tensor.
Result<TensorView> Quantize(const TensorView& values, const TensorView& scale, const TensorView* zero_point,
                            std::int64_t axis);

}  // namespace kdequant::onnx

#endif  // KDEQUANT_ONNX_CONSTANTS_H_
