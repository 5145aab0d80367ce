#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "kdequant/base/half.h"
#include "model_bytes.h"
#include "tensor_data.h"

namespace kdequant::onnx {
namespace {

// The elements of the tensor as the second input of an addition to a float.
std::vector<float> AsFloats(const std::string& tensor) {
  const auto graph = OneNode(13, "Add", {"x", "t"}).Tensor(tensor).Read();
  REQUIRE_MESSAGE(graph.has_value(), (graph ? std::string() : graph.error().message));
  const auto* floats = graph->FloatConstant(graph->nodes[0].inputs[1]);
  REQUIRE(floats != nullptr);
  return floats->values;
}

// The elements of the tensor as a target shape.
std::vector<std::int64_t> AsInts(const std::string& tensor) {
  const auto graph = OneNode(13, "Reshape", {"x", "t"}).Tensor(tensor).Read();
  REQUIRE_MESSAGE(graph.has_value(), (graph ? std::string() : graph.error().message));
  return std::get<IntTensor>(*graph->value(graph->nodes[0].inputs[1]).constant).values;
}

Error ErrorOf(const std::string& tensor) { return OneNode(13, "Add", {"x", "t"}).Tensor(tensor).Read().error(); }

// A TensorProto whose elements are in a typed field.
template <typename Add>
std::string TypedTensor(DataType type, const Shape& dims, Add add) {
  std::string bytes;
  protozero::pbf_writer tensor(bytes);
  tensor.add_packed_int64(1, dims.begin(), dims.end());
  tensor.add_int32(2, static_cast<std::int32_t>(type));
  tensor.add_string(8, "t");
  add(tensor);
  return bytes;
}

TEST_CASE("every float type is widened or narrowed to float32") {
  const std::vector<float> expected{1.5F, -0.25F, 3};
  CHECK(AsFloats(RawTensor("t", DataType::kFloat, {3}, expected)) == expected);
  CHECK(AsFloats(RawTensor("t", DataType::kDouble, {3}, std::vector<double>{1.5, -0.25, 3})) == expected);
  CHECK(AsFloats(RawTensor("t", DataType::kFloat16, {3}, std::vector<std::uint16_t>{0x3e00, 0xb400, 0x4200})) ==
        expected);
  CHECK(AsFloats(RawTensor("t", DataType::kBFloat16, {3}, std::vector<std::uint16_t>{0x3fc0, 0xbe80, 0x4040})) ==
        expected);
}

TEST_CASE("floats in typed fields are read, packed or not") {
  const std::vector<float> expected{1.5F, -0.25F, 3};
  const std::vector<double> doubles{1.5, -0.25, 3};
  const std::vector<std::int32_t> halves{0x3e00, 0xb400, 0x4200};
  CHECK(AsFloats(TypedTensor(DataType::kFloat, {3},
                             [&](auto& t) { t.add_packed_float(4, expected.begin(), expected.end()); })) == expected);
  CHECK(AsFloats(TypedTensor(DataType::kFloat, {3}, [&](auto& t) {
          for (const float v : expected) t.add_float(4, v);
        })) == expected);
  CHECK(AsFloats(TypedTensor(DataType::kDouble, {3},
                             [&](auto& t) { t.add_packed_double(10, doubles.begin(), doubles.end()); })) == expected);
  CHECK(AsFloats(TypedTensor(DataType::kFloat16, {3},
                             [&](auto& t) { t.add_packed_int32(5, halves.begin(), halves.end()); })) == expected);
  // An empty raw_data beside the typed field, as some converters write.
  CHECK(AsFloats(TypedTensor(DataType::kFloat, {3}, [&](auto& t) {
          t.add_packed_float(4, expected.begin(), expected.end());
          t.add_bytes(9, "");
        })) == expected);
}

TEST_CASE("every integer type is read with its sign") {
  using List = std::vector<std::int64_t>;
  CHECK(AsInts(RawTensor("t", DataType::kInt64, {2}, List{-1, 1LL << 40})) == List{-1, 1LL << 40});
  CHECK(AsInts(RawTensor("t", DataType::kInt32, {2}, std::vector<std::int32_t>{-5, 7})) == List{-5, 7});
  CHECK(AsInts(RawTensor("t", DataType::kInt16, {2}, std::vector<std::int16_t>{-5, 7})) == List{-5, 7});
  CHECK(AsInts(RawTensor("t", DataType::kUint16, {1}, std::vector<std::uint16_t>{65535})) == List{65535});
  CHECK(AsInts(RawTensor("t", DataType::kInt8, {2}, std::vector<std::int8_t>{-5, 7})) == List{-5, 7});
  CHECK(AsInts(RawTensor("t", DataType::kUint8, {1}, std::vector<std::uint8_t>{200})) == List{200});
  CHECK(AsInts(RawTensor("t", DataType::kBool, {2}, std::vector<std::uint8_t>{1, 0})) == List{1, 0});
  CHECK(AsInts(RawTensor("t", DataType::kUint32, {1}, std::vector<std::uint32_t>{4000000000U})) == List{4000000000});
  CHECK(AsInts(RawTensor("t", DataType::kUint4, {3}, std::vector<std::uint8_t>{0xf1, 0x02})) == List{1, 15, 2});
  CHECK(AsInts(RawTensor("t", DataType::kInt4, {3}, std::vector<std::uint8_t>{0xf1, 0x08})) == List{1, -1, -8});
  const std::vector<std::int32_t> values{-3, 4};
  CHECK(AsInts(TypedTensor(DataType::kInt8, {2},
                           [&](auto& t) { t.add_packed_int32(5, values.begin(), values.end()); })) == List{-3, 4});
  const std::vector<std::int32_t> nibbles{0xf1, 0x02};
  CHECK(AsInts(TypedTensor(DataType::kUint4, {3},
                           [&](auto& t) { t.add_packed_int32(5, nibbles.begin(), nibbles.end()); })) == List{1, 15, 2});
  const std::vector<std::uint64_t> wide{3000000000U};
  CHECK(AsInts(TypedTensor(DataType::kUint32, {1},
                           [&](auto& t) { t.add_packed_uint64(11, wide.begin(), wide.end()); })) == List{3000000000});
}

TEST_CASE("bytes that do not fit the shape are bad input, with both numbers") {
  for (const std::size_t count : {0U, 5U, 7U}) {
    const auto error = ErrorOf(RawTensor("t", DataType::kFloat, {2, 3}, std::vector<float>(count)));
    CHECK(error.code == ErrorCode::kBadInput);
    CHECK(error.message.find("\"t\" of shape 2x3") != std::string::npos);
    CHECK(error.message.find("needs 24") != std::string::npos);
  }
  CHECK(ErrorOf(RawTensor("t", DataType::kUint4, {3}, std::vector<std::uint8_t>{1, 2, 3})).code ==
        ErrorCode::kBadInput);
  CHECK(ErrorOf(RawTensor("t", DataType::kFloat, {1}, std::string_view("abc"))).code == ErrorCode::kBadInput);
}

TEST_CASE("shapes whose product overflows are refused before anything is allocated") {
  const std::int64_t huge = std::numeric_limits<std::int64_t>::max();
  for (const Shape& shape :
       {Shape{huge, huge}, Shape{1LL << 32, 1LL << 32}, Shape{1 << 16, 1 << 16}, Shape{3037000500, 3037000500, 2}}) {
    CHECK(ErrorOf(RawTensor("t", DataType::kFloat, shape, std::vector<float>{1})).code == ErrorCode::kLimit);
  }
  CHECK(ErrorOf(RawTensor("t", DataType::kFloat, {-1}, std::vector<float>{1})).code == ErrorCode::kBadInput);
  CHECK(ErrorOf(RawTensor("t", DataType::kFloat, Shape(17, 1), std::vector<float>{1})).code == ErrorCode::kLimit);
}

TEST_CASE("external data, strings and 8-bit floats are refused with a clear word") {
  const auto external = ErrorOf(TypedTensor(DataType::kFloat, {3}, [](auto& t) { t.add_int32(14, 1); }));
  CHECK(external.code == ErrorCode::kUnsupported);
  CHECK(external.message.find("another file") != std::string::npos);
  CHECK(ErrorOf(RawTensor("t", DataType::kString, {1}, std::string_view())).code == ErrorCode::kUnsupported);
  CHECK(ErrorOf(RawTensor("t", static_cast<DataType>(17), {1}, std::string_view("a"))).message.find("data type 17") !=
        std::string::npos);
}

TEST_CASE("a tensor without elements is a tensor") {
  CHECK(AsInts(RawTensor("t", DataType::kInt64, {0}, std::string_view())).empty());
  CHECK(AsFloats(RawTensor("t", DataType::kFloat, {0}, std::string_view())).empty());
  CHECK(AsFloats(RawTensor("t", DataType::kFloat, {0x7fffffff, 0}, std::string_view())).empty());
}

TEST_CASE("Constant nodes give tensors and lists of every kind") {
  const auto add = [](const std::string& attribute) {
    ModelBytes model;
    model.Input("x", {1, 2}).Output("y").Node("Constant", {}, {"c"}, {attribute}).Node("Add", {"x", "c"}, {"y"});
    const auto graph = model.Read();
    REQUIRE(graph);
    CHECK(graph->nodes.size() == 1);
    return *graph->value(graph->nodes[0].inputs[1]).constant;
  };
  const auto tensor = add(TensorAttribute("value", RawTensor("", DataType::kFloat, {1, 2}, std::vector<float>{3, 4})));
  CHECK(std::get<FloatTensor>(tensor).shape == Shape{1, 2});
  CHECK(std::get<FloatTensor>(tensor).values == std::vector<float>{3, 4});
  CHECK(std::get<FloatTensor>(add(FloatAttribute("value_float", 2))).shape.empty());
  CHECK(std::get<IntTensor>(add(IntAttribute("value_int", 2))).values == std::vector<std::int64_t>{2});
  CHECK(std::get<IntTensor>(add(IntsAttribute("value_ints", {2, 3}))).shape == Shape{2});
}

TEST_CASE("one small tensor behind many nodes cannot become gigabytes") {
  ModelBytes model;
  model.Input("x", {1, 4}).Output("v20000");
  model.Tensor(RawTensor("q", DataType::kInt8, {4096}, std::vector<std::int8_t>(4096, 1))).Floats("scale", {}, {1});
  for (int i = 1; i <= 20'000; ++i) {
    const auto number = std::to_string(i);
    model.Node("DequantizeLinear", {"q", "scale"}, {"w" + number});
    model.Node("Add", {i == 1 ? "x" : "v" + std::to_string(i - 1), "w" + number}, {"v" + number});
  }
  CHECK(model.Read().error().code == ErrorCode::kLimit);
}

}  // namespace
}  // namespace kdequant::onnx
