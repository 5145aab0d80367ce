// kdequant/model/tensor.h
// Constant tensors: float weights, shape arithmetic, and the 4-bit and 8-bit weights that quantization makes.
#ifndef KDEQUANT_MODEL_TENSOR_H_
#define KDEQUANT_MODEL_TENSOR_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "kdequant/base/result.h"

namespace kdequant {

/// Dimensions, outermost first. In a prepared graph every dimension is known and at least 1.
using Shape = std::vector<std::int64_t>;

/// A dimension that a file leaves open.
inline constexpr std::int64_t kUnknownDimension = -1;

/// The product of the dimensions; kLimit if it is negative, unknown or above 2^31 - 1 (no tensor of ours is larger, and
/// an untrusted file must not make us try).
Result<std::size_t> ElementCount(const Shape& shape);

/// "1x3x224x224", for messages.
std::string ShapeToString(const Shape& shape);

/// Row-major float32. float16 and bfloat16 are widened when they are read.
struct FloatTensor {
  Shape shape;
  std::vector<float> values;
};

/// Row-major integers (int64, int32, uint8, bool... of a file), for shapes, axes and indices.
struct IntTensor {
  Shape shape;
  std::vector<std::int64_t> values;
};

/// A weight tensor of which every weight is an index into a small table of levels.
///
/// The value of weight k of output channel o is `scales[o] * (codes[t][i] * steps[t])` in float32, in that order of
/// operations, where i is the weight's index, t = TableOf(o), and scales[o] is 1 where `scales` is empty. codes * step
/// is exact in float32 (steps have at most 17 significant bits), so a file that stores the levels as floats gives codes
/// and step back.
struct CodebookTensor {
  Shape shape;   ///< [out_channels, ...]: output channel first, always (a Gemm weight is [N, K]).
  int bits = 4;  ///< 2 to 8; a table has 2^bits codes.

  /// Row-major over the whole tensor. Up to 4 bits: two indices a byte, the first in the low nibble (ONNX's UINT4
  /// layout), the last byte padded with zero. 5 to 8 bits: one index a byte.
  std::vector<std::uint8_t> indices;
  std::vector<std::int8_t> codes;  ///< [tables][2^bits], ascending within a table.
  std::vector<float> steps;        ///< [tables], > 0.
  std::vector<float> scales;       ///< [out_channels] or empty; each one is representable in binary16.
  /// [out_channels]: which of the tables a channel's indices are of. Empty: there is one table, or one per channel.
  std::vector<std::uint8_t> table_of = {};

  std::size_t TableCount() const { return steps.size(); }
  std::size_t TableSize() const { return std::size_t{1} << bits; }
  std::size_t TableOf(std::size_t channel) const {
    if (!table_of.empty()) return table_of[channel];
    return TableCount() > 1 ? channel : 0;
  }
  /// The index of weight `position` (row-major over the tensor).
  std::uint8_t IndexAt(std::size_t position) const {
    if (bits > 4) return indices[position];
    return static_cast<std::uint8_t>((indices[position / 2] >> (4 * (position % 2))) & 0x0fU);
  }
  void SetIndexAt(std::size_t position, std::uint8_t index) {
    if (bits > 4) {
      indices[position] = index;
    } else {
      const auto shift = static_cast<unsigned>(4 * (position % 2));
      auto& byte = indices[position / 2];
      byte = static_cast<std::uint8_t>((byte & (0xf0U >> shift)) | (static_cast<unsigned>(index & 0x0fU) << shift));
    }
  }
};

/// Signed 8-bit weights with one scale per output channel: weight = values * scales[o] in float32. Zero point 0.
struct Int8Tensor {
  Shape shape;
  std::vector<std::int8_t> values;
  std::vector<float> scales;  ///< [out_channels]
};

using Tensor = std::variant<FloatTensor, IntTensor, CodebookTensor, Int8Tensor>;

const Shape& ShapeOf(const Tensor& tensor);

/// The float weights that a quantized tensor stands for (a FloatTensor is returned as it is), in float32 arithmetic as
/// a runtime of the written file computes them. An IntTensor gives kUnsupported.
Result<FloatTensor> Dequantize(const Tensor& tensor);

/// The same for one output channel, whose weights fill `values`: a layer of 400 MB, say, a row at a time. An IntTensor
/// leaves them as they are.
void DequantizeChannel(const Tensor& tensor, std::size_t channel, std::span<float> values);
void DequantizeChannel(const CodebookTensor& tensor, std::size_t channel, std::span<float> values);

/// Bytes of the tensor as a file stores it: indices, levels and scales (binary16) counted, names and framing not.
std::size_t StoredBytes(const Tensor& tensor);

}  // namespace kdequant

#endif  // KDEQUANT_MODEL_TENSOR_H_
