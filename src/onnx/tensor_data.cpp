#include "tensor_data.h"

#include <bit>
#include <cstring>

#include "kdequant/base/half.h"

namespace kdequant::onnx {
namespace {

static_assert(std::endian::native == std::endian::little, "raw_data is little-endian");

// A file may carry an empty raw_data beside a typed field.
bool UsesRaw(const TensorView& tensor) {
  if (!tensor.raw) return false;
  const bool typed = !tensor.floats.empty() || !tensor.int32s.empty() || !tensor.int64s.empty() ||
                     !tensor.doubles.empty() || !tensor.uint64s.empty();
  return !tensor.raw->empty() || !typed;
}

// Bits of an element in raw_data; 0 for types that are not read.
std::size_t ElementBits(DataType type) {
  switch (type) {
    case DataType::kUint4:
    case DataType::kInt4: return 4;
    case DataType::kUint8:
    case DataType::kInt8:
    case DataType::kBool: return 8;
    case DataType::kUint16:
    case DataType::kInt16:
    case DataType::kFloat16:
    case DataType::kBFloat16: return 16;
    case DataType::kFloat:
    case DataType::kInt32:
    case DataType::kUint32: return 32;
    case DataType::kDouble:
    case DataType::kInt64:
    case DataType::kUint64: return 64;
    default: return 0;
  }
}

// How many entries the typed field for this data type has.
std::size_t TypedCount(const TensorView& tensor) {
  switch (tensor.type) {
    case DataType::kFloat: return tensor.floats.size();
    case DataType::kDouble: return tensor.doubles.size();
    case DataType::kInt64: return tensor.int64s.size();
    case DataType::kUint32:
    case DataType::kUint64: return tensor.uint64s.size();
    default: return tensor.int32s.size();
  }
}

template <typename T>
T Load(const char* bytes, std::size_t i) {
  T value;
  std::memcpy(&value, bytes + i * sizeof(T), sizeof(T));
  return value;
}

std::int64_t Nibble(unsigned byte, std::size_t i, bool is_signed) {
  const auto bits = static_cast<std::int64_t>((byte >> (4 * (i % 2))) & 0x0fU);
  return is_signed && bits >= 8 ? bits - 16 : bits;
}

// Calls sink(i, value) for the elements from `begin` to before `end` of an integer tensor whose count has been checked.
template <typename Sink>
void VisitInts(const TensorView& tensor, std::size_t begin, std::size_t end, Sink sink) {
  const bool raw = UsesRaw(tensor);
  const char* bytes = raw ? tensor.raw->data() : nullptr;
  const auto each = [&](auto&& at) {
    for (std::size_t i = begin; i < end; ++i) sink(i, static_cast<std::int64_t>(at(i)));
  };
  switch (tensor.type) {
    case DataType::kUint4:
    case DataType::kInt4: {
      const bool is_signed = tensor.type == DataType::kInt4;
      if (raw)
        return each([&](std::size_t i) { return Nibble(static_cast<unsigned char>(bytes[i / 2]), i, is_signed); });
      return each([&](std::size_t i) { return Nibble(static_cast<unsigned>(tensor.int32s[i / 2]), i, is_signed); });
    }
    case DataType::kUint8:
      if (raw) return each([&](std::size_t i) { return Load<std::uint8_t>(bytes, i); });
      break;
    case DataType::kBool:
      if (raw) return each([&](std::size_t i) { return bytes[i] != 0; });
      break;
    case DataType::kInt8:
      if (raw) return each([&](std::size_t i) { return Load<std::int8_t>(bytes, i); });
      break;
    case DataType::kUint16:
      if (raw) return each([&](std::size_t i) { return Load<std::uint16_t>(bytes, i); });
      break;
    case DataType::kInt16:
      if (raw) return each([&](std::size_t i) { return Load<std::int16_t>(bytes, i); });
      break;
    case DataType::kInt32:
      if (raw) return each([&](std::size_t i) { return Load<std::int32_t>(bytes, i); });
      break;
    case DataType::kUint32:
      if (raw) return each([&](std::size_t i) { return Load<std::uint32_t>(bytes, i); });
      return each([&](std::size_t i) { return tensor.uint64s[i]; });
    case DataType::kUint64:
      if (raw) return each([&](std::size_t i) { return Load<std::uint64_t>(bytes, i); });
      return each([&](std::size_t i) { return tensor.uint64s[i]; });
    case DataType::kInt64:
      if (raw) return each([&](std::size_t i) { return Load<std::int64_t>(bytes, i); });
      return each([&](std::size_t i) { return tensor.int64s[i]; });
    default: return;
  }
  each([&](std::size_t i) { return tensor.int32s[i]; });
}

}  // namespace

std::string Describe(const TensorView& tensor) {
  return tensor.name.empty() ? "a tensor without a name" : "tensor " + Quoted(tensor.name);
}

Result<std::size_t> CheckedCount(const TensorView& tensor) {
  if (tensor.external) {
    return Fail(ErrorCode::kUnsupported,
                Describe(tensor) +
                    " keeps its data in another file, which kdequant does not read; save the model as a single file "
                    "(onnx.save without external data)");
  }
  const std::size_t bits = ElementBits(tensor.type);
  if (bits == 0) {
    return Fail(ErrorCode::kUnsupported,
                Describe(tensor) + " has elements of " + DataTypeName(tensor.type) +
                    ", which kdequant does not read; convert it to float32 or an integer type");
  }
  std::uint64_t count = 1;
  bool empty = false;
  for (const std::int64_t dimension : tensor.dims) {
    if (dimension < 0) {
      return Fail(ErrorCode::kBadInput, Describe(tensor) + " has the shape " + ShapeToString(tensor.dims) +
                                            ", with a negative dimension; export the model again");
    }
    if (dimension == 0) {
      empty = true;
      continue;
    }
    // No product overflows: `count` stays below 2^31 and a larger dimension stops here.
    if (dimension > 0x7fffffff || (count *= static_cast<std::uint64_t>(dimension)) > 0x7fffffff) {
      return Fail(ErrorCode::kLimit,
                  Describe(tensor) + " has the shape " + ShapeToString(tensor.dims) + ", more than 2^31 - 1 elements");
    }
  }
  if (empty) count = 0;
  const bool raw = UsesRaw(tensor);
  const std::uint64_t needed = raw ? (count * bits + 7) / 8 : bits == 4 ? (count + 1) / 2 : count;
  const std::uint64_t held = raw ? tensor.raw->size() : TypedCount(tensor);
  if (held != needed) {
    return Fail(ErrorCode::kBadInput, Describe(tensor) + " of shape " + ShapeToString(tensor.dims) + " (" +
                                          DataTypeName(tensor.type) + ") needs " + std::to_string(needed) +
                                          (raw ? " bytes" : " values") + " but holds " + std::to_string(held) +
                                          "; export the model again");
  }
  return static_cast<std::size_t>(count);
}

Result<FloatTensor> ReadFloats(const TensorView& tensor) {
  auto count = CheckedCount(tensor);
  if (!count) return Forward(count);
  FloatTensor result{tensor.dims, {}};
  if (*count == 0) return result;
  if (tensor.type == DataType::kFloat && !UsesRaw(tensor)) {
    result.values = tensor.floats;
    return result;
  }
  result.values.resize(*count);
  const char* bytes = UsesRaw(tensor) ? tensor.raw->data() : nullptr;
  const auto bits16 = [&](std::size_t i) {
    return bytes != nullptr ? Load<std::uint16_t>(bytes, i) : static_cast<std::uint16_t>(tensor.int32s[i]);
  };
  switch (tensor.type) {
    case DataType::kFloat:
      if (bytes != nullptr) std::memcpy(result.values.data(), bytes, *count * sizeof(float));
      break;
    case DataType::kFloat16:
      for (std::size_t i = 0; i < *count; ++i) result.values[i] = HalfToFloat(bits16(i));
      break;
    case DataType::kBFloat16:
      for (std::size_t i = 0; i < *count; ++i) result.values[i] = BFloat16ToFloat(bits16(i));
      break;
    case DataType::kDouble:
      for (std::size_t i = 0; i < *count; ++i) {
        result.values[i] = static_cast<float>(bytes != nullptr ? Load<double>(bytes, i) : tensor.doubles[i]);
      }
      break;
    default:
      VisitInts(tensor, 0, *count,
                [&](std::size_t i, std::int64_t value) { result.values[i] = static_cast<float>(value); });
  }
  return result;
}

Result<IntTensor> ReadInts(const TensorView& tensor) {
  auto count = CheckedCount(tensor);
  if (!count) return Forward(count);
  if (!IsIntegerType(tensor.type)) {
    return Fail(ErrorCode::kUnsupported, Describe(tensor) + " holds " + DataTypeName(tensor.type) +
                                             " where integers are needed; export the model again");
  }
  IntTensor result{tensor.dims, std::vector<std::int64_t>(*count)};
  VisitInts(tensor, 0, *count, [&](std::size_t i, std::int64_t value) { result.values[i] = value; });
  return result;
}

Result<std::size_t> CountSmallInts(const TensorView& tensor) {
  auto count = CheckedCount(tensor);
  if (!count) return Forward(count);
  if (!IsIntegerType(tensor.type) || ElementBits(tensor.type) > 32 || tensor.type == DataType::kUint32) {
    return Fail(ErrorCode::kUnsupported, Describe(tensor) + " holds " + DataTypeName(tensor.type) +
                                             " where integers of at most 32 bits are needed");
  }
  return count;
}

void CopySmallInts(const TensorView& tensor, std::size_t first, std::span<std::int32_t> out) {
  VisitInts(tensor, first, first + out.size(),
            [&](std::size_t i, std::int64_t value) { out[i - first] = static_cast<std::int32_t>(value); });
}

Result<std::vector<std::int32_t>> ReadSmallInts(const TensorView& tensor) {
  auto count = CountSmallInts(tensor);
  if (!count) return Forward(count);
  std::vector<std::int32_t> result(*count);
  CopySmallInts(tensor, 0, result);
  return result;
}

std::span<const std::uint8_t> PackedNibbles(const TensorView& tensor) {
  if (tensor.type != DataType::kUint4 || !UsesRaw(tensor)) return {};
  return {reinterpret_cast<const std::uint8_t*>(tensor.raw->data()), tensor.raw->size()};
}

}  // namespace kdequant::onnx
