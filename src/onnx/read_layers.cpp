// Operators that multiply, pool or normalize.
#include <algorithm>

#include "read_operators.h"

namespace kdequant::onnx {
namespace {

// No picture or window is larger; sums of such numbers cannot overflow anywhere behind us.
constexpr std::int64_t kLargestExtent = 1 << 20;

template <std::size_t n>
std::array<std::int64_t, n> Extents(NodeContext& context, std::string_view name, std::int64_t smallest,
                                    std::array<std::int64_t, n> fallback) {
  const auto given = context.Ints(name);
  if (!given || (given->empty() && name != "kernel_shape")) return fallback;
  if (given->size() != n) {
    const std::size_t axes = n == 4 ? given->size() / 2 : given->size();
    context.Unsupported("it works on " + std::to_string(axes) + " axes (" + std::string(name) +
                        "), only 2-D windows are supported");
    return fallback;
  }
  std::array<std::int64_t, n> result{};
  for (std::size_t i = 0; i < n; ++i) {
    result[i] = (*given)[i];
    if (result[i] < 0 && smallest == 0) {
      context.Unsupported("it has negative " + std::string(name));
    } else if (result[i] < smallest || result[i] > kLargestExtent) {
      context.Bad(std::string(name) + " of " + std::to_string(result[i]) + " makes no sense");
    }
  }
  return result;
}

// The attributes of a sliding window. `kernel`: from the weight, where there is one.
Window ReadWindow(NodeContext& context, std::optional<std::array<std::int64_t, 2>> kernel) {
  Window window;
  if (!kernel && !context.HasAttribute("kernel_shape"))
    context.Unsupported("it says no kernel_shape and its weight is computed");
  window.kernel = Extents<2>(context, "kernel_shape", 1, kernel.value_or(window.kernel));
  if (kernel && window.kernel != *kernel) context.Bad("kernel_shape contradicts the shape of its weight");
  window.strides = Extents<2>(context, "strides", 1, window.strides);
  window.dilations = Extents<2>(context, "dilations", 1, window.dilations);
  window.pads = Extents<4>(context, "pads", 0, window.pads);
  const auto auto_pad = context.String("auto_pad", "NOTSET");
  if (auto_pad == "SAME_UPPER") {
    window.auto_pad = AutoPad::kSameUpper;
  } else if (auto_pad == "SAME_LOWER") {
    window.auto_pad = AutoPad::kSameLower;
  } else if (auto_pad == "VALID") {
    window.auto_pad = AutoPad::kValid;
  } else if (auto_pad != "NOTSET" && !auto_pad.empty()) {
    context.Bad("auto_pad " + Quoted(auto_pad) + " is not one of ONNX's");
  }
  // ONNX forbids both; where they are, auto_pad counts.
  if (window.auto_pad != AutoPad::kExplicit) window.pads = {};
  return window;
}

void ReadPool(NodeContext& context, Pool pool) {
  pool.window = ReadWindow(context, std::nullopt);
  pool.ceil_mode = context.Int("ceil_mode", 0) != 0;
  context.Emit(pool, {context.Input(0)});
}

void ReadAnySoftmax(NodeContext& context, bool log) {
  const bool flatten = context.opset() < 13;
  context.Emit(Softmax{.axis = context.Int("axis", flatten ? 1 : -1), .log = log, .flatten = flatten},
               {context.Input(0)});
}

}  // namespace

void ReadConv(NodeContext& context) {
  std::optional<std::array<std::int64_t, 2>> kernel;
  if (const Constant* weight = context.InputConstant(1)) {
    const Shape& shape = weight->shape();
    if (shape.size() != 4) {
      return context.Unsupported("its weight has the shape " + ShapeToString(shape) +
                                 ", only 2-D convolutions are supported");
    }
    kernel = {shape[2], shape[3]};
    if (std::ranges::any_of(shape, [](std::int64_t d) { return d < 1 || d > 0x7fffffff; }) ||
        std::max(shape[2], shape[3]) > kLargestExtent) {
      return context.Bad("its weight has the shape " + ShapeToString(shape));
    }
  }
  Conv conv{.window = ReadWindow(context, kernel), .groups = context.Int("group", 1)};
  if (conv.groups < 1 || conv.groups > 0x7fffffff)
    context.Bad("group of " + std::to_string(conv.groups) + " makes no sense");
  context.Emit(conv, {context.Input(0), context.Input(1), context.OptionalInput(2)});
}

void ReadGemm(NodeContext& context) {
  context.Ignore({"broadcast"});
  Gemm gemm{.alpha = context.Float("alpha", 1),
            .beta = context.Float("beta", 1),
            .trans_a = context.Int("transA", 0) != 0,
            .trans_b = context.Int("transB", 0) != 0};
  context.Emit(gemm, {context.Input(0), context.Input(1), context.OptionalInput(2)});
}

void ReadMatMul(NodeContext& context) { context.Emit(MatMul{}, {context.Input(0), context.Input(1)}); }

void ReadBatchNormalization(NodeContext& context) {
  context.Ignore({"momentum", "is_test", "consumed_inputs"});
  if (context.Int("spatial", 1) == 0) return context.Unsupported("it normalizes every element by itself (spatial=0)");
  if (context.Int("training_mode", 0) != 0)
    return context.Unsupported("it is in training mode; export the model for inference");
  context.OnlyOutputsBelow(1, "running mean or variance");
  context.Emit(BatchNormalization{.epsilon = context.Float("epsilon", 1e-5F)},
               {context.Input(0), context.Input(1), context.Input(2), context.Input(3), context.Input(4)});
}

void ReadMaxPool(NodeContext& context) {
  context.Ignore({"storage_order"});  // of the indices, which nobody may use
  context.OnlyOutputsBelow(1, "second output (indices)");
  ReadPool(context, {.kind = Pool::Kind::kMax, .window = {}});
}

void ReadAveragePool(NodeContext& context) {
  ReadPool(context,
           {.kind = Pool::Kind::kAverage, .window = {}, .count_include_pad = context.Int("count_include_pad", 0) != 0});
}

void ReadGlobalAveragePool(NodeContext& context) { context.Emit(GlobalPool{Pool::Kind::kAverage}, {context.Input(0)}); }
void ReadGlobalMaxPool(NodeContext& context) { context.Emit(GlobalPool{Pool::Kind::kMax}, {context.Input(0)}); }

void ReadReduceMean(NodeContext& context) {
  ReduceMean mean{.axes = {}, .keep_dimensions = context.Int("keepdims", 1) != 0};
  if (context.opset() < 18) {
    mean.axes = context.Ints("axes").value_or(std::vector<std::int64_t>{});
  } else {
    const bool nothing_without_axes = context.Int("noop_with_empty_axes", 0) != 0;
    if (context.HasInput(1)) {
      const auto axes = context.IntInput(1, "axes");
      if (!axes) return;
      mean.axes = *axes;
    }
    if (mean.axes.empty() && nothing_without_axes) return context.Emit(Identity{}, {context.Input(0)});
  }
  context.Emit(std::move(mean), {context.Input(0)});
}

void ReadLrn(NodeContext& context) {
  if (!context.HasAttribute("size")) context.Bad("it has no size");
  const Lrn lrn{.size = context.Int("size", 1),
                .alpha = context.Float("alpha", 1e-4F),
                .beta = context.Float("beta", 0.75F),
                .bias = context.Float("bias", 1)};
  if (lrn.size < 1 || lrn.size > kLargestExtent) context.Bad("size of " + std::to_string(lrn.size) + " makes no sense");
  context.Emit(lrn, {context.Input(0)});
}

void ReadSoftmax(NodeContext& context) { ReadAnySoftmax(context, false); }
void ReadLogSoftmax(NodeContext& context) { ReadAnySoftmax(context, true); }

}  // namespace kdequant::onnx
