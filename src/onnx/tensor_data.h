// The elements of a TensorProto, whichever of its seven fields and thirteen data types hold them.
#ifndef KDEQUANT_ONNX_TENSOR_DATA_H_
#define KDEQUANT_ONNX_TENSOR_DATA_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kdequant/base/result.h"
#include "kdequant/model/tensor.h"
#include "proto.h"

namespace kdequant::onnx {

/// How many elements the tensor holds, once its dimensions, data type and bytes agree; the Read functions below start
/// with it.
///
/// Errors, all naming the tensor: kUnsupported (external data, strings, float8...), kBadInput (a negative dimension,
/// too many or too few bytes), kLimit (more than 2^31 - 1 elements).
Result<std::size_t> CheckedCount(const TensorView& tensor);

/// float32, from any float type (narrowing float64) or integer type.
Result<FloatTensor> ReadFloats(const TensorView& tensor);

/// From any integer type or bool; kUnsupported for floats.
Result<IntTensor> ReadInts(const TensorView& tensor);

/// The elements of an integer tensor of at most 32 bits, for dequantization; kUnsupported for others.
Result<std::vector<std::int32_t>> ReadSmallInts(const TensorView& tensor);

/// How many elements ReadSmallInts would read; its errors. What CopySmallInts needs to have been asked.
Result<std::size_t> CountSmallInts(const TensorView& tensor);

/// The elements from `first` on that `out` has room for: a large tensor in runs, since an int32 a weight would be eight
/// times what a 4-bit file holds.
void CopySmallInts(const TensorView& tensor, std::size_t first, std::span<std::int32_t> out);

/// The bytes of a UINT4 tensor as a CodebookTensor packs them, two elements a byte, the first in the low nibble; empty
/// if the tensor is of another type or in a typed field.
std::span<const std::uint8_t> PackedNibbles(const TensorView& tensor);

/// What messages call it: `tensor "name"`.
std::string Describe(const TensorView& tensor);

}  // namespace kdequant::onnx

#endif  // KDEQUANT_ONNX_TENSOR_DATA_H_
