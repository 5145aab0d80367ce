// Shapes of operators that move elements and compute nothing.
#include <algorithm>
#include <limits>

#include "check_graph.h"
#include "fault.h"
#include "shape_inference.h"

namespace kdequant::model {
namespace {

std::string NoSuchAxis(std::int64_t axis, const Shape& shape) {
  return "its axis " + std::to_string(axis) + " does not exist in its input of " + ShapeToString(shape);
}

// The axes as flags, negative ones counted from the end; nothing if one does not exist or is named twice.
std::optional<std::vector<bool>> AxisFlags(const std::vector<std::int64_t>& axes, std::size_t rank) {
  std::vector<bool> flags(rank, false);
  for (const std::int64_t axis : axes) {
    const auto position = NormalizedAxis(axis, rank);
    if (!position || flags[*position]) return std::nullopt;
    flags[*position] = true;
  }
  return flags;
}

std::string ListToString(const std::vector<std::int64_t>& list) {
  constexpr std::size_t kReadable = 16;
  std::string text = "[";
  for (std::size_t i = 0; i < list.size() && i < kReadable; ++i) text += (i ? ", " : "") + std::to_string(list[i]);
  return text + (list.size() > kReadable ? ", ...]" : "]");
}

}  // namespace

Result<Shape> ReshapeShape(const Reshape& reshape, const InferenceContext& context) {
  const Shape& x = context.Input(0);
  const auto elements = ElementCount(x);
  if (!elements) return context.Bad(elements.error().message);
  if (!context.Has(1)) {
    const auto& target = context.graph.value(context.node.outputs[0]).shape;
    if (!target) return context.Bad("it has no target shape");
    const auto count = ElementCount(*target);
    if (!count || *count != *elements) {
      return context.Bad("its input of " + ShapeToString(x) + " does not fit into " + ShapeToString(*target));
    }
    return *target;
  }
  const IntTensor* target = context.KnownInts(1);
  if (target == nullptr) {
    return Fault(ErrorCode::kUnsupported, context.node,
                 "its target shape depends on the data; export the model with a fixed shape");
  }
  if (target->shape.size() != 1 || target->values.size() > kMostAxes) {
    return context.Bad("its target shape is not a list of at most " + std::to_string(kMostAxes) + " lengths");
  }
  const std::string does_not_fit =
      "its input of " + ShapeToString(x) + " does not fit into the target shape " + ListToString(target->values);
  Shape shape = target->values;
  std::optional<std::size_t> open;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 0 && !reshape.allow_zero) {
      if (i >= x.size()) return context.Bad(does_not_fit);
      shape[i] = x[i];
    } else if (shape[i] == -1 && !open) {
      open = i;
      shape[i] = 1;
    } else if (shape[i] < 0) {
      return context.Bad("its target shape " + ListToString(target->values) + " makes no sense");
    }
  }
  const auto count = ElementCount(shape);
  if (!count) return context.Bad(does_not_fit);
  if (!open) {
    if (*count != *elements) return context.Bad(does_not_fit);
    return shape;
  }
  if (*count == 0 || *elements % *count != 0) return context.Bad(does_not_fit);
  shape[*open] = static_cast<std::int64_t>(*elements / *count);
  return shape;
}

Result<Shape> FlattenShape(const Flatten& flatten, const InferenceContext& context) {
  const Shape& x = context.Input(0);
  // The axis may be the rank: then everything goes to the first.
  const auto rank = static_cast<std::int64_t>(x.size());
  const std::int64_t axis = flatten.axis < 0 ? flatten.axis + rank : flatten.axis;
  if (flatten.axis < -rank || axis < 0 || axis > rank) return context.Bad(NoSuchAxis(flatten.axis, x));
  const auto middle = x.begin() + static_cast<std::ptrdiff_t>(axis);
  const auto outer = ElementCount({x.begin(), middle});
  const auto inner = ElementCount({middle, x.end()});
  if (!outer || !inner) return context.Bad("its input of " + ShapeToString(x) + " is too large");
  return Shape{static_cast<std::int64_t>(*outer), static_cast<std::int64_t>(*inner)};
}

