// ModelProto bytes for tests, written field by field so that a test can also write what no exporter would.
#ifndef KDEQUANT_TESTS_UNIT_ONNX_MODEL_BYTES_H_
#define KDEQUANT_TESTS_UNIT_ONNX_MODEL_BYTES_H_

#include <cstdint>
#include <initializer_list>
#include <protozero/pbf_writer.hpp>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "kdequant/base/result.h"
#include "kdequant/onnx/reader.h"
#include "proto.h"

namespace kdequant::onnx {

/// The bytes of an AttributeProto.
inline std::string IntAttribute(std::string_view name, std::int64_t value) {
  std::string bytes;
  protozero::pbf_writer attribute(bytes);
  attribute.add_string(1, name.data(), name.size());
  attribute.add_int64(3, value);
  attribute.add_int32(20, 2);
  return bytes;
}

inline std::string FloatAttribute(std::string_view name, float value) {
  std::string bytes;
  protozero::pbf_writer attribute(bytes);
  attribute.add_string(1, name.data(), name.size());
  attribute.add_float(2, value);
  attribute.add_int32(20, 1);
  return bytes;
}

inline std::string StringAttribute(std::string_view name, std::string_view value) {
  std::string bytes;
  protozero::pbf_writer attribute(bytes);
  attribute.add_string(1, name.data(), name.size());
  attribute.add_string(4, value.data(), value.size());
  attribute.add_int32(20, 3);
  return bytes;
}

inline std::string IntsAttribute(std::string_view name, const std::vector<std::int64_t>& values) {
  std::string bytes;
  protozero::pbf_writer attribute(bytes);
  attribute.add_string(1, name.data(), name.size());
  for (const auto value : values) attribute.add_int64(8, value);
  attribute.add_int32(20, 7);
  return bytes;
}

inline std::string TensorAttribute(std::string_view name, const std::string& tensor) {
  std::string bytes;
  protozero::pbf_writer attribute(bytes);
  attribute.add_string(1, name.data(), name.size());
  attribute.add_message(5, tensor);
  attribute.add_int32(20, 4);
  return bytes;
}

/// The bytes of a TensorProto with raw_data.
inline std::string RawTensor(std::string_view name, DataType type, const Shape& dims, std::string_view raw) {
  std::string bytes;
  protozero::pbf_writer tensor(bytes);
  tensor.add_packed_int64(1, dims.begin(), dims.end());
  tensor.add_int32(2, static_cast<std::int32_t>(type));
  tensor.add_string(8, name.data(), name.size());
  tensor.add_bytes(9, raw.data(), raw.size());
  return bytes;
}

template <typename T>
std::string RawTensor(std::string_view name, DataType type, const Shape& dims, const std::vector<T>& values) {
  return RawTensor(name, type, dims,
                   std::string_view(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)));
}

/// A network under construction; every function returns *this. Ready with one input `x` and one output `y`.
class ModelBytes {
 public:
  explicit ModelBytes(std::int64_t opset = 13) : opset_(opset) {}

  ModelBytes& Input(std::string_view name, const Shape& shape, DataType type = DataType::kFloat) {
    return Value(11, name, shape, type);
  }
  ModelBytes& Output(std::string_view name) {
    std::string info;
    protozero::pbf_writer(info).add_string(1, name.data(), name.size());
    return GraphField(12, info);
  }

  ModelBytes& Node(std::string_view op, std::initializer_list<std::string_view> inputs,
                   std::initializer_list<std::string_view> outputs, const std::vector<std::string>& attributes = {},
                   std::string_view name = {}, std::string_view domain = {}) {
    std::string bytes;
    protozero::pbf_writer node(bytes);
    for (const auto input : inputs) node.add_string(1, input.data(), input.size());
    for (const auto output : outputs) node.add_string(2, output.data(), output.size());
    if (!name.empty()) node.add_string(3, name.data(), name.size());
    node.add_string(4, op.data(), op.size());
    for (const auto& attribute : attributes) node.add_message(5, attribute);
    if (!domain.empty()) node.add_string(7, domain.data(), domain.size());
    return GraphField(1, bytes);
  }

