#include <doctest/doctest.h>

#include "model_bytes.h"

namespace kdequant::onnx {
namespace {

using Array2 = std::array<std::int64_t, 2>;
using Array4 = std::array<std::int64_t, 4>;

TEST_CASE("a convolution takes its kernel from the weight and ONNX's defaults for the rest") {
  const auto graph = OneNode(13, "Conv", {"x", "w"}).Weights("w", {6, 4, 3, 5}).Read();
  REQUIRE(graph);
  const auto conv = LastOperator<Conv>(graph);
  CHECK(conv.window.kernel == Array2{3, 5});
  CHECK(conv.window.strides == Array2{1, 1});
  CHECK(conv.window.dilations == Array2{1, 1});
  CHECK(conv.window.pads == Array4{0, 0, 0, 0});
  CHECK(conv.window.auto_pad == AutoPad::kExplicit);
  CHECK(conv.groups == 1);
  const Node& node = graph->nodes.back();
  REQUIRE(node.inputs.size() == 3);
  CHECK(node.inputs[2] == kNoValue);
  CHECK(node.name == "node");
  CHECK(graph->FloatConstant(node.inputs[1])->shape == Shape{6, 4, 3, 5});
  CHECK(graph->FloatConstant(node.inputs[1])->values[7] == 7);
}

TEST_CASE("a convolution's attributes are all read") {
  const auto graph =
      OneNode(11, "Conv", {"x", "w", "b"},
              {IntsAttribute("kernel_shape", {3, 3}), IntsAttribute("strides", {2, 1}),
               IntsAttribute("dilations", {1, 2}), IntsAttribute("pads", {0, 1, 2, 3}), IntAttribute("group", 4)})
          .Weights("w", {4, 1, 3, 3})
          .Weights("b", {4})
          .Read();
  REQUIRE(graph);
  const auto conv = LastOperator<Conv>(graph);
  CHECK(conv.window.strides == Array2{2, 1});
  CHECK(conv.window.dilations == Array2{1, 2});
  CHECK(conv.window.pads == Array4{0, 1, 2, 3});
  CHECK(conv.groups == 4);
  CHECK(graph->IsConstant(graph->nodes.back().inputs[2]));
}

TEST_CASE("auto_pad wins over pads, which some exporters write as well") {
  for (const auto& [text, expected] :
       {std::pair{"SAME_UPPER", AutoPad::kSameUpper}, std::pair{"SAME_LOWER", AutoPad::kSameLower},
        std::pair{"VALID", AutoPad::kValid}, std::pair{"NOTSET", AutoPad::kExplicit}}) {
    const auto graph =
        OneNode(13, "Conv", {"x", "w"}, {StringAttribute("auto_pad", text), IntsAttribute("pads", {1, 1, 1, 1})})
            .Weights("w", {4, 4, 3, 3})
            .Read();
    const auto window = LastOperator<Conv>(graph).window;
    CHECK(window.auto_pad == expected);
    CHECK(window.pads == (expected == AutoPad::kExplicit ? Array4{1, 1, 1, 1} : Array4{0, 0, 0, 0}));
  }
}

TEST_CASE("a kernel_shape that contradicts the weight is bad input") {
  const auto graph =
      OneNode(13, "Conv", {"x", "w"}, {IntsAttribute("kernel_shape", {5, 5})}).Weights("w", {4, 4, 3, 3}).Read();
  REQUIRE(!graph);
  CHECK(graph.error().code == ErrorCode::kBadInput);
  CHECK(graph.error().layer == "node");
}

TEST_CASE("1-D and 3-D convolutions and pools are refused by name") {
  const auto conv = OneNode(13, "Conv", {"x", "w"}).Weights("w", {4, 4, 3}).Read();
  REQUIRE(!conv);
  CHECK(conv.error().code == ErrorCode::kUnsupported);
  CHECK(conv.error().message.find("\"node\" (Conv)") != std::string::npos);
  CHECK(conv.error().message.find("2-D") != std::string::npos);
  const auto pool = OneNode(13, "MaxPool", {"x"}, {IntsAttribute("kernel_shape", {2, 2, 2})}).Read();
  REQUIRE(!pool);
  CHECK(pool.error().message.find("3 axes") != std::string::npos);
}

TEST_CASE("an attribute that nobody understands makes a node unsupported instead of wrong") {
  const auto graph = OneNode(13, "Relu", {"x"}, {FloatAttribute("slope", 0.5F)}).Read();
  REQUIRE(!graph);
  CHECK(graph.error().code == ErrorCode::kUnsupported);
  CHECK(graph.error().message.find("slope") != std::string::npos);
}

TEST_CASE("Gemm keeps alpha, beta and both transpositions") {
  const auto graph =
      OneNode(9, "Gemm", {"x", "w", "c"},
              {FloatAttribute("alpha", 0.5F), FloatAttribute("beta", 2), IntAttribute("transB", 1)}, {1, 4})
          .Weights("w", {3, 4})
          .Weights("c", {3})
          .Read();
  const auto gemm = LastOperator<Gemm>(graph);
  CHECK(gemm.alpha == 0.5F);
  CHECK(gemm.beta == 2);
  CHECK(!gemm.trans_a);
  CHECK(gemm.trans_b);
}

TEST_CASE("BatchNormalization is read from every version as long as it is for inference") {
  const auto normalize = [](std::int64_t opset, const std::vector<std::string>& attributes) {
    ModelBytes model(opset);
    model.Input("x", {1, 4, 8, 8})
        .Output("y")
        .Node("BatchNormalization", {"x", "s", "b", "m", "v"}, {"y", "", "saved"}, attributes, "bn");
    for (const auto name : {"s", "b", "m", "v"}) model.Weights(name, {4});
    return model.Read();
  };
  CHECK(LastOperator<BatchNormalization>(normalize(7, {FloatAttribute("momentum", 0.9F), IntAttribute("spatial", 1)}))
            .epsilon == 1e-5F);
  CHECK(LastOperator<BatchNormalization>(normalize(15, {FloatAttribute("epsilon", 1e-3F)})).epsilon == 1e-3F);
  CHECK(normalize(14, {IntAttribute("training_mode", 1)}).error().code == ErrorCode::kUnsupported);
  CHECK(normalize(7, {IntAttribute("spatial", 0)}).error().code == ErrorCode::kUnsupported);
}

TEST_CASE("MaxPool's indices may be there as long as nobody uses them") {
  const auto pool = [](std::string_view output) {
    ModelBytes model(12);
    model.Input("x", {1, 4, 8, 8}).Output(output);
    model.Node("MaxPool", {"x"}, {"y", "indices"},
               {IntsAttribute("kernel_shape", {3, 3}), IntsAttribute("strides", {2, 2}), IntAttribute("ceil_mode", 1),
                IntAttribute("storage_order", 0)});
    return model.Read();
  };
  const auto unused = pool("y");
  REQUIRE(unused);
  CHECK(LastOperator<Pool>(unused).ceil_mode);
  CHECK(LastOperator<Pool>(unused).kind == Pool::Kind::kMax);
  CHECK(unused->nodes.back().outputs.size() == 1);
  CHECK(unused->nodes.back().name == "y");
  CHECK(pool("indices").error().code == ErrorCode::kUnsupported);
}

TEST_CASE("AveragePool counts padding only when told") {
  const auto graph = [](std::vector<std::string> attributes) {
    attributes.push_back(IntsAttribute("kernel_shape", {2, 2}));
    return OneNode(19, "AveragePool", {"x"}, attributes).Read();
  };
  CHECK(!LastOperator<Pool>(graph({})).count_include_pad);
  CHECK(LastOperator<Pool>(graph({IntAttribute("count_include_pad", 1)})).count_include_pad);
  CHECK(LastOperator<Pool>(graph({IntsAttribute("dilations", {2, 2})})).window.dilations == Array2{2, 2});
}

TEST_CASE("ReduceMean's axes move from an attribute to an input in opset 18") {
  using Axes = std::vector<std::int64_t>;
  CHECK(LastOperator<ReduceMean>(OneNode(13, "ReduceMean", {"x"}, {IntsAttribute("axes", {2, 3})}).Read()).axes ==
        Axes{2, 3});
  const auto later = OneNode(18, "ReduceMean", {"x", "a"}, {IntAttribute("keepdims", 0)}).Ints("a", {-1, -2}).Read();
  CHECK(LastOperator<ReduceMean>(later).axes == Axes{-1, -2});
  CHECK(!LastOperator<ReduceMean>(later).keep_dimensions);
  CHECK(LastOperator<ReduceMean>(OneNode(18, "ReduceMean", {"x"}).Read()).axes.empty());
  const auto nothing = OneNode(18, "ReduceMean", {"x"}, {IntAttribute("noop_with_empty_axes", 1)}).Read();
  CHECK(std::holds_alternative<Identity>(nothing.value().nodes.back().op));
}

TEST_CASE("Softmax works over all axes from `axis` on before opset 13, over one axis since") {
  const auto old = LastOperator<Softmax>(OneNode(11, "Softmax", {"x"}).Read());
  CHECK(old.axis == 1);
  CHECK(old.flatten);
  const auto now = LastOperator<Softmax>(OneNode(13, "LogSoftmax", {"x"}).Read());
  CHECK(now.axis == -1);
  CHECK(!now.flatten);
  CHECK(now.log);
}

TEST_CASE("LRN keeps its four numbers and needs a size") {
  const auto lrn =
      LastOperator<Lrn>(OneNode(13, "LRN", {"x"}, {IntAttribute("size", 5), FloatAttribute("alpha", 2e-5F)}).Read());
  CHECK(lrn.size == 5);
  CHECK(lrn.alpha == 2e-5F);
  CHECK(lrn.beta == 0.75F);
  CHECK(OneNode(13, "LRN", {"x"}).Read().error().code == ErrorCode::kBadInput);
}

}  // namespace
}  // namespace kdequant::onnx
