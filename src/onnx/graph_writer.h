// The GraphProto that is being written: nodes, initializers and the names of both.
#ifndef KDEQUANT_ONNX_GRAPH_WRITER_H_
#define KDEQUANT_ONNX_GRAPH_WRITER_H_

#include <cstdint>
#include <map>
#include <optional>
#include <protozero/pbf_writer.hpp>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include "kdequant/base/result.h"
#include "kdequant/model/graph.h"
#include "proto.h"

namespace kdequant::onnx {

/// One attribute; the alternatives are ONNX's INT, FLOAT, STRING, INTS and TENSOR (one element).
struct AttributeOut {
  std::string_view name;
  std::variant<std::int64_t, float, std::string_view, std::vector<std::int64_t>, const Tensor*> value;
};

/// A node as it goes into the file. `name` is left out where it is the first output's, which is what a reader calls it
/// then.
struct NodeOut {
  std::string_view op;
  std::vector<std::string> inputs;  ///< "" for one that is left out.
  std::vector<std::string> outputs;
  std::vector<AttributeOut> attributes = {};
  std::string_view name = {};
};

class GraphWriter {
 public:
  /// Both outlive this object.
  GraphWriter(const Graph& graph, protozero::pbf_writer& out);

  const Graph& graph() const { return graph_; }

  void WriteNode(const NodeOut& node);

  /// The name of a value for use as an input, "" for kNoValue. A constant is written when it is first used, with the
  /// nodes that compute it.
  std::string Use(ValueId value);

  /// Names of constants of our own; equal ones are written once.
  std::string UseInts(const std::vector<std::int64_t>& list);
  std::string UseScalar(float number);

  /// A short name that no value has.
  std::string ShortName();
  /// `base`, or `base` with a number behind it where that is taken.
  std::string FreshName(const std::string& base);

  /// The first constant that could not be written.
  const std::optional<Error>& error() const { return error_; }

 private:
  void WriteConstant(const Value& value);
  void WriteCodebook(const std::string& name, const CodebookTensor& tensor);
  void WriteInt8(const std::string& name, const Int8Tensor& tensor);
  std::string WriteCast(const std::string& input, DataType to);
  /// Binary16 numbers and a Cast where that is shorter and exact.
  std::string WriteFloats(std::span<const float> values, const Shape& shape);
  /// Where the table of each channel begins, in the shape of a number per channel.
  std::string WriteTableStarts(const CodebookTensor& tensor);
  std::string UseTableStarts(const Shape& shape, std::size_t table_size);
  void WriteInitializer(std::string_view name, DataType type, const Shape& shape, std::string_view bytes);
  void Fail(std::string_view value, std::string_view why);

  const Graph& graph_;
  protozero::pbf_writer& out_;
  std::vector<bool> written_;  ///< By ValueId.
  std::unordered_set<std::string> names_;
  std::size_t next_short_name_ = 0;
  std::map<std::vector<std::int64_t>, std::string> lists_;
  std::map<std::uint32_t, std::string> scalars_;  ///< By their bits.
  std::map<std::pair<Shape, std::size_t>, std::string> table_starts_;
  std::optional<Error> error_;
};

/// Writes one node of the typed graph, its fused activation behind it. Errors: kInternal (an operator that lacks what
/// ONNX needs).
Result<void> WriteOperator(GraphWriter& writer, const Node& node);

}  // namespace kdequant::onnx

#endif  // KDEQUANT_ONNX_GRAPH_WRITER_H_
