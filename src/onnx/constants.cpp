#include "constants.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <optional>
#include <span>

#include "kdequant/base/half.h"
#include "tensor_data.h"

namespace kdequant::onnx {
namespace {

// How the elements of a tensor fall to the entries of a per-axis parameter: entry of element i is i / inner % length.
struct Axis {
  std::size_t length = 1;
  std::size_t inner = 1;
  std::size_t EntryOf(std::size_t i) const { return i / inner % length; }
};

Axis AxisOf(const Shape& shape, std::size_t axis) {
  Axis result;
  result.length = static_cast<std::size_t>(shape[axis]);
  for (std::size_t d = axis + 1; d < shape.size(); ++d) result.inner *= static_cast<std::size_t>(shape[d]);
  return result;
}

// The axis that `parameter` (a scale) runs along: none for a single number.
Result<Axis> ParameterAxis(const TensorView& values, const TensorView& parameter, std::size_t count,
                           std::int64_t axis) {
  if (count == 1) return Axis{};
  const auto rank = static_cast<std::int64_t>(values.dims.size());
  if (axis < 0) axis += rank;
  if (parameter.dims.size() == 1 && axis >= 0 && axis < rank &&
      values.dims[static_cast<std::size_t>(axis)] == static_cast<std::int64_t>(count)) {
    return AxisOf(values.dims, static_cast<std::size_t>(axis));
  }
  return Fail(ErrorCode::kBadInput, "the scale of " + Describe(values) + " has the shape " +
                                        ShapeToString(parameter.dims) + ", which does not fit " +
                                        ShapeToString(values.dims) + " along axis " + std::to_string(axis) +
                                        "; export the model again");
}

Result<std::vector<std::int32_t>> ZeroPoints(const Constant& constant, std::size_t scales) {
  if (constant.zero_point == nullptr) return std::vector<std::int32_t>(scales, 0);
  auto zero_points = ReadSmallInts(*constant.zero_point);
  if (zero_points && zero_points->size() != scales) {
    return Fail(ErrorCode::kBadInput, "the zero point of " + Describe(*constant.values) + " has " +
                                          std::to_string(zero_points->size()) + " values, its scale " +
                                          std::to_string(scales) + "; export the model again");
  }
  return zero_points;
}

Result<Tensor> Dequantized(const Constant& constant, bool as_weight) {
  const TensorView& values = *constant.values;
  auto integers = ReadSmallInts(values);
  if (!integers) return Forward(integers);
  auto scales = ReadFloats(*constant.scale);
  if (!scales) return Forward(scales);
  auto axis = ParameterAxis(values, *constant.scale, scales->values.size(), constant.axis);
  if (!axis) return Forward(axis);
  auto zero_points = ZeroPoints(constant, scales->values.size());
  if (!zero_points) return Forward(zero_points);

  const bool centred = std::ranges::all_of(*zero_points, [](std::int32_t z) { return z == 0; });
  const bool per_output = axis->length == 1 || (values.dims.size() > 1 && axis->inner == AxisOf(values.dims, 0).inner);
  if (as_weight && values.type == DataType::kInt8 && centred && per_output && values.dims.size() > 1 &&
      !integers->empty()) {
    Int8Tensor result{values.dims, std::vector<std::int8_t>(integers->size()), std::move(scales->values)};
    std::ranges::transform(*integers, result.values.begin(),
                           [](std::int32_t v) { return static_cast<std::int8_t>(v); });
    result.scales.resize(static_cast<std::size_t>(values.dims[0]), result.scales[0]);
    return result;
  }
  FloatTensor result{values.dims, std::vector<float>(integers->size())};
  for (std::size_t i = 0; i < integers->size(); ++i) {
    const std::size_t entry = axis->EntryOf(i);
    const auto centred_value = static_cast<float>(static_cast<std::int64_t>((*integers)[i]) - (*zero_points)[entry]);
    result.values[i] = centred_value * scales->values[entry];
  }
  return result;
}

// One table of levels as codes * step, or nothing where no step gives every level exactly.
//
// Ours have a largest code of at most 63 (up to 16 levels) or of 127; other divisors are tried so that a table whose
// extreme codes were never needed is still read as what it is. The step must have at most 17 significant bits: then
// 7-bit codes times it are exact, and a chance hit is excluded.
struct IntegerTable {
  std::vector<std::int8_t> codes;
  float step = 1;
};

std::optional<IntegerTable> FindIntegers(std::span<const float> levels) {
  IntegerTable table{std::vector<std::int8_t>(levels.size(), 0), 1};
  if (!std::ranges::is_sorted(levels)) return std::nullopt;
  const float largest = std::max(std::fabs(levels.front()), std::fabs(levels.back()));
  if (largest == 0) return table;
  if (!std::isfinite(largest)) return std::nullopt;
  constexpr int kLargest = 127;
  const int first = levels.size() <= 16 ? kLargest / 2 : kLargest;
  for (int i = 0; i < kLargest; ++i) {
    // From `first` down to 1, then from the largest down to it: codes of 63 are codes of 126 at half the step, too.
    const int divisor = i < first ? first - i : kLargest - (i - first);
    const float step = largest / static_cast<float>(divisor);
    constexpr std::uint32_t kBelow17Bits = 0x7f;  // 24 significant bits less 17
    if (!std::isnormal(step) || (std::bit_cast<std::uint32_t>(step) & kBelow17Bits) != 0) continue;
    const auto fits = [&](std::size_t level) {
      const float code = std::nearbyint(levels[level] / step);
      if (!(std::fabs(code) <= 127)) return false;  // a NaN
      table.codes[level] = static_cast<std::int8_t>(code);
      return code * step == levels[level];
    };
    std::size_t level = 0;
    while (level < levels.size() && fits(level)) ++level;
    if (level < levels.size()) continue;
    table.step = step;
    return table;
  }
  return std::nullopt;
}

struct Lookup {
  const TensorView* indices = nullptr;  // without offsets; left where they are, since there is one a weight
  std::size_t count = 0;                // of indices
  std::vector<std::int64_t> offsets;    // one per output channel, or none
  std::vector<float> table, scales;     // scales: one per output channel, or none
  Axis axis;                            // of the output channel

