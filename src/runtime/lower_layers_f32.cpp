// Convolutions, products and pools.

#include <algorithm>

#include "kernels/conv_f32.h"
#include "kernels/matmul_f32.h"
#include "kernels/normalize_f32.h"
#include "kernels/pool_f32.h"
#include "kernels/winograd_f32.h"
#include "lower_f32.h"

namespace kdequant::runtime {
namespace {

// Weights of a convolution or a bias as floats: the graph's own tensor, or a dequantized one for the time of packing.
std::shared_ptr<const FloatTensor> FloatWeights(const PlanBuilder& builder, ValueId id) {
  const auto constant = builder.graph().value(id).constant;
  if (const auto* floats = std::get_if<FloatTensor>(constant.get())) return {constant, floats};
  return std::make_shared<const FloatTensor>(Dequantize(*constant).value());
}

bool IsConstantOrAbsent(const PlanBuilder& builder, ValueId id) {
  return id == kNoValue || builder.graph().IsConstant(id);
}

// Whether the layer's weights can be packed now.
bool CanPack(const NodeLowering& l) {
  return l.Blocked() && l.builder.graph().IsConstant(l.Input(1)) && IsConstantOrAbsent(l.builder, l.Input(2));
}

void LowerConvPlain(const NodeLowering& l, const ConvGeometry& geometry) {
  const SlotId x = l.PlainInput(0);
  const SlotId weights = l.PlainInput(1);
  const SlotId bias = l.Input(2) == kNoValue ? kNoSlot : l.PlainInput(2);
  const SlotId y = l.PlainOutput();
  std::vector<SlotId> reads{x, weights};
  if (bias != kNoSlot) reads.push_back(bias);
  l.builder.AddStep(reads, {y}, [=](Memory& m) {
    ConvReference(geometry, m.F32(weights), bias == kNoSlot ? nullptr : m.F32(bias), m.F32(x), m.F32(y));
  });
  l.ActivatePlain(y);
}

// Offsets into one block of channels are 32-bit integers.
bool FitsC4(const ConvGeometry& g) {
  constexpr std::ptrdiff_t kMostPixels = std::ptrdiff_t{1} << 28;
  return (g.input.height + std::max<std::ptrdiff_t>(0, g.pads[0] + g.pads[2])) *
             (g.input.width + std::max<std::ptrdiff_t>(0, g.pads[1] + g.pads[3])) <
         kMostPixels;
}

// A 1x1 convolution of one pixel, as squeeze-and-excitation has them, is a matrix-vector product.
bool IsMatrixVector(const ConvGeometry& g) {
  return g.groups == 1 && g.Taps() == 1 && !g.HasPadding() && g.input.Pixels() == 1;
}

}  // namespace

void LowerConv(const NodeLowering& l, const Conv& op) {
  const ConvGeometry geometry = MakeConvGeometry(op.window, op.groups, l.InputShape(0), l.OutputShape());
  if (!CanPack(l) || !IsImage(l.InputShape(0)) || !FitsC4(geometry)) return LowerConvPlain(l, geometry);

  const auto bias = l.Input(2) == kNoValue ? nullptr : FloatWeights(l.builder, l.Input(2));
  const float* bias_values = bias ? bias->values.data() : nullptr;
  const Epilogue epilogue = EpilogueOf(l.node.activation);
  const SlotId x = l.builder.RequireF32(l.Input(0), Layout::kC4);
  const SlotId y = l.builder.NewSlot(l.Output(), kC4F32);
  if (!geometry.IsDepthwise() && IsMatrixVector(geometry)) {
    FullyConnected kernel(geometry.input.channels, geometry.output.channels,
                          *l.builder.graph().value(l.Input(1)).constant, bias_values, epilogue);
    l.builder.AddWeightBytes(kernel.WeightBytes());
    l.builder.AddStep({x}, {y},
                      [=, kernel = std::move(kernel)](Memory& m) { kernel.Run(1, m.F32(x), m.F32(y), m.threads()); });
    return l.ActivateRest(epilogue, y);
  }
  const auto weights = FloatWeights(l.builder, l.Input(1));
  if (geometry.IsDepthwise()) {
    DepthwiseC4 kernel(geometry, weights->values.data(), bias_values, epilogue, l.builder.fused());
    l.builder.AddWeightBytes(kernel.WeightBytes());
    l.builder.AddStep({x}, {y},
                      [=, kernel = std::move(kernel)](Memory& m) { kernel.Run(m.F32(x), m.F32(y), m.threads()); });
  } else {
    const auto add = [&](auto kernel) {
      l.builder.AddWeightBytes(kernel.WeightBytes());
      const SlotId scratch = l.builder.NewScratch(kernel.ScratchBytes(l.builder.threads()));
      l.builder.AddStep({x}, {y, scratch}, [=, kernel = std::move(kernel)](Memory& m) {
        kernel.Run(m.F32(x), m.F32(y), m.Bytes(scratch), m.threads());
      });
    };
    if (l.builder.tiles() && WinogradC4::Pays(geometry)) {
      add(WinogradC4(geometry, weights->values.data(), bias_values, epilogue, l.builder.fused()));
    } else {
      add(ConvC4(geometry, weights->values.data(), bias_values, epilogue, l.builder.fused()));
    }
  }
  l.ActivateRest(epilogue, y);
}

namespace {

void LowerMatMulPlain(const NodeLowering& l, bool trans_b) {
  const SlotId a = l.PlainInput(0);
  const SlotId b = l.PlainInput(1);
  const SlotId c = l.Input(2) == kNoValue ? kNoSlot : l.PlainInput(2);
  const SlotId y = l.PlainOutput();
  std::vector<SlotId> reads{a, b};
  if (c != kNoSlot) reads.push_back(c);
  const MatMulGeneral kernel(l.InputShape(0), l.InputShape(1), trans_b, l.OutputShape(),
                             c == kNoSlot ? nullptr : &l.InputShape(2));
  l.builder.AddStep(reads, {y},
                    [=](Memory& m) { kernel.Run(m.F32(a), m.F32(b), c == kNoSlot ? nullptr : m.F32(c), m.F32(y)); });
  l.ActivatePlain(y);
}

}  // namespace

void LowerGemm(const NodeLowering& l, const Gemm& op) {
  const Shape& output = l.OutputShape();
  const bool vector_bias = l.Input(2) == kNoValue || l.InputShape(2) == Shape{output[1]};
  if (!CanPack(l) || !op.trans_b || !vector_bias) return LowerMatMulPlain(l, op.trans_b);

  const Tensor& weights = *l.builder.graph().value(l.Input(1)).constant;
  const auto bias = l.Input(2) == kNoValue ? nullptr : FloatWeights(l.builder, l.Input(2));
  const Epilogue epilogue = EpilogueOf(l.node.activation);
  const auto rows = static_cast<std::ptrdiff_t>(output[0]);
  FullyConnected kernel(static_cast<std::ptrdiff_t>(ShapeOf(weights)[1]), static_cast<std::ptrdiff_t>(output[1]),
                        weights, bias ? bias->values.data() : nullptr, epilogue);
  l.builder.AddWeightBytes(kernel.WeightBytes());
  const SlotId x = l.PlainInput(0);
  const SlotId y = l.PlainOutput();
  l.builder.AddStep({x}, {y},
                    [=, kernel = std::move(kernel)](Memory& m) { kernel.Run(rows, m.F32(x), m.F32(y), m.threads()); });
  if (epilogue.rest) l.ActivatePlain(y);
}

void LowerMatMul(const NodeLowering& l) { LowerMatMulPlain(l, false); }

void LowerPool(const NodeLowering& l, const Pool& op) {
  const PoolGeometry geometry = MakePoolGeometry(op, l.InputShape(0), l.OutputShape());
  if (!l.Blocked() || !IsImage(l.InputShape(0))) {
    const SlotId x = l.PlainInput(0);
    const SlotId y = l.PlainOutput();
    l.builder.AddStep({x}, {y}, [=](Memory& m) { PoolReference(geometry, m.F32(x), m.F32(y)); });
    return l.ActivatePlain(y);
  }
  const Epilogue epilogue = EpilogueOf(l.node.activation);
  const SlotId x = l.builder.RequireF32(l.Input(0), Layout::kC4);
  const SlotId y = l.builder.NewSlot(l.Output(), kC4F32);
  l.builder.AddStep({x}, {y}, [=](Memory& m) {
    m.threads().Cut(geometry.input.Blocks(), 1,
                    [&](Stretch blocks, int) { PoolC4(geometry, blocks, epilogue, m.F32(x), m.F32(y)); });
  });
  l.ActivateRest(epilogue, y);
}

namespace {

// [1, C, H, W] to [1, C, 1, 1] or [1, C]: one pixel of C4 is plain either way.
void LowerWholeImagePool(const NodeLowering& l, Pool::Kind kind) {
  const Epilogue epilogue = EpilogueOf(l.node.activation);
  const Image image = ImageOf(l.InputShape(0));
  const SlotId x = l.builder.RequireF32(l.Input(0), Layout::kC4);
  const SlotId y = l.builder.NewSlot(l.Output(), IsImage(l.OutputShape()) ? kC4F32 : kPlainF32);
  l.builder.AddStep({x}, {y}, [=](Memory& m) {
    m.threads().Cut(image.Blocks(), 1,
                    [&](Stretch blocks, int) { GlobalPoolC4(kind, image, blocks, epilogue, m.F32(x), m.F32(y)); });
  });
  if (!epilogue.rest) return;
  if (IsImage(l.OutputShape())) return l.ActivateRest(epilogue, y);
  l.ActivatePlain(y);
}

}  // namespace

void LowerGlobalPool(const NodeLowering& l, const GlobalPool& op) {
  if (l.Blocked() && IsImage(l.InputShape(0))) return LowerWholeImagePool(l, op.kind);
  const Image image = ImageOf(l.InputShape(0));
  const std::ptrdiff_t planes = static_cast<std::ptrdiff_t>(l.InputShape(0)[0]) * image.channels;
  const SlotId x = l.PlainInput(0);
  const SlotId y = l.PlainOutput();
  l.builder.AddStep({x}, {y},
                    [=](Memory& m) { GlobalPoolReference(op.kind, planes, image.Pixels(), m.F32(x), m.F32(y)); });
  l.ActivatePlain(y);
}

void LowerReduceMean(const NodeLowering& l, const ReduceMean& op) {
  const Shape& input = l.InputShape(0);
  std::vector<bool> reduced(input.size(), op.axes.empty());
  for (const std::int64_t axis : op.axes) reduced[AxisIndex(axis, input.size())] = true;
  if (l.Blocked() && IsImage(input) && reduced == std::vector<bool>{false, false, true, true}) {
    return LowerWholeImagePool(l, Pool::Kind::kAverage);
  }
  const MeanOverAxes kernel(input, reduced);
  const SlotId x = l.PlainInput(0);
  const SlotId y = l.PlainOutput();
  l.builder.AddStep({x}, {y}, [=](Memory& m) { kernel.Run(m.F32(x), m.F32(y)); });
  l.ActivatePlain(y);
}

}  // namespace kdequant::runtime