  ModelBytes& Tensor(const std::string& tensor) { return GraphField(5, tensor); }
  ModelBytes& Floats(std::string_view name, const Shape& dims, const std::vector<float>& values) {
    return Tensor(RawTensor(name, DataType::kFloat, dims, values));
  }
  /// Floats 0, 1, 2... in the shape.
  ModelBytes& Weights(std::string_view name, const Shape& dims) {
    std::size_t count = 1;
    for (const auto d : dims) count *= static_cast<std::size_t>(d);
    std::vector<float> values(count);
    for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<float>(i);
    return Floats(name, dims, values);
  }
  ModelBytes& Ints(std::string_view name, const std::vector<std::int64_t>& values) {
    return Tensor(RawTensor(name, DataType::kInt64, {static_cast<std::int64_t>(values.size())}, values));
  }

  ModelBytes& Metadata(std::string_view key, std::string_view value) {
    std::string entry;
    protozero::pbf_writer writer(entry);
    writer.add_string(1, key.data(), key.size());
    writer.add_string(2, value.data(), value.size());
    protozero::pbf_writer(model_).add_message(14, entry);
    return *this;
  }
  /// Any field of ModelProto or GraphProto.
  ModelBytes& ModelField(std::uint32_t field, const std::string& message) {
    protozero::pbf_writer(model_).add_message(field, message);
    return *this;
  }
  ModelBytes& GraphField(std::uint32_t field, const std::string& message) {
    protozero::pbf_writer(graph_).add_message(field, message);
    return *this;
  }

  std::vector<std::uint8_t> Bytes() const {
    std::string bytes;
    protozero::pbf_writer model(bytes);
    model.add_int64(1, 8);
    model.add_message(7, graph_);
    std::string opset;
    protozero::pbf_writer(opset).add_int64(2, opset_);
    model.add_message(8, opset);
    bytes += model_;
    return {bytes.begin(), bytes.end()};
  }

  Result<Graph> Read() const { return ReadOnnx(Bytes()); }

 private:
  ModelBytes& Value(std::uint32_t field, std::string_view name, const Shape& shape, DataType type) {
    std::string dimensions;
    for (const auto size : shape) {
      std::string dimension;
      if (size >= 0) {
        protozero::pbf_writer(dimension).add_int64(1, size);
      } else {
        protozero::pbf_writer(dimension).add_string(2, "N");
      }
      protozero::pbf_writer(dimensions).add_message(1, dimension);
    }
    std::string tensor;
    protozero::pbf_writer(tensor).add_int32(1, static_cast<std::int32_t>(type));
    protozero::pbf_writer(tensor).add_message(2, dimensions);
    std::string whole;
    protozero::pbf_writer(whole).add_message(1, tensor);
    std::string info;
    protozero::pbf_writer(info).add_string(1, name.data(), name.size());
    protozero::pbf_writer(info).add_message(2, whole);
    return GraphField(field, info);
  }

  std::int64_t opset_;
  std::string model_;
  std::string graph_;
};

/// A network of one node from `x` to `y`; its other inputs are to be added.
inline ModelBytes OneNode(std::int64_t opset, std::string_view op, std::initializer_list<std::string_view> inputs,
                          const std::vector<std::string>& attributes = {}, const Shape& shape = {1, 4, 8, 8}) {
  ModelBytes model(opset);
  model.Input("x", shape).Output("y").Node(op, inputs, {"y"}, attributes, "node");
  return model;
}

/// The operator of the only (or last) node, as type T; fails the test by throwing otherwise.
template <typename T>
T LastOperator(const Result<Graph>& graph) {
  return std::get<T>(graph.value().nodes.back().op);
}

}  // namespace kdequant::onnx

#endif  // KDEQUANT_TESTS_UNIT_ONNX_MODEL_BYTES_H_