  std::int64_t OffsetOf(std::size_t i) const { return offsets.empty() ? 0 : offsets[axis.EntryOf(i)]; }
};

// Whether test(i, index) holds for every index; stops after the run in which it does not.
template <typename Test>
bool AllIndices(const Lookup& lookup, Test test) {
  std::array<std::int32_t, 4096> room{};
  for (std::size_t first = 0; first < lookup.count; first += room.size()) {
    const auto run = std::span(room).first(std::min(room.size(), lookup.count - first));
    CopySmallInts(*lookup.indices, first, run);
    bool holds = true;
    for (std::size_t i = 0; i < run.size(); ++i) holds = test(first + i, run[i]) && holds;
    if (!holds) return false;
  }
  return true;
}

// All parts of a lookup, every index inside the table.
Result<Lookup> ReadLookup(const Constant& constant) {
  Lookup lookup;
  const Shape& shape = constant.shape();
  if (!shape.empty()) lookup.axis = AxisOf(shape, 0);
  auto count = CountSmallInts(*constant.values);
  if (!count) return Forward(count);
  lookup.indices = constant.values;
  lookup.count = *count;
  auto table = ReadFloats(*constant.table);
  if (!table) return Forward(table);
  lookup.table = std::move(table->values);
  if (constant.offset != nullptr) {
    auto offsets = ReadInts(*constant.offset);
    if (!offsets) return Forward(offsets);
    lookup.offsets = std::move(offsets->values);
  }
  if (constant.scale != nullptr) {
    auto scales = ReadFloats(*constant.scale);
    if (!scales) return Forward(scales);
    lookup.scales = std::move(scales->values);
  }
  const auto size = static_cast<std::int64_t>(lookup.table.size());
  // Most weights are four bits, and no index of four bits leaves a table of 16.
  const auto holds_nibbles = [&](std::int64_t offset) { return offset >= 0 && offset + 16 <= size; };
  const bool cannot_leave = !PackedNibbles(*constant.values).empty() &&
                            (lookup.offsets.empty() ? size >= 16 : std::ranges::all_of(lookup.offsets, holds_nibbles));
  const bool inside = cannot_leave || AllIndices(lookup, [&](std::size_t i, std::int64_t index) {
                        const std::int64_t offset = lookup.OffsetOf(i);
                        return offset >= 0 && offset <= size && index + offset >= 0 && index + offset < size;
                      });
  if (!inside) {
    return Fail(ErrorCode::kBadInput, Describe(*constant.values) + " holds an index that is outside its table " +
                                          Quoted(constant.table->name) + " of " + std::to_string(size) +
                                          " levels; the file is damaged, so make it again");
  }
  return lookup;
}

// The number of levels of one of several tables: that of the second table's start, or of each channel's share.
std::size_t FindTableSize(const Lookup& lookup, std::size_t channels) {
  if (lookup.offsets.empty() || channels <= 1) return lookup.table.size();
  std::int64_t second = 0;
  for (const std::int64_t offset : lookup.offsets) {
    if (offset > 0 && (second == 0 || offset < second)) second = offset;
  }
  return second > 0 ? static_cast<std::size_t>(second) : lookup.table.size();
}

// Whether every channel has the table of its own number.
bool IsTableAChannel(std::span<const std::int64_t> offsets, std::size_t size, std::size_t tables) {
  if (tables != offsets.size()) return false;
  for (std::size_t o = 0; o < offsets.size(); ++o) {
    if (offsets[o] != static_cast<std::int64_t>(o * size)) return false;
  }
  return true;
}

// The lookup as one of our weights, or nothing where it is not exactly one.
std::optional<CodebookTensor> FindCodebook(const Shape& shape, const Lookup& lookup) {
  if (shape.size() < 2 || lookup.count == 0) return std::nullopt;
  const auto channels = static_cast<std::size_t>(shape[0]);
  const std::size_t size = FindTableSize(lookup, channels);
  if (size < 4 || size > 256 || !std::has_single_bit(size) || lookup.table.size() % size != 0) return std::nullopt;
  const std::size_t tables = lookup.table.size() / size;
  std::vector<std::uint8_t> table_of;
  if (!lookup.offsets.empty() && !IsTableAChannel(lookup.offsets, size, tables)) {
    for (const std::int64_t offset : lookup.offsets) {
      const auto table = static_cast<std::size_t>(offset) / size;
      if (offset % static_cast<std::int64_t>(size) != 0 || table > 255) return std::nullopt;
      table_of.push_back(static_cast<std::uint8_t>(table));
    }
  } else if (lookup.offsets.empty() && tables != 1) {
    return std::nullopt;
  }
  const auto is_index = [&](std::size_t, std::int32_t index) {
    return index >= 0 && index < static_cast<std::int32_t>(size);
  };
  const auto packed = PackedNibbles(*lookup.indices);
  const bool is_nibbles = size == 16 && !packed.empty();
  if (!is_nibbles && !AllIndices(lookup, is_index)) return std::nullopt;
  if (!std::ranges::all_of(lookup.scales, [](float s) { return std::isfinite(s) && RoundToHalf(s) == s; }))
    return std::nullopt;

  CodebookTensor result{.shape = shape,
                        .bits = std::countr_zero(size),
                        .indices = {},
                        .codes = {},
                        .steps = {},
                        .scales = lookup.scales,
                        .table_of = std::move(table_of)};
  for (std::size_t t = 0; t < tables; ++t) {
    auto integers = FindIntegers(std::span(lookup.table).subspan(t * size, size));
    if (!integers) return std::nullopt;
    result.codes.insert(result.codes.end(), integers->codes.begin(), integers->codes.end());
    result.steps.push_back(integers->step);
  }
  if (result.bits <= 4 && !packed.empty()) {
    result.indices.assign(packed.begin(), packed.end());
    if (lookup.count % 2 != 0) result.indices.back() &= 0x0fU;
    return result;
  }
  result.indices.resize(result.bits > 4 ? lookup.count : (lookup.count + 1) / 2);
  AllIndices(lookup, [&](std::size_t i, std::int32_t index) {
    result.SetIndexAt(i, static_cast<std::uint8_t>(index));
    return true;
  });
  return result;
}

Result<Tensor> LookedUp(const Constant& constant, bool as_weight) {
  auto lookup = ReadLookup(constant);
  if (!lookup) return Forward(lookup);
  if (as_weight) {
    if (auto codebook = FindCodebook(constant.shape(), *lookup)) return std::move(*codebook);
  }
  FloatTensor result{constant.shape(), std::vector<float>(lookup->count)};
  AllIndices(*lookup, [&](std::size_t i, std::int32_t index) {
    const float level = lookup->table[static_cast<std::size_t>(index + lookup->OffsetOf(i))];
    result.values[i] = lookup->scales.empty() ? level : lookup->scales[lookup->axis.EntryOf(i)] * level;
    return true;
  });
  return result;
}

Result<Tensor> WithOffset(const Constant& constant) {
  auto integers = ReadInts(*constant.values);
  if (!integers) return Forward(integers);
  auto offsets = ReadInts(*constant.offset);
  if (!offsets) return Forward(offsets);
  if (integers->values.empty()) return std::move(*integers);
  const Axis axis = AxisOf(integers->shape, 0);
  for (std::size_t i = 0; i < integers->values.size(); ++i) integers->values[i] += offsets->values[axis.EntryOf(i)];
  return std::move(*integers);
}

}  // namespace

bool IsPerFirstAxis(const TensorView& tensor, const Shape& shape) {
  if (shape.empty() || tensor.dims.size() != shape.size() || tensor.dims[0] != shape[0]) return false;
  return std::all_of(tensor.dims.begin() + 1, tensor.dims.end(), [](std::int64_t d) { return d == 1; });
}

Result<Tensor> Evaluate(const Constant& constant, bool as_weight) {
  switch (constant.form) {
    case Constant::Form::kOffset: return WithOffset(constant);
    case Constant::Form::kLookup: return LookedUp(constant, as_weight);
    case Constant::Form::kDequantized: return Dequantized(constant, as_weight);
    case Constant::Form::kStored: break;
  }
  if (constant.as_float) {
    auto floats = ReadFloats(*constant.values);
    if (!floats) return Forward(floats);
    return std::move(*floats);
  }
  auto integers = ReadInts(*constant.values);
  if (!integers) return Forward(integers);
  return std::move(*integers);
}

Result<TensorView> Quantize(const TensorView& values, const TensorView& scale, const TensorView* zero_point,
                            std::int64_t axis) {
  const DataType type = zero_point == nullptr ? DataType::kUint8 : zero_point->type;
  if (type != DataType::kUint8 && type != DataType::kInt8) {
    return Fail(ErrorCode::kUnsupported,
                Describe(values) + " is quantized to " + DataTypeName(type) + "; kdequant reads int8 and uint8");
  }
  auto floats = ReadFloats(values);
  if (!floats) return Forward(floats);
  auto scales = ReadFloats(scale);
  if (!scales) return Forward(scales);
  auto along = ParameterAxis(values, scale, scales->values.size(), axis);
  if (!along) return Forward(along);
  Constant parameters{.form = Constant::Form::kDequantized, .values = &values, .zero_point = zero_point};
  auto zero_points = ZeroPoints(parameters, scales->values.size());
  if (!zero_points) return Forward(zero_points);

  TensorView result{.name = values.name, .type = type, .dims = values.dims};
  result.int32s.resize(floats->values.size());
  const float low = type == DataType::kInt8 ? -128 : 0;
  for (std::size_t i = 0; i < floats->values.size(); ++i) {
    const std::size_t entry = along->EntryOf(i);
    // Ties to even, as ONNX asks; a NaN ends at `low`.
    const float steps =
        std::nearbyint(floats->values[i] / scales->values[entry]) + static_cast<float>((*zero_points)[entry]);
    result.int32s[i] = static_cast<std::int32_t>(steps >= low ? std::min(steps, low + 255) : low);
  }
  return result;
}

}  // namespace kdequant::onnx
