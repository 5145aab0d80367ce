// kdequant/onnx/reader.h
// ONNX bytes to a graph.
#ifndef KDEQUANT_ONNX_READER_H_
#define KDEQUANT_ONNX_READER_H_

#include <cstdint>
#include <span>

#include "kdequant/base/result.h"
#include "kdequant/model/graph.h"

namespace kdequant {

/// Reads a ModelProto (opset 7 to 21 and newer where the operators did not change), float or quantized by us: the chain
/// Cast -> Gather -> [Mul] of a codebook weight becomes a CodebookTensor constant, and DequantizeLinear of an INT8
/// initializer with zero point 0 and scales along axis 0 an Int8Tensor constant. Any bytes may come in: no crash, no
/// unbounded memory, time linear in the file.
///
/// Errors: kBadInput (truncated or not ONNX, a cycle, an undefined or doubly defined name, a tensor whose bytes do not
/// match its shape), kUnsupported (operators, opsets, data types, external data: all unsupported nodes are named in one
/// sentence), kNotFinite is left to Prepare. Each names the node or tensor.
Result<Graph> ReadOnnx(std::span<const std::uint8_t> bytes);

}  // namespace kdequant

#endif  // KDEQUANT_ONNX_READER_H_