Result<Shape> SqueezeShape(const Squeeze& squeeze, const InferenceContext& context) {
  const Shape& x = context.Input(0);
  const auto flags = AxisFlags(squeeze.axes, x.size());
  if (!flags)
    return context.Bad("its axes " + ListToString(squeeze.axes) + " make no sense for an input of " + ShapeToString(x));
  Shape shape;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const bool removed = squeeze.axes.empty() ? x[i] == 1 : (*flags)[i];
    if (!removed) shape.push_back(x[i]);
    if (removed && x[i] != 1) {
      return context.Bad("it removes axis " + std::to_string(i) + " of " + ShapeToString(x) +
                         ", which is longer than 1");
    }
  }
  return shape;
}

Result<Shape> UnsqueezeShape(const Unsqueeze& unsqueeze, const InferenceContext& context) {
  const Shape& x = context.Input(0);
  const std::size_t rank = x.size() + unsqueeze.axes.size();
  if (rank > kMostAxes) return context.Bad("its result would have " + std::to_string(rank) + " axes, more than 8");
  const auto flags = AxisFlags(unsqueeze.axes, rank);
  if (!flags) {
    return context.Bad("its axes " + ListToString(unsqueeze.axes) + " make no sense for an input of " +
                       ShapeToString(x));
  }
  Shape shape;
  std::size_t next = 0;
  for (std::size_t i = 0; i < rank; ++i) shape.push_back((*flags)[i] ? 1 : x[next++]);
  return shape;
}

Result<Shape> ConcatShape(const Concat& concat, const InferenceContext& context) {
  Shape shape = context.Input(0);
  const auto axis = NormalizedAxis(concat.axis, shape.size());
  if (!axis) return context.Bad(NoSuchAxis(concat.axis, shape));
  for (std::size_t i = 1; i < context.node.inputs.size(); ++i) {
    const Shape& other = context.Input(i);
    const bool fits = other.size() == shape.size() && [&] {
      for (std::size_t d = 0; d < shape.size(); ++d) {
        if (d != *axis && other[d] != shape[d]) return false;
      }
      return true;
    }();
    if (!fits) {
      return context.Bad("its inputs are " + ShapeToString(context.Input(0)) + " and " + ShapeToString(other) +
                         ", which differ in more than axis " + std::to_string(*axis));
    }
    shape[*axis] += other[*axis];
    if (shape[*axis] > kLargestExtent)
      return Fault(ErrorCode::kLimit, context.node, "its result is longer than 2^31 - 1");
  }
  return shape;
}

Result<Shape> PadShape(const Pad& pad, const InferenceContext& context) {
  Shape shape = context.Input(0);
  const std::size_t rank = shape.size();
  if (pad.pads.size() != 2 * rank) {
    return context.Bad("it has " + std::to_string(pad.pads.size()) + " pads for an input of " + ShapeToString(shape));
  }
  for (std::size_t i = 0; i < rank; ++i) {
    for (const std::int64_t amount : {pad.pads[i], pad.pads[rank + i]}) {
      if (amount > kLargestExtent || amount < -kLargestExtent) return context.Bad("its padding is beyond 2^31");
      // A mirror shows every element but the first once.
      const std::int64_t most = pad.mode == Pad::Mode::kReflect ? shape[i] - 1 : kLargestExtent;
      if (amount > most) {
        return context.Bad("it mirrors " + std::to_string(amount) + " elements of an axis that has " +
                           std::to_string(shape[i]));
      }
    }
  }
  const Shape& x = context.Input(0);
  for (std::size_t i = 0; i < rank; ++i) {
    shape[i] += pad.pads[i] + pad.pads[rank + i];
    if (shape[i] < 0) {
      return context.Bad("its negative padding removes more than there is of its input of " + ShapeToString(x));
    }
  }
  return shape;
}

