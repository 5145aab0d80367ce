#include <doctest/doctest.h>

#include "model_bytes.h"

namespace kdequant::onnx {
namespace {

using List = std::vector<std::int64_t>;

TEST_CASE("Slice is the same from attributes and from inputs") {
  const auto check = [](const Result<Graph>& graph) {
    const auto slice = LastOperator<Slice>(graph);
    CHECK(slice.starts == List{0, 1});
    CHECK(slice.ends == List{4, -1});
    CHECK(slice.axes == List{1, 2});
    CHECK(slice.steps == List{1, 1});
  };
  check(OneNode(9, "Slice", {"x"},
                {IntsAttribute("starts", {0, 1}), IntsAttribute("ends", {4, -1}), IntsAttribute("axes", {1, 2})})
            .Read());
  check(OneNode(13, "Slice", {"x", "s", "e", "a"}).Ints("s", {0, 1}).Ints("e", {4, -1}).Ints("a", {1, 2}).Read());
}

TEST_CASE("Slice without axes slices the first ones, and keeps its steps") {
  const auto slice = LastOperator<Slice>(
      OneNode(13, "Slice", {"x", "s", "e", "", "t"}).Ints("s", {0, 7}).Ints("e", {1, 0}).Ints("t", {1, -2}).Read());
  CHECK(slice.axes == List{0, 1});
  CHECK(slice.steps == List{1, -2});
  CHECK(
      OneNode(13, "Slice", {"x", "s", "e", "", "t"}).Ints("s", {0}).Ints("e", {1}).Ints("t", {0}).Read().error().code ==
      ErrorCode::kBadInput);
  CHECK(OneNode(13, "Slice", {"x", "s", "e"}).Ints("s", {0, 0}).Ints("e", {1}).Read().error().code ==
        ErrorCode::kBadInput);
}

TEST_CASE("Squeeze and Unsqueeze take their axes from either place") {
  CHECK(LastOperator<Squeeze>(OneNode(11, "Squeeze", {"x"}, {IntsAttribute("axes", {0})}).Read()).axes == List{0});
  CHECK(LastOperator<Squeeze>(OneNode(13, "Squeeze", {"x", "a"}).Ints("a", {-1}).Read()).axes == List{-1});
  CHECK(LastOperator<Squeeze>(OneNode(13, "Squeeze", {"x"}).Read()).axes.empty());
  CHECK(LastOperator<Unsqueeze>(OneNode(13, "Unsqueeze", {"x", "a"}).Ints("a", {0, 5}).Read()).axes == List{0, 5});
  CHECK(OneNode(11, "Unsqueeze", {"x"}).Read().error().code == ErrorCode::kBadInput);
}

TEST_CASE("Pad is the same from attributes, inputs, and inputs for some axes") {
  const auto check = [](const Result<Graph>& graph) {
    const auto pad = LastOperator<Pad>(graph);
    CHECK(pad.pads == List{0, 0, 1, 2, 0, 0, 3, 4});
    CHECK(pad.value == 0.5F);
    CHECK(pad.mode == Pad::Mode::kConstant);
  };
  check(OneNode(10, "Pad", {"x"}, {IntsAttribute("pads", {0, 0, 1, 2, 0, 0, 3, 4}), FloatAttribute("value", 0.5F)})
            .Read());
  check(OneNode(11, "Pad", {"x", "p", "v"}).Ints("p", {0, 0, 1, 2, 0, 0, 3, 4}).Floats("v", {}, {0.5F}).Read());
  check(OneNode(18, "Pad", {"x", "p", "v", "a"})
            .Ints("p", {2, 1, 4, 3})
            .Floats("v", {}, {0.5F})
            .Ints("a", {-1, 2})
            .Read());
  CHECK(LastOperator<Pad>(
            OneNode(11, "Pad", {"x", "p"}, {StringAttribute("mode", "reflect")}).Ints("p", List(8, 1)).Read())
            .mode == Pad::Mode::kReflect);
  CHECK(OneNode(19, "Pad", {"x", "p"}, {StringAttribute("mode", "wrap")}).Ints("p", List(8, 1)).Read().error().code ==
        ErrorCode::kUnsupported);
}

TEST_CASE("Split has sizes from either place or equal parts, and a value for a part nobody names") {
  const auto split = [](std::int64_t opset, std::initializer_list<std::string_view> inputs,
                        const std::vector<std::string>& attributes) {
    ModelBytes model(opset);
    model.Input("x", {1, 4, 8, 8}).Output("y").Node("Split", inputs, {"y", ""}, attributes).Ints("s", {3, 1});
    return model.Read();
  };
  CHECK(LastOperator<Split>(split(11, {"x"}, {IntAttribute("axis", 1), IntsAttribute("split", {3, 1})})).sizes ==
        List{3, 1});
  CHECK(LastOperator<Split>(split(13, {"x", "s"}, {})).sizes == List{3, 1});
  const auto equal = split(18, {"x"}, {IntAttribute("num_outputs", 2)});
  CHECK(LastOperator<Split>(equal).sizes.empty());
  CHECK(equal->nodes[0].outputs.size() == 2);
  CHECK(equal->value(equal->nodes[0].outputs[1]).name != "");
  CHECK(split(18, {"x"}, {IntAttribute("num_outputs", 3)}).error().code == ErrorCode::kBadInput);
}

TEST_CASE("the shape arithmetic of a flattening view is read with integer values") {
  ModelBytes model(11);
  model.Input("x", {-1, 4, 8, 8}).Output("y");
  model.Node("Shape", {"x"}, {"shape"}).Node("Gather", {"shape", "zero"}, {"batch"}, {IntAttribute("axis", 0)});
  model.Node("Unsqueeze", {"batch"}, {"list"}, {IntsAttribute("axes", {0})})
      .Node("Concat", {"list", "rest"}, {"target"}, {IntAttribute("axis", 0)});
  model.Node("Reshape", {"x", "target"}, {"y"}).Ints("rest", {-1});
  model.Tensor(RawTensor("zero", DataType::kInt64, {}, List{0}));
  const auto graph = model.Read();
  REQUIRE(graph);
  CHECK(graph->nodes.size() == 5);
  for (const Value& value : graph->values) {
    CHECK((value.type == ElementType::kInt) == (value.name != "x" && value.name != "y"));
  }
}

TEST_CASE("Shape of a part is Shape and Slice") {
  const auto graph = OneNode(15, "Shape", {"x"}, {IntAttribute("start", -2), IntAttribute("end", 3)}).Read();
  REQUIRE(graph);
  REQUIRE(graph->nodes.size() == 2);
  CHECK(LastOperator<Slice>(graph).starts == List{-2});
  CHECK(LastOperator<Slice>(graph).ends == List{3});
}

TEST_CASE("Cast is to float, to integer, or nothing") {
  const auto cast = [](std::int64_t to) { return OneNode(13, "Cast", {"x"}, {IntAttribute("to", to)}).Read(); };
  CHECK(LastOperator<Cast>(cast(7)).to == Cast::To::kInt);
  CHECK(std::holds_alternative<Identity>(cast(10).value().nodes[0].op));  // float16: floats all the same
  CHECK(cast(3).error().code == ErrorCode::kUnsupported);                 // int8 would wrap
}

TEST_CASE("ConstantOfShape is float zero unless it says what") {
  const auto zero = OneNode(13, "ConstantOfShape", {"s"}).Ints("s", {1, 2}).Read();
  CHECK(std::get<FloatTensor>(LastOperator<ConstantOfShape>(zero).value).values == std::vector<float>{0});
  const auto seven =
      OneNode(13, "ConstantOfShape", {"s"},
              {TensorAttribute("value", RawTensor("", DataType::kInt32, {1}, std::vector<std::int32_t>{7}))})
          .Ints("s", {1, 2})
          .Read();
  CHECK(std::get<IntTensor>(LastOperator<ConstantOfShape>(seven).value).values == List{7});
}

TEST_CASE("a constant list behind Constant, Identity and Cast still becomes an attribute") {
  ModelBytes model(13);
  model.Input("x", {1, 4}).Output("y").Node("Constant", {}, {"c"}, {IntsAttribute("value_ints", {0})});
  model.Node("Cast", {"c"}, {"d"}, {IntAttribute("to", 6)})
      .Node("Cast", {"d"}, {"e"}, {IntAttribute("to", 7)})
      .Node("Squeeze", {"x", "e"}, {"y"});
  CHECK(LastOperator<Squeeze>(model.Read()).axes == List{0});
}

}  // namespace
}  // namespace kdequant::onnx
