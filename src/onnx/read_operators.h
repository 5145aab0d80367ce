// One function an ONNX operator: from any of its versions to the one form of kdequant/model/operators.h.
#ifndef KDEQUANT_ONNX_READ_OPERATORS_H_
#define KDEQUANT_ONNX_READ_OPERATORS_H_

#include <string_view>

#include "node_context.h"

namespace kdequant::onnx {

using ReadFunction = void (*)(NodeContext&);

/// Null for an operator that kdequant does not read.
ReadFunction FindReader(std::string_view op);

/// Remembers a node as an expression over constants if it is one: Constant, Identity or Cast of a constant, and the
/// nodes of quantized weights. Returns false, and has done nothing, for any other node.
bool ReadAsConstant(NodeContext& context);

// read_layers.cpp: what multiplies, pools or normalizes.
void ReadConv(NodeContext& context);
void ReadGemm(NodeContext& context);
void ReadMatMul(NodeContext& context);
void ReadBatchNormalization(NodeContext& context);
void ReadMaxPool(NodeContext& context);
void ReadAveragePool(NodeContext& context);
void ReadGlobalAveragePool(NodeContext& context);
void ReadGlobalMaxPool(NodeContext& context);
void ReadReduceMean(NodeContext& context);
void ReadLrn(NodeContext& context);
void ReadSoftmax(NodeContext& context);
void ReadLogSoftmax(NodeContext& context);

// read_elementwise.cpp: what works on each element by itself, or not at all.
void ReadRelu(NodeContext& context);
void ReadClip(NodeContext& context);
void ReadLeakyRelu(NodeContext& context);
void ReadElu(NodeContext& context);
void ReadHardSwish(NodeContext& context);
void ReadHardSigmoid(NodeContext& context);
void ReadSigmoid(NodeContext& context);
void ReadTanh(NodeContext& context);
void ReadSwish(NodeContext& context);
void ReadPRelu(NodeContext& context);
void ReadAdd(NodeContext& context);
void ReadSub(NodeContext& context);
void ReadMul(NodeContext& context);
void ReadDiv(NodeContext& context);
void ReadSum(NodeContext& context);
void ReadDropout(NodeContext& context);
void ReadIdentity(NodeContext& context);

// read_shapes.cpp: what moves elements, and arithmetic on shapes.
void ReadConcat(NodeContext& context);
void ReadReshape(NodeContext& context);
void ReadFlatten(NodeContext& context);
void ReadSqueeze(NodeContext& context);
void ReadUnsqueeze(NodeContext& context);
void ReadPad(NodeContext& context);
void ReadSlice(NodeContext& context);
void ReadSplit(NodeContext& context);
void ReadTranspose(NodeContext& context);
void ReadShape(NodeContext& context);
void ReadGather(NodeContext& context);
void ReadCast(NodeContext& context);
void ReadConstantOfShape(NodeContext& context);

}  // namespace kdequant::onnx

#endif  // KDEQUANT_ONNX_READ_OPERATORS_H_
