#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "kdequant/base/half.h"
#include "kdequant/base/random.h"
#include "kdequant/onnx/writer.h"
#include "model_bytes.h"

namespace kdequant::onnx {
namespace {

// A step with the 17 significant bits that the format allows.
float RandomStep(Random& random) {
  const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(0.001 + 0.01 * random.Uniform()));
  return std::bit_cast<float>(bits & ~0x7fU);
}

enum class Tables { kOne, kThree, kOnePerChannel };

struct Kind {
  int bits;
  Tables tables;
  bool scales;
};

CodebookTensor RandomCodebook(Random& random, const Shape& shape, const Kind& kind) {
  CodebookTensor tensor{.shape = shape, .bits = kind.bits, .indices = {}, .codes = {}, .steps = {}, .scales = {}};
  const auto channels = static_cast<std::size_t>(shape[0]);
  const std::size_t count = ElementCount(shape).value();
  tensor.indices.assign(kind.bits > 4 ? count : (count + 1) / 2, 0);
  const auto size = static_cast<std::uint32_t>(tensor.TableSize());
  for (std::size_t i = 0; i < count; ++i) {
    const auto index = static_cast<std::uint8_t>(random.Below(size));
    if (kind.bits > 4) {
      tensor.indices[i] = index;
    } else {
      tensor.SetIndexAt(i, index);
    }
  }
  std::size_t tables = kind.tables == Tables::kOnePerChannel ? channels : 1;
  if (kind.tables == Tables::kThree && channels > 3) {
    tables = 3;
    for (std::size_t o = 0; o < channels; ++o) tensor.table_of.push_back(static_cast<std::uint8_t>((o * o) % 3));
    tensor.table_of.back() = 2;
  }
  for (std::size_t t = 0; t < tables; ++t) {
    std::vector<std::int8_t> codes(size);
    for (auto& code : codes) code = static_cast<std::int8_t>(static_cast<int>(random.Below(255)) - 127);
    codes[random.Below(size)] = random.Below(2) == 0 ? 127 : -127;
    std::ranges::sort(codes);
    tensor.codes.insert(tensor.codes.end(), codes.begin(), codes.end());
    tensor.steps.push_back(RandomStep(random));
  }
  for (std::size_t o = 0; kind.scales && o < channels; ++o) {
    tensor.scales.push_back(RoundToHalf(static_cast<float>(0.5 + random.Uniform())));
  }
  return tensor;
}

// x -> Conv or Gemm with the weight -> y.
Graph NetworkOf(Tensor weight) {
  const Shape shape = ShapeOf(weight);
  const bool conv = shape.size() == 4;
  Graph graph;
  graph.name = "network";
  const Shape input = conv ? Shape{1, shape[1], 8, 8} : Shape{1, shape[1]};
  const ValueId x = graph.AddValue({.name = "x", .type = ElementType::kFloat, .shape = input, .constant = nullptr});
  const ValueId w = graph.AddValue({.name = "layer.weight",
                                    .type = ElementType::kFloat,
                                    .shape = shape,
                                    .constant = std::make_shared<const Tensor>(std::move(weight))});
  const ValueId y = graph.AddValue({.name = "y", .type = ElementType::kFloat, .shape = {}, .constant = nullptr});
  Node node{.name = "layer", .op = Gemm{.trans_b = true}, .inputs = {x, w, kNoValue}, .outputs = {y}, .activation = {}};
  if (conv) node.op = Conv{.window = {.kernel = {shape[2], shape[3]}}, .groups = 1};
  graph.nodes.push_back(node);
  graph.inputs = {x};
  graph.outputs = {y};
  return graph;
}

Tensor WeightOf(const Graph& graph) { return *graph.value(graph.nodes.back().inputs[1]).constant; }

// The weight of NetworkOf(weight) after writing and reading.
Tensor ThroughFile(Tensor weight) {
  const auto bytes = WriteOnnx(NetworkOf(std::move(weight)));
  REQUIRE_MESSAGE(bytes.has_value(), (bytes ? std::string() : bytes.error().message));
  const auto graph = ReadOnnx(*bytes);
  REQUIRE_MESSAGE(graph.has_value(), (graph ? std::string() : graph.error().message));
  REQUIRE(graph->nodes.size() == 1);
  CHECK(graph->nodes[0].name == "layer");
  CHECK(graph->value(graph->nodes[0].inputs[1]).name == "layer.weight");
  return WeightOf(*graph);
}

void CheckEqual(const CodebookTensor& a, const CodebookTensor& b) {
  CHECK(a.shape == b.shape);
  CHECK(a.bits == b.bits);
  CHECK(a.indices == b.indices);
  CHECK(a.codes == b.codes);
  CHECK(a.steps == b.steps);
  CHECK(a.scales == b.scales);
  CHECK(a.table_of == b.table_of);
}

TEST_CASE("a codebook weight comes back exactly: every granularity, 2 to 8 bits, odd counts, Conv and Gemm") {
  Random random(1);
  for (const Shape& shape :
       {Shape{5, 3, 3, 3}, Shape{1, 1, 1, 1}, Shape{7, 5}, Shape{16, 4, 1, 1}, Shape{33, 2, 1, 1}}) {
    for (int bits = 2; bits <= 8; ++bits) {
      for (const Tables tables : {Tables::kOne, Tables::kThree, Tables::kOnePerChannel}) {
        for (const bool scales : {false, true}) {
          CAPTURE(ShapeToString(shape));
          CAPTURE(bits);
          const auto tensor = RandomCodebook(random, shape, {bits, tables, scales});
          const auto read = ThroughFile(tensor);
          REQUIRE(std::holds_alternative<CodebookTensor>(read));
          CheckEqual(std::get<CodebookTensor>(read), tensor);
        }
      }
    }
  }
}

TEST_CASE("a table of zeros has step 1, and a channel of zeros keeps its scale") {
  CodebookTensor tensor{.shape = {2, 4},
                        .bits = 4,
                        .indices = {0x10, 0x32, 0x54, 0x76},
                        .codes = std::vector<std::int8_t>(16, 0),
                        .steps = {1},
                        .scales = {1, 0.5F}};
  CheckEqual(std::get<CodebookTensor>(ThroughFile(tensor)), tensor);
  tensor.steps = {0.25F};
  CHECK(std::get<CodebookTensor>(ThroughFile(tensor)).steps == std::vector<float>{1});
}

TEST_CASE("a table whose largest code is below 127 is still a codebook of the same values") {
  CodebookTensor tensor{.shape = {1, 2},
                        .bits = 2,
                        .indices = {0x21},
                        .codes = {-90, -13, 7, 101},
                        .steps = {0x1.2468p-7F},
                        .scales = {}};
  CheckEqual(std::get<CodebookTensor>(ThroughFile(tensor)), tensor);
}

TEST_CASE("an 8-bit weight comes back exactly, scales in binary16 where they are") {
  Random random(2);
  for (const bool half : {false, true}) {
    Int8Tensor tensor{.shape = {40, 1, 3, 3}, .values = std::vector<std::int8_t>(360), .scales = {}};
    for (auto& value : tensor.values) value = static_cast<std::int8_t>(random.Below(256));
    for (int o = 0; o < 40; ++o) {
      const auto scale = static_cast<float>(random.Uniform());
      tensor.scales.push_back(half ? RoundToHalf(scale) : scale);
    }
    const auto read = ThroughFile(tensor);
    REQUIRE(std::holds_alternative<Int8Tensor>(read));
    CHECK(std::get<Int8Tensor>(read).shape == tensor.shape);
    CHECK(std::get<Int8Tensor>(read).values == tensor.values);
    CHECK(std::get<Int8Tensor>(read).scales == tensor.scales);
  }
}

TEST_CASE("binary16 scales are stored in two bytes each") {
  Random random(3);
  const auto size_with = [&](bool scales) {
    Random same(3);
    return WriteOnnx(NetworkOf(RandomCodebook(same, {1000, 1, 1, 1}, {4, Tables::kOne, scales}))).value().size();
  };
  const std::size_t extra = size_with(true) - size_with(false);
  CHECK(extra >= 2000);
  CHECK(extra <= 2100);  // the nodes Cast and Mul, and the names
}

TEST_CASE("weights that the format cannot hold exactly are an error, not another weight") {
  Random random(4);
  const auto good = RandomCodebook(random, {4, 4}, {4, Tables::kOne, true});
  const auto fails = [](CodebookTensor tensor) { return !WriteOnnx(NetworkOf(std::move(tensor))); };
  CHECK(!fails(good));
  auto tensor = good;
  tensor.steps[0] = 0.1F;  // 24 significant bits
  CHECK(fails(tensor));
  tensor = good;
  tensor.scales[1] = 0.1F;  // not a binary16
  CHECK(fails(tensor));
  tensor = good;
  std::ranges::reverse(tensor.codes);
  CHECK(fails(tensor));
  tensor = good;
  tensor.indices.pop_back();
  CHECK(fails(tensor));
}

// The pattern as somebody else might write it.
ModelBytes ForeignCodebook(const std::vector<float>& table, const std::vector<std::uint8_t>& indices,
                           const std::vector<float>& scales) {
  ModelBytes model(21);
  model.Input("x", {1, 2, 4, 4}).Output("y").Node("Cast", {"i"}, {"c"}, {IntAttribute("to", 7)});
  model.Node("Gather", {"t", "c"}, {"g"}, {IntAttribute("axis", 0)}).Node("Mul", {"s", "g"}, {"w"});
  model.Node("Conv", {"x", "w"}, {"y"});
  model.Tensor(RawTensor("i", DataType::kUint8, {2, 2, 1, 1}, indices));
  model.Floats("t", {static_cast<std::int64_t>(table.size())}, table).Floats("s", {2, 1, 1, 1}, scales);
  return model;
}

TEST_CASE("a foreign table that is no integer grid is read as the floats that it stands for") {
  const auto graph = ForeignCodebook({-0.1F, 0.01F, 0.2F, 0.7F}, {0, 1, 2, 3}, {1, 2}).Read();
  REQUIRE(graph);
  const auto weight = WeightOf(*graph);
  REQUIRE(std::holds_alternative<FloatTensor>(weight));
  CHECK(std::get<FloatTensor>(weight).values == std::vector<float>{-0.1F, 0.01F, 0.4F, 1.4F});
}

TEST_CASE("a foreign table on an integer grid, with byte indices and float scales, is a codebook") {
  const auto graph = ForeignCodebook({-1.27F * 0, 0.5F, 0.75F, 1.0F}, {3, 1, 2, 0}, {1, 2}).Read();
  REQUIRE(graph);
  REQUIRE(std::holds_alternative<CodebookTensor>(WeightOf(*graph)));
  const auto weight = WeightOf(*graph);
  const auto& codebook = std::get<CodebookTensor>(weight);
  CHECK(codebook.bits == 2);
  CHECK(codebook.indices == std::vector<std::uint8_t>{0x13, 0x02});
  CHECK(Dequantize(weight).value().values == std::vector<float>{1, 0.5F, 1.5F, 0});
}

TEST_CASE("scales that binary16 cannot hold make a foreign codebook a float weight") {
  const auto graph = ForeignCodebook({0, 0.5F, 0.75F, 1}, {3, 1, 2, 0}, {0.1F, 2}).Read();
  CHECK(std::holds_alternative<FloatTensor>(WeightOf(graph.value())));
}

TEST_CASE("an index outside its table is bad input") {
  CHECK(ForeignCodebook({0, 0.5F, 0.75F, 1}, {3, 1, 4, 0}, {1, 2}).Read().error().code == ErrorCode::kBadInput);
}

TEST_CASE("a quantized weight with a second user of its floats is a float weight") {
  auto model = ForeignCodebook({0, 0.5F, 0.75F, 1}, {3, 1, 2, 0}, {1, 2});
  model.Output("z").Node("Add", {"x", "w"}, {"z"});
  const auto graph = model.Read();
  REQUIRE(graph);
  for (const Value& value : graph->values)
    CHECK((!value.constant || std::holds_alternative<FloatTensor>(*value.constant)));
}

TEST_CASE("DequantizeLinear on constants is computed for every integer type, per tensor and per axis") {
  const auto weight = [](const std::string& q, const std::vector<std::string>& more,
                         std::initializer_list<std::string_view> inputs, std::int64_t axis) {
    ModelBytes model(21);
    model.Input("x", {1, 3}).Output("y").Node("DequantizeLinear", inputs, {"w"}, {IntAttribute("axis", axis)});
    model.Node("Add", {"x", "w"}, {"y"}).Tensor(q);
    for (const auto& tensor : more) model.Tensor(tensor);
    return std::get<FloatTensor>(WeightOf(model.Read().value())).values;
  };
  using Floats = std::vector<float>;
  const auto scale = [](const Floats& values) {
    return RawTensor("s", DataType::kFloat,
                     values.size() == 1 ? Shape{} : Shape{static_cast<std::int64_t>(values.size())}, values);
  };
  const auto int8 = RawTensor("q", DataType::kInt8, {2, 3}, std::vector<std::int8_t>{-1, 2, 3, 4, -5, 6});
  CHECK(weight(int8, {scale({0.5F})}, {"q", "s"}, 1) == Floats{-0.5F, 1, 1.5F, 2, -2.5F, 3});
  CHECK(weight(int8, {scale({1, 2, 4})}, {"q", "s"}, 1) == Floats{-1, 4, 12, 4, -10, 24});
  CHECK(weight(int8, {scale({1, 2})}, {"q", "s"}, -2) == Floats{-1, 2, 3, 8, -10, 12});
  const auto uint8 = RawTensor("q", DataType::kUint8, {2, 3}, std::vector<std::uint8_t>{127, 128, 129, 0, 255, 128});
  const auto zero = RawTensor("z", DataType::kUint8, {}, std::vector<std::uint8_t>{128});
  CHECK(weight(uint8, {scale({1}), zero}, {"q", "s", "z"}, 1) == Floats{-1, 0, 1, -128, 127, 0});
  const auto int4 = RawTensor("q", DataType::kInt4, {1, 3}, std::vector<std::uint8_t>{0x8f, 0x07});
  CHECK(weight(int4, {scale({2})}, {"q", "s"}, 1) == Floats{-2, -16, 14});
  const auto int32 = RawTensor("q", DataType::kInt32, {3}, std::vector<std::int32_t>{-100000, 5, 7});
  CHECK(weight(int32, {scale({0.5F})}, {"q", "s"}, 0) == Floats{-50000, 2.5F, 3.5F});
}

TEST_CASE("an INT8 weight with zero point 0 stays 8-bit where the output channel is its first axis") {
  const auto read = [](std::int64_t axis, std::int64_t transposed, std::int8_t zero_point) {
    ModelBytes model(13);
    model.Input("x", {1, 2}).Output("y").Node("DequantizeLinear", {"q", "s", "z"}, {"w"}, {IntAttribute("axis", axis)});
    model.Node("Gemm", {"x", "w"}, {"y"}, {IntAttribute("transB", transposed)});
    model.Tensor(RawTensor("q", DataType::kInt8, {2, 2}, std::vector<std::int8_t>{1, 2, 3, 4}))
        .Floats("s", {2}, {1, 2});
    model.Tensor(RawTensor("z", DataType::kInt8, {2}, std::vector<std::int8_t>{0, zero_point}));
    return std::holds_alternative<Int8Tensor>(WeightOf(model.Read().value()));
  };
  CHECK(read(0, 1, 0));
  CHECK(!read(1, 1, 0));  // scales along the inputs
  CHECK(!read(0, 0, 0));  // first axis is the inputs
  CHECK(!read(0, 1, 3));
}

TEST_CASE("QuantizeLinear before DequantizeLinear rounds weights, ties to even, and saturates") {
  ModelBytes model(13);
  model.Input("x", {1, 6})
      .Output("y")
      .Node("QuantizeLinear", {"f", "s", "z"}, {"q"})
      .Node("DequantizeLinear", {"q", "s", "z"}, {"w"});
  model.Node("Add", {"x", "w"}, {"y"})
      .Floats("f", {6}, {0.25F, 0.75F, -0.25F, 1000, -1000, 0.3F})
      .Floats("s", {}, {0.5F});
  model.Tensor(RawTensor("z", DataType::kInt8, {}, std::vector<std::int8_t>{0}));
  CHECK(std::get<FloatTensor>(WeightOf(model.Read().value())).values == std::vector<float>{0, 1, 0, 63.5F, -64, 0.5F});
}

TEST_CASE("quantized activations are refused with the advice to take the float model") {
  const auto graph = OneNode(13, "DequantizeLinear", {"x", "s"}).Floats("s", {}, {1}).Read();
  CHECK(graph.error().code == ErrorCode::kUnsupported);
  CHECK(graph.error().message.find("float model") != std::string::npos);
}

}  // namespace
}  // namespace kdequant::onnx
