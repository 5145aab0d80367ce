#include "kdequant/model/tensor.h"

#include <algorithm>

#include "kdequant/base/half.h"

namespace kdequant {
namespace {

constexpr std::int64_t kMostElements = 0x7fffffff;

// The elements of one output channel, for tensors whose first dimension is the output channel.
std::size_t RowLength(const Shape& shape, std::size_t count) {
  return shape.empty() || shape[0] <= 0 ? count : count / static_cast<std::size_t>(shape[0]);
}

void DequantizeInt8(const Int8Tensor& tensor, std::size_t channel, std::span<float> values) {
  const std::int8_t* row = tensor.values.data() + channel * values.size();
  for (std::size_t k = 0; k < values.size(); ++k) values[k] = static_cast<float>(row[k]) * tensor.scales[channel];
}

}  // namespace

Result<std::size_t> ElementCount(const Shape& shape) {
  std::int64_t count = 1;
  bool too_many = false;
  for (const std::int64_t dimension : shape) {
    if (dimension < 0) {
      return Fail(ErrorCode::kLimit, "the shape " + ShapeToString(shape) + " leaves a dimension open");
    }
    if (dimension != 0 && count > kMostElements / dimension) too_many = true;
    if (!too_many || dimension == 0) count *= dimension;
  }
  // A dimension of 0 makes any tensor empty, however long its others are.
  if (too_many && count != 0) {
    return Fail(ErrorCode::kLimit, "a tensor of the shape " + ShapeToString(shape) +
                                       " has more than 2^31 - 1 elements; use a smaller input or model");
  }
  return static_cast<std::size_t>(count);
}

std::string ShapeToString(const Shape& shape) {
  if (shape.empty()) return "scalar";
  std::string text;
  for (const std::int64_t dimension : shape) {
    if (!text.empty()) text += 'x';
    text += dimension == kUnknownDimension ? std::string("?") : std::to_string(dimension);
  }
  return text;
}

const Shape& ShapeOf(const Tensor& tensor) {
  return std::visit([](const auto& t) -> const Shape& { return t.shape; }, tensor);
}

Result<FloatTensor> Dequantize(const Tensor& tensor) {
  if (std::holds_alternative<IntTensor>(tensor))
    return Fail(ErrorCode::kUnsupported, "a tensor of integers stands where a tensor of floats is needed");
  if (const auto* floats = std::get_if<FloatTensor>(&tensor)) return *floats;
  const Shape& shape = ShapeOf(tensor);
  const auto count = ElementCount(shape);
  if (!count) return std::unexpected(count.error());
  FloatTensor result{shape, std::vector<float>(*count)};
  const std::size_t row = RowLength(shape, *count);
  for (std::size_t first = 0; first < *count; first += row)
    DequantizeChannel(tensor, first / row, std::span(result.values).subspan(first, row));
  return result;
}

void DequantizeChannel(const Tensor& tensor, std::size_t channel, std::span<float> values) {
  if (const auto* codebook = std::get_if<CodebookTensor>(&tensor)) {
    DequantizeChannel(*codebook, channel, values);
  } else if (const auto* int8 = std::get_if<Int8Tensor>(&tensor)) {
    DequantizeInt8(*int8, channel, values);
  } else if (const auto* floats = std::get_if<FloatTensor>(&tensor)) {
    std::ranges::copy(std::span(floats->values).subspan(channel * values.size(), values.size()), values.begin());
  }
}

void DequantizeChannel(const CodebookTensor& tensor, std::size_t channel, std::span<float> values) {
  const std::size_t table = tensor.TableOf(channel);
  const std::int8_t* codes = tensor.codes.data() + table * tensor.TableSize();
  const std::size_t first = channel * values.size();
  for (std::size_t k = 0; k < values.size(); ++k) {
    const float level = static_cast<float>(codes[tensor.IndexAt(first + k)]) * tensor.steps[table];
    values[k] = tensor.scales.empty() ? level : tensor.scales[channel] * level;
  }
}

std::size_t StoredBytes(const Tensor& tensor) {
  if (const auto* values = std::get_if<FloatTensor>(&tensor)) return values->values.size() * sizeof(float);
  if (const auto* values = std::get_if<IntTensor>(&tensor)) return values->values.size() * sizeof(std::int64_t);
  constexpr std::size_t kHalfBytes = 2;
  if (const auto* values = std::get_if<CodebookTensor>(&tensor)) {
    // Levels, each a code times its table's step, are stored in binary16 where that is exact, as it is for a power of
    // two.
    bool halves = true;
    for (std::size_t i = 0; i < values->codes.size(); ++i)
      halves = halves && IsExactInHalf(static_cast<float>(values->codes[i]) * values->steps[i / values->TableSize()]);
    return values->indices.size() + values->codes.size() * (halves ? kHalfBytes : sizeof(float)) +
           values->scales.size() * kHalfBytes + values->table_of.size();
  }
  const auto& values = std::get<Int8Tensor>(tensor);
  return values.values.size() + values.scales.size() * kHalfBytes;
}

}  // namespace kdequant