Result<std::vector<SliceRange>> SliceRanges(const Slice& slice, const Shape& shape, const Node& node) {
  const std::size_t count = slice.axes.size();
  if (slice.starts.size() != count || slice.ends.size() != count || slice.steps.size() != count) {
    return Fault(ErrorCode::kBadInput, node, "its starts, ends, axes and steps are not equally many");
  }
  if (!AxisFlags(slice.axes, shape.size())) {
    return Fault(ErrorCode::kBadInput, node,
                 "its axes " + ListToString(slice.axes) + " make no sense for an input of " + ShapeToString(shape));
  }
  std::vector<SliceRange> ranges;
  for (const std::int64_t length : shape) ranges.push_back({0, 1, length});
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t axis = *NormalizedAxis(slice.axes[i], shape.size());
    const std::int64_t length = shape[axis];
    const std::int64_t step = slice.steps[i];
    if (step == 0) return Fault(ErrorCode::kBadInput, node, "it has a step of 0");
    // As ONNX: counted from the end where negative, then clamped to where a walk in this direction may begin and end.
    const auto clamped = [length](std::int64_t position, std::int64_t low, std::int64_t high) {
      return std::clamp(position < 0 ? position + length : position, low, high);
    };
    SliceRange& range = ranges[axis];
    range.step = step;
    std::int64_t distance = 0;
    if (step > 0) {
      range.start = clamped(slice.starts[i], 0, length);
      distance = clamped(slice.ends[i], 0, length) - range.start;
    } else {
      range.start = clamped(slice.starts[i], 0, std::max<std::int64_t>(length - 1, 0));
      // Before the first element: -1, and only a negative end below -length says so.
      distance = range.start - clamped(slice.ends[i], -1, std::max<std::int64_t>(length - 1, -1));
      if (length == 0) distance = 0;
    }
    const std::int64_t stride = step > 0 ? step : (step < -kLargestExtent ? kLargestExtent : -step);
    range.count = distance <= 0 ? 0 : (distance - 1) / stride + 1;
    if (range.count == 0) range.start = 0;
    if (range.count <= 1) range.step = 1;
  }
  return ranges;
}

Result<Shape> SliceShape(const Slice& slice, const InferenceContext& context) {
  auto ranges = SliceRanges(slice, context.Input(0), context.node);
  if (!ranges) return Forward(ranges);
  Shape shape;
  for (const SliceRange& range : *ranges) shape.push_back(range.count);
  return shape;
}

Result<Shape> TransposeShape(const Transpose& transpose, const InferenceContext& context) {
  const Shape& x = context.Input(0);
  if (transpose.permutation.empty()) return Shape(x.rbegin(), x.rend());
  const auto& order = transpose.permutation;
  const bool negative = std::ranges::any_of(order, [](std::int64_t axis) { return axis < 0; });
  if (order.size() != x.size() || negative || !AxisFlags(order, x.size())) {
    return context.Bad("its permutation " + ListToString(order) + " makes no sense for an input of " +
                       ShapeToString(x));
  }
  Shape shape;
  for (const std::int64_t axis : order) shape.push_back(x[static_cast<std::size_t>(axis)]);
  return shape;
}

Result<Shape> GatherShape(const Gather& gather, const InferenceContext& context) {
  const Shape& data = context.Input(0);
  const Shape& indices = context.Input(1);
  const auto axis = NormalizedAxis(gather.axis, data.size());
  if (!axis) return context.Bad(NoSuchAxis(gather.axis, data));
  Shape shape(data.begin(), data.begin() + static_cast<std::ptrdiff_t>(*axis));
  shape.insert(shape.end(), indices.begin(), indices.end());
  shape.insert(shape.end(), data.begin() + static_cast<std::ptrdiff_t>(*axis) + 1, data.end());
  return shape;
}

Result<std::vector<Shape>> SplitShapes(const Split& split, const InferenceContext& context) {
  const Shape& x = context.Input(0);
  const auto axis = NormalizedAxis(split.axis, x.size());
  if (!axis) return context.Bad(NoSuchAxis(split.axis, x));
  const std::size_t parts = context.node.outputs.size();
  const std::int64_t length = x[*axis];
  std::vector<std::int64_t> sizes = split.sizes;
  if (sizes.empty()) {
    // Since opset 18 the last part is shorter where the length is no multiple.
    const auto count = static_cast<std::int64_t>(parts);
    const std::int64_t size = (length + count - 1) / count;
    for (std::int64_t i = 0; i < count; ++i) sizes.push_back(std::clamp<std::int64_t>(length - i * size, 0, size));
  }
  std::int64_t sum = 0;
  for (const std::int64_t size : sizes) {
    if (size < 0 || size > length) sum = std::numeric_limits<std::int32_t>::max();
    sum = std::min<std::int64_t>(sum + size, std::numeric_limits<std::int32_t>::max());
  }
  if (sizes.size() != parts || sum != length) {
    return context.Bad("it splits axis " + std::to_string(*axis) + " of " + ShapeToString(x) + " into " +
                       ListToString(sizes) + " for " + std::to_string(parts) + " outputs");
  }
  std::vector<Shape> shapes(parts, x);
  for (std::size_t i = 0; i < parts; ++i) shapes[i][*axis] = sizes[i];
  return shapes;
}

}  // namespace kdequant::model
