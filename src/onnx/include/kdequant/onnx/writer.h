// kdequant/onnx/writer.h
// A graph to ONNX bytes that stock ONNX Runtime loads.
#ifndef KDEQUANT_ONNX_WRITER_H_
#define KDEQUANT_ONNX_WRITER_H_

#include <cstdint>
#include <vector>

#include "kdequant/base/result.h"
#include "kdequant/model/graph.h"

namespace kdequant {

/// Writes opset 21, ir_version 10, from the typed graph. A CodebookTensor becomes UINT4 (UINT8 above 4 bits) indices ->
/// Cast -> Gather from a float table (-> Mul by binary16 scales through a Cast); an Int8Tensor becomes INT8 ->
/// DequantizeLinear; a fused activation becomes a node of its own behind a value named "<output>/pre". Deterministic:
/// the same graph gives the same bytes on every build. ReadOnnx and Prepare give the same prepared graph back: indices,
/// codes, steps, scales, ranges and metadata.
Result<std::vector<std::uint8_t>> WriteOnnx(const Graph& graph);

}  // namespace kdequant

#endif  // KDEQUANT_ONNX_WRITER_H_
