// Shapes behind sliding windows, as ONNX Runtime computes them.
#include <algorithm>

#include "shape_inference.h"

namespace kdequant::model {
namespace {

std::int64_t CeilDivide(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

// Kernel with its gaps.
std::int64_t DilatedKernel(const Window& window, std::size_t axis) {
  return window.dilations[axis] * (window.kernel[axis] - 1) + 1;
}

// Empty if the window makes sense.
std::string WindowFault(const Window& window) {
  const auto out_of_range = [](std::int64_t v) { return v < 1 || v > kLargestExtent; };
  if (std::ranges::any_of(window.kernel, out_of_range)) return "its kernel is smaller than 1 or beyond 2^31";
  if (std::ranges::any_of(window.strides, out_of_range)) return "its stride is smaller than 1 or beyond 2^31";
  if (std::ranges::any_of(window.dilations, out_of_range)) return "its dilation is smaller than 1 or beyond 2^31";
  if (std::ranges::any_of(window.pads, [](std::int64_t v) { return v < 0 || v > kLargestExtent; })) {
    return "its padding is negative or beyond 2^31";
  }
  return {};
}

// Positions of the window along both axes of `plane`.
Result<std::array<std::int64_t, 2>> WindowPositions(const Window& window, std::array<std::int64_t, 2> plane,
                                                    bool ceil_mode, const InferenceContext& context) {
  if (const std::string fault = WindowFault(window); !fault.empty()) return context.Bad(fault);
  const auto pads = ResolvedPads(window, plane[0], plane[1]);
  std::array<std::int64_t, 2> positions{};
  for (std::size_t axis = 0; axis < 2; ++axis) {
    const std::int64_t begin = pads[axis];
    const std::int64_t room = plane[axis] + begin + pads[axis + 2] - DilatedKernel(window, axis);
    const std::int64_t stride = window.strides[axis];
    if (room < 0) {
      return context.Bad("its window of " + ShapeToString({DilatedKernel(window, 0), DilatedKernel(window, 1)}) +
                         " is larger than its padded input of " +
                         ShapeToString({plane[0] + pads[0] + pads[2], plane[1] + pads[1] + pads[3]}) +
                         "; use a larger input");
    }
    positions[axis] = room / stride + 1;
    if (ceil_mode) {
      positions[axis] = CeilDivide(room, stride) + 1;
      // The last window must begin inside the image or the padding before it (onnx/onnx#5741).
      if ((positions[axis] - 1) * stride >= plane[axis] + begin) --positions[axis];
    }
  }
  return positions;
}

}  // namespace

std::array<std::int64_t, 4> ResolvedPads(const Window& window, std::int64_t height, std::int64_t width) {
  if (window.auto_pad == AutoPad::kExplicit) return window.pads;
  std::array<std::int64_t, 4> pads{};
  if (window.auto_pad == AutoPad::kValid) return pads;
  const std::array<std::int64_t, 2> plane{height, width};
  for (std::size_t axis = 0; axis < 2; ++axis) {
    // As many positions as the stride fits into the image, begun ones included.
    const std::int64_t positions = CeilDivide(plane[axis], window.strides[axis]);
    const std::int64_t missing =
        std::max<std::int64_t>(0, (positions - 1) * window.strides[axis] + DilatedKernel(window, axis) - plane[axis]);
    const std::int64_t smaller = missing / 2;
    pads[axis] = window.auto_pad == AutoPad::kSameUpper ? smaller : missing - smaller;
    pads[axis + 2] = missing - pads[axis];
  }
  return pads;
}

Result<Shape> ConvShape(const Conv& conv, const InferenceContext& context) {
  const Shape& x = context.Input(0);
  const Shape& weight = context.Input(1);
  const std::string shapes = "its input is " + ShapeToString(x) + " and its weight " + ShapeToString(weight);
  if (x.size() != 4 || weight.size() != 4) return context.Bad(shapes + ", but both must have 4 axes (2-D convolution)");
  if (conv.groups < 1 || conv.groups > kLargestExtent) {
    return context.Bad("it has " + std::to_string(conv.groups) + " groups");
  }
  if (weight[1] * conv.groups != x[1] || weight[0] % conv.groups != 0) {
    return context.Bad(shapes + ", which do not fit together with " + std::to_string(conv.groups) +
                       (conv.groups == 1 ? " group" : " groups") + ": the weight takes " +
                       std::to_string(weight[1] * conv.groups) + " channels");
  }
  if (weight[2] != conv.window.kernel[0] || weight[3] != conv.window.kernel[1]) {
    return context.Bad("its kernel of " + ShapeToString({conv.window.kernel[0], conv.window.kernel[1]}) +
                       " contradicts its weight of " + ShapeToString(weight));
  }
  if (context.Has(2) && context.Input(2) != Shape{weight[0]}) {
    return context.Bad("its bias is " + ShapeToString(context.Input(2)) + " but must be " + std::to_string(weight[0]));
  }
  const auto positions = WindowPositions(conv.window, {x[2], x[3]}, false, context);
  if (!positions) return std::unexpected(positions.error());
  return Shape{x[0], weight[0], (*positions)[0], (*positions)[1]};
}

Result<Shape> PoolShape(const Pool& pool, const InferenceContext& context) {
  const Shape& x = context.Input(0);
  if (x.size() != 4) return context.Bad("its input is " + ShapeToString(x) + " but must have 4 axes (2-D pooling)");
  const auto positions = WindowPositions(pool.window, {x[2], x[3]}, pool.ceil_mode, context);
  if (!positions) return std::unexpected(positions.error());
  return Shape{x[0], x[1], (*positions)[0], (*positions)[1]};
}

}  // namespace kdequant::model
