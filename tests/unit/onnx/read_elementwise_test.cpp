#include <doctest/doctest.h>

#include <limits>
#include <set>

#include "model_bytes.h"

namespace kdequant::onnx {
namespace {

Activation ReadFunction(const Result<Graph>& graph) { return LastOperator<Activate>(graph).function; }

TEST_CASE("Clip's bounds are attributes until opset 10 and inputs since, and absent ones are infinite") {
  using Kind = Activation::Kind;
  const Activation relu6{.kind = Kind::kClip, .a = 0, .b = 6};
  CHECK(ReadFunction(OneNode(10, "Clip", {"x"}, {FloatAttribute("min", 0), FloatAttribute("max", 6)}).Read()) == relu6);
  CHECK(ReadFunction(OneNode(11, "Clip", {"x", "low", "high"}).Floats("low", {}, {0}).Floats("high", {}, {6}).Read()) ==
        relu6);
  CHECK(ReadFunction(OneNode(13, "Clip", {"x", "", "high"}).Floats("high", {1}, {6}).Read()) ==
        Activation{.kind = Kind::kClip, .a = -kInfinity, .b = 6});
  const float largest = std::numeric_limits<float>::max();
  CHECK(ReadFunction(
            OneNode(7, "Clip", {"x"}, {FloatAttribute("min", -largest), FloatAttribute("max", largest)}).Read()) ==
        Activation{.kind = Kind::kClip, .a = -kInfinity, .b = kInfinity});
}

TEST_CASE("a bound of Clip may come from a Constant node, through Identity and Cast") {
  ModelBytes model(13);
  model.Input("x", {1, 4}).Output("y");
  model.Node("Constant", {}, {"c"}, {FloatAttribute("value_float", 6)}).Node("Identity", {"c"}, {"d"});
  model.Node("Constant", {}, {"i"}, {IntAttribute("value_int", 1)}).Node("Cast", {"i"}, {"j"}, {IntAttribute("to", 1)});
  model.Node("Clip", {"x", "j", "d"}, {"y"});
  const auto graph = model.Read();
  REQUIRE(graph);
  CHECK(graph->nodes.size() == 1);
  CHECK(ReadFunction(graph) == Activation{.kind = Activation::Kind::kClip, .a = 1, .b = 6});
}

TEST_CASE("a bound of Clip that is computed is refused with the node's name") {
  ModelBytes model(13);
  model.Input("x", {1, 4}).Output("y").Node("Sigmoid", {"x"}, {"s"}).Node("Clip", {"x", "s"}, {"y"}, {}, "clip");
  const auto graph = model.Read();
  REQUIRE(!graph);
  CHECK(graph.error().code == ErrorCode::kUnsupported);
  CHECK(graph.error().layer == "clip");
  CHECK(graph.error().message.find("min is computed") != std::string::npos);
}

TEST_CASE("activations have ONNX's default parameters") {
  CHECK(ReadFunction(OneNode(13, "LeakyRelu", {"x"}).Read()).a == 0.01F);
  CHECK(ReadFunction(OneNode(13, "LeakyRelu", {"x"}, {FloatAttribute("alpha", 0.1F)}).Read()).a == 0.1F);
  CHECK(ReadFunction(OneNode(13, "Elu", {"x"}).Read()).a == 1);
  const auto hard_sigmoid = ReadFunction(OneNode(13, "HardSigmoid", {"x"}).Read());
  CHECK(hard_sigmoid.a == 0.2F);
  CHECK(hard_sigmoid.b == 0.5F);
  CHECK(ReadFunction(OneNode(14, "HardSwish", {"x"}).Read()).kind == Activation::Kind::kHardSwish);
  CHECK(ReadFunction(OneNode(13, "Tanh", {"x"}).Read()).kind == Activation::Kind::kTanh);
  CHECK(ReadFunction(OneNode(24, "Swish", {"x"}).Read()).kind == Activation::Kind::kSwish);
}

TEST_CASE("Sum of n inputs is n - 1 additions whose intermediate names are taken by nobody") {
  ModelBytes model(13);
  model.Input("x", {1, 4})
      .Output("y")
      .Node("Relu", {"x"}, {"partial_sum"})
      .Node("Sum", {"x", "partial_sum", "x", "x"}, {"y"}, {}, "sum");
  const auto graph = model.Read();
  REQUIRE(graph);
  CHECK(graph->nodes.size() == 4);
  std::set<std::string> names;
  for (const Value& value : graph->values) CHECK(names.insert(value.name).second);
  CHECK(graph->nodes.back().name == "sum");
  CHECK(graph->value(graph->nodes.back().outputs[0]).name == "y");
  CHECK(graph->nodes[2].inputs[0] == graph->nodes[1].outputs[0]);
  const auto one = OneNode(13, "Sum", {"x"}).Read();
  CHECK(std::holds_alternative<Identity>(one.value().nodes.back().op));
}

TEST_CASE("Dropout is the identity unless it trains") {
  CHECK(std::holds_alternative<Identity>(
      OneNode(7, "Dropout", {"x"}, {FloatAttribute("ratio", 0.5F)}).Read().value().nodes[0].op));
  const std::string on = RawTensor("t", DataType::kBool, {}, std::vector<std::uint8_t>{1});
  const std::string off = RawTensor("t", DataType::kBool, {}, std::vector<std::uint8_t>{0});
  CHECK(OneNode(13, "Dropout", {"x", "", "t"}).Tensor(off).Read().has_value());
  CHECK(OneNode(13, "Dropout", {"x", "", "t"}).Tensor(on).Read().error().code == ErrorCode::kUnsupported);
}

TEST_CASE("the four arithmetic operators keep their order of inputs") {
  for (const auto& [name, kind] :
       {std::pair{"Add", Elementwise::Kind::kAdd}, std::pair{"Sub", Elementwise::Kind::kSub},
        std::pair{"Mul", Elementwise::Kind::kMul}, std::pair{"Div", Elementwise::Kind::kDiv}}) {
    const auto graph = OneNode(13, name, {"c", "x"}).Weights("c", {1, 4, 1, 1}).Read();
    REQUIRE(graph);
    CHECK(LastOperator<Elementwise>(graph).kind == kind);
    CHECK(graph->IsConstant(graph->nodes[0].inputs[0]));
    CHECK(graph->nodes[0].inputs[1] == graph->inputs[0]);
  }
}

}  // namespace
}  // namespace kdequant::onnx
