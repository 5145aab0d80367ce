// ONNX messages as views into the file: the part of onnx.proto that kdequant looks at.
#ifndef KDEQUANT_ONNX_PROTO_H_
#define KDEQUANT_ONNX_PROTO_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kdequant/base/result.h"
#include "kdequant/model/tensor.h"

namespace kdequant::onnx {

/// TensorProto.DataType.
enum class DataType : std::int32_t {
  kUndefined = 0,
  kFloat = 1,
  kUint8 = 2,
  kInt8 = 3,
  kUint16 = 4,
  kInt16 = 5,
  kInt32 = 6,
  kInt64 = 7,
  kString = 8,
  kBool = 9,
  kFloat16 = 10,
  kDouble = 11,
  kUint32 = 12,
  kUint64 = 13,
  kBFloat16 = 16,
  kUint4 = 21,
  kInt4 = 22,
};

/// "float16", or "data type 17" for one that has no name here.
std::string DataTypeName(DataType type);
bool IsFloatType(DataType type);
bool IsIntegerType(DataType type);

/// A TensorProto. Either `raw` or one of the typed fields holds the elements; nothing has been compared with `dims`
/// yet.
struct TensorView {
  std::string_view name = {};
  DataType type = DataType::kUndefined;
  Shape dims = {};
  std::optional<std::string_view> raw = {};
  std::vector<float> floats = {};
  std::vector<std::int32_t> int32s = {};
  std::vector<std::int64_t> int64s = {};
  std::vector<double> doubles = {};
  std::vector<std::uint64_t> uint64s = {};
  bool external = false;
};

/// An AttributeProto. `type` says which field counts; 0 where an old exporter left it out.
struct AttributeView {
  std::string_view name;
  int type = 0;
  float f = 0;
  std::int64_t i = 0;
  std::string_view s;
  std::vector<float> floats;
  std::vector<std::int64_t> ints;
  std::int32_t tensor = -1;  ///< An index into ModelView::tensors.
  bool other = false;        ///< Holds a graph, a sparse tensor, a type, or a reference to a function's attribute.
};

struct NodeView {
  std::string_view name, op, domain;
  std::vector<std::string_view> inputs, outputs;
  std::vector<AttributeView> attributes;
};

/// A ValueInfoProto of a tensor; open dimensions are kUnknownDimension.
struct ValueView {
  std::string_view name;
  DataType type = DataType::kUndefined;
  std::optional<Shape> shape;
};

/// A ModelProto with its one graph. Views point into the bytes that were parsed.
struct ModelView {
  std::int64_t ir_version = 0;
  std::int64_t opset = 0;  ///< of the default domain; 0 if the file does not say
  std::string_view graph_name;
  bool has_graph = false;
  bool has_sparse = false;
  /// Names of functions that redefine an operator of the default domain.
  std::vector<std::string_view> functions;
  std::vector<NodeView> nodes;
  std::vector<std::int32_t> initializers;  ///< Indices into `tensors`.
  std::deque<TensorView> tensors;  ///< Initializers and tensors of attributes; addresses stay when one is added.
  std::vector<ValueView> inputs, outputs;
  std::vector<std::pair<std::string_view, std::string_view>> metadata;
};

/// Errors: kBadInput (not a ModelProto, cut off, text that is not UTF-8), kLimit (more than a million nodes,
/// attributes, names and tensors: a file of empty messages would take a hundred times its size in memory).
Result<ModelView> ParseModel(std::span<const std::uint8_t> bytes);

/// `name` in double quotes for a message: at most 80 bytes, without control characters.
std::string Quoted(std::string_view name);

}  // namespace kdequant::onnx

#endif  // KDEQUANT_ONNX_PROTO_H_
