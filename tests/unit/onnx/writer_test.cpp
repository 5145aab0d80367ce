#include "kdequant/onnx/writer.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "model_bytes.h"

namespace kdequant::onnx {
namespace {

Graph Again(const Graph& graph) {
  const auto bytes = WriteOnnx(graph);
  REQUIRE_MESSAGE(bytes.has_value(), (bytes ? std::string() : bytes.error().message));
  auto read = ReadOnnx(*bytes);
  REQUIRE_MESSAGE(read.has_value(), (read ? std::string() : read.error().message));
  return std::move(*read);
}

Value FloatValue(std::string name) {
  return {.name = std::move(name), .type = ElementType::kFloat, .shape = Shape{1, 4, 8, 8}, .constant = nullptr};
}

// x -> op with a fused activation -> y.
Graph Fused(Operator op, const Activation& activation) {
  Graph graph;
  const ValueId x = graph.AddValue(FloatValue("x"));
  const ValueId y = graph.AddValue(FloatValue("y"));
  graph.nodes.push_back(
      {.name = "layer", .op = std::move(op), .inputs = {x, x}, .outputs = {y}, .activation = activation});
  graph.inputs = {x};
  graph.outputs = {y};
  return graph;
}

TEST_CASE("writing is deterministic, and reading and writing again gives the same bytes") {
  ModelBytes model(13);
  model.Input("x", {1, 3, 8, 8})
      .Output("y")
      .Node("Conv", {"x", "w", "b"}, {"c"}, {IntsAttribute("pads", {0, 0, 1, 1})}, "conv")
      .Node("Clip", {"c", "lo", "hi"}, {"d"});
  model.Node("Slice", {"d", "s", "e"}, {"f"})
      .Node("Softmax", {"f"}, {"y"})
      .Weights("w", {4, 3, 2, 2})
      .Weights("b", {4});
  model.Floats("lo", {}, {0}).Floats("hi", {}, {6}).Ints("s", {0}).Ints("e", {1}).Metadata("kdequant.preprocess", "tf");
  const auto once = WriteOnnx(model.Read().value());
  REQUIRE(once);
  CHECK(*once == WriteOnnx(model.Read().value()).value());
  CHECK(*once == WriteOnnx(ReadOnnx(*once).value()).value());
}

TEST_CASE("a fused activation becomes a node of its own behind <output>/pre") {
  const auto graph =
      Again(Fused(Elementwise{Elementwise::Kind::kAdd}, {.kind = Activation::Kind::kClip, .a = 0, .b = 6}));
  REQUIRE(graph.nodes.size() == 2);
  CHECK(graph.nodes[0].name == "layer");
  CHECK(graph.value(graph.nodes[0].outputs[0]).name == "y/pre");
  CHECK(graph.value(graph.nodes[1].outputs[0]).name == "y");
  CHECK(std::get<Activate>(graph.nodes[1].op).function == Activation{.kind = Activation::Kind::kClip, .a = 0, .b = 6});
}

TEST_CASE("every activation comes back, Swish as its two ONNX nodes") {
  using Kind = Activation::Kind;
  const float infinity = std::numeric_limits<float>::infinity();
  for (const Activation& activation :
       {Activation{.kind = Kind::kRelu}, Activation{.kind = Kind::kClip, .a = -infinity, .b = 6},
        Activation{.kind = Kind::kClip, .a = -1, .b = infinity}, Activation{.kind = Kind::kLeakyRelu, .a = 0.1F},
        Activation{.kind = Kind::kLeakyRelu, .a = 0}, Activation{.kind = Kind::kElu, .a = 0.5F},
        Activation{.kind = Kind::kHardSwish}, Activation{.kind = Kind::kHardSigmoid, .a = 0.25F, .b = 0},
        Activation{.kind = Kind::kSigmoid}, Activation{.kind = Kind::kTanh}}) {
    const auto graph = Again(Fused(Elementwise{Elementwise::Kind::kMul}, activation));
    REQUIRE(graph.nodes.size() == 2);
    CHECK(std::get<Activate>(graph.nodes[1].op).function == activation);
  }
  const auto swish = Again(Fused(Elementwise{Elementwise::Kind::kMul}, {.kind = Kind::kSwish}));
  REQUIRE(swish.nodes.size() == 3);
  CHECK(std::get<Activate>(swish.nodes[1].op).function.kind == Kind::kSigmoid);
  CHECK(std::get<Elementwise>(swish.nodes[2].op).kind == Elementwise::Kind::kMul);
  CHECK(swish.nodes[2].inputs == std::vector<ValueId>{swish.nodes[0].outputs[0], swish.nodes[1].outputs[0]});
}

TEST_CASE("helper names are short and taken by nobody") {
  ModelBytes model(13);
  model.Input("a", {1, 4, 8, 8})
      .Output("y")
      .Node("Relu", {"a"}, {"b"})
      .Node("Relu", {"b"}, {"y/pre"})
      .Node("Add", {"y/pre", "b"}, {"c"});
  model.Node("Pad", {"c", "p"}, {"y"}).Ints("p", {0, 0, 1, 1, 0, 0, 1, 1});
  auto graph = model.Read().value();
  graph.nodes.back().activation = Activation{.kind = Activation::Kind::kRelu};
  const auto again = Again(graph);
  std::set<std::string> names;
  for (const Value& value : again.values) CHECK(names.insert(value.name).second);
  CHECK(names.contains("y/pre2"));
  CHECK(again.nodes.size() == 5);
}

TEST_CASE("equal lists and scalars are written once") {
  ModelBytes model(13);
  model.Input("x", {1, 4}).Output("y").Floats("six", {}, {6});
  for (int i = 0; i < 3; ++i) {
    const std::string from = i == 0 ? "x" : "v" + std::to_string(i);
    model.Node("Clip", {from, "", "six"}, {i == 2 ? "y" : "v" + std::to_string(i + 1)});
  }
  const auto bytes = WriteOnnx(model.Read().value()).value();
  const auto parsed = ParseModel(bytes).value();
  CHECK(parsed.initializers.size() == 1);
}

TEST_CASE("a Reshape of a prepared graph takes its target from the shape of its result") {
  Graph graph;
  const ValueId x = graph.AddValue(FloatValue("x"));
  const ValueId y =
      graph.AddValue({.name = "y", .type = ElementType::kFloat, .shape = Shape{1, 256}, .constant = nullptr});
  graph.nodes.push_back({.name = "y", .op = Reshape{}, .inputs = {x}, .outputs = {y}, .activation = {}});
  graph.inputs = {x};
  graph.outputs = {y};
  const auto again = Again(graph);
  const auto& target = *again.value(again.nodes[0].inputs[1]).constant;
  CHECK(std::get<IntTensor>(target).values == Shape{1, 256});
  graph.value(y).shape.reset();
  CHECK(WriteOnnx(graph).error().code == ErrorCode::kInternal);
}

TEST_CASE("an old Softmax over several axes is written with Flatten and Reshape, over one axis as it is") {
  const auto operators = [](const Shape& shape, std::int64_t axis) {
    std::string names;
    for (const Node& node :
         Again(OneNode(11, "Softmax", {"x"}, {IntAttribute("axis", axis)}, shape).Read().value()).nodes) {
      names += std::string(OperatorName(node.op)) + " ";
    }
    return names;
  };
  CHECK(operators({1, 10}, 1) == "Softmax ");
  CHECK(operators({1, 10, 1, 1}, 1) == "Softmax ");
  CHECK(operators({1, 10, 2, 2}, 3) == "Softmax ");
  CHECK(operators({1, 10, 2, 2}, 1) == "Flatten Softmax Reshape ");
  CHECK(operators({-1, 10, 2, 2}, -2) == "Shape Flatten Softmax Reshape ");
}

TEST_CASE("metadata and ranges come back") {
  auto graph = OneNode(13, "Relu", {"x"}).Metadata("kdequant.labels", "cat\ndog").Metadata("other", "").Read().value();
  graph.ranges["y"] = {.low = -0.1F, .high = 5.9999995F, .bits = 7};
  graph.ranges["x"] = {.low = -2.1179039F, .high = 2.64F, .bits = 8};
  const auto again = Again(graph);
  CHECK(again.metadata == graph.metadata);
  CHECK(again.ranges == graph.ranges);
}

TEST_CASE("the file says who made it, opset 21 and IR version 10") {
  const auto bytes = WriteOnnx(OneNode(9, "Relu", {"x"}).Read().value()).value();
  const auto parsed = ParseModel(bytes).value();
  CHECK(parsed.opset == 21);
  CHECK(parsed.ir_version == 10);
  CHECK(std::string(bytes.begin(), bytes.end()).find("kdequant") != std::string::npos);
}

TEST_CASE("two values of one name are an error") {
  auto graph = Fused(Elementwise{}, {});
  graph.AddValue(FloatValue("x"));
  CHECK(WriteOnnx(graph).error().code == ErrorCode::kInternal);
}

TEST_CASE("all other operators come back as they were") {
  const auto check = [](const ModelBytes& model, auto same) {
    const auto graph = model.Read().value();
    const auto again = Again(graph);
    REQUIRE(again.nodes.size() == graph.nodes.size());
    CHECK(again.nodes.back().op.index() == graph.nodes.back().op.index());
    CHECK(same(graph.nodes.back().op, again.nodes.back().op));
  };
  const auto by = [](auto member) {
    return [member](const Operator& a, const Operator& b) { return member(a) == member(b); };
  };
  check(OneNode(11, "Pad", {"x", "p", "v"}, {StringAttribute("mode", "edge")})
            .Ints("p", {0, 0, 1, 2, 0, 0, 3, 4})
            .Floats("v", {}, {0.5F}),
        by([](const Operator& op) {
          return std::tuple(std::get<Pad>(op).pads, std::get<Pad>(op).mode, std::get<Pad>(op).value);
        }));
  check(OneNode(13, "Slice", {"x", "s", "e", "a", "t"}).Ints("s", {7}).Ints("e", {0}).Ints("a", {2}).Ints("t", {-2}),
        by([](const Operator& op) {
          return std::tuple(std::get<Slice>(op).starts, std::get<Slice>(op).ends, std::get<Slice>(op).axes,
                            std::get<Slice>(op).steps);
        }));
  check(OneNode(13, "Transpose", {"x"}, {IntsAttribute("perm", {0, 2, 3, 1})}),
        by([](const Operator& op) { return std::get<Transpose>(op).permutation; }));
  check(OneNode(13, "LRN", {"x"}, {IntAttribute("size", 5), FloatAttribute("bias", 2)}), by([](const Operator& op) {
          return std::tuple(std::get<Lrn>(op).size, std::get<Lrn>(op).alpha, std::get<Lrn>(op).beta,
                            std::get<Lrn>(op).bias);
        }));
  check(OneNode(13, "ReduceMean", {"x"}, {IntsAttribute("axes", {2, 3}), IntAttribute("keepdims", 0)}),
        by([](const Operator& op) {
          return std::pair(std::get<ReduceMean>(op).axes, std::get<ReduceMean>(op).keep_dimensions);
        }));
  check(OneNode(13, "AveragePool", {"x"},
                {IntsAttribute("kernel_shape", {3, 2}), IntsAttribute("strides", {2, 1}), IntAttribute("ceil_mode", 1),
                 IntAttribute("count_include_pad", 1), StringAttribute("auto_pad", "SAME_LOWER")}),
        by([](const Operator& op) {
          const auto& pool = std::get<Pool>(op);
          return std::tuple(pool.kind, pool.ceil_mode, pool.count_include_pad, pool.window.kernel, pool.window.strides,
                            pool.window.auto_pad);
        }));
  check(OneNode(13, "Conv", {"x", "w"},
                {IntsAttribute("dilations", {2, 1}), IntsAttribute("pads", {1, 2, 3, 4}), IntAttribute("group", 2)})
            .Weights("w", {4, 2, 3, 3}),
        by([](const Operator& op) {
          const auto& conv = std::get<Conv>(op);
          return std::tuple(conv.groups, conv.window.kernel, conv.window.dilations, conv.window.pads);
        }));
  check(OneNode(13, "Split", {"x", "s"}, {IntAttribute("axis", 1)}).Ints("s", {4}),
        by([](const Operator& op) { return std::pair(std::get<Split>(op).axis, std::get<Split>(op).sizes); }));
  check(OneNode(13, "Squeeze", {"x", "a"}).Ints("a", {0}),
        by([](const Operator& op) { return std::get<Squeeze>(op).axes; }));
  check(OneNode(13, "Unsqueeze", {"x", "a"}).Ints("a", {0}),
        by([](const Operator& op) { return std::get<Unsqueeze>(op).axes; }));
  check(OneNode(13, "Flatten", {"x"}, {IntAttribute("axis", 2)}),
        by([](const Operator& op) { return std::get<Flatten>(op).axis; }));
  check(OneNode(13, "Concat", {"x", "x"}, {IntAttribute("axis", -1)}),
        by([](const Operator& op) { return std::get<Concat>(op).axis; }));
  check(OneNode(13, "Gather", {"x", "i"}, {IntAttribute("axis", 1)}).Ints("i", {0}),
        by([](const Operator& op) { return std::get<Gather>(op).axis; }));
  check(OneNode(13, "Cast", {"x"}, {IntAttribute("to", 6)}),
        by([](const Operator& op) { return std::get<Cast>(op).to; }));
  check(OneNode(13, "ConstantOfShape", {"s"},
                {TensorAttribute("value", RawTensor("", DataType::kFloat, {1}, std::vector<float>{2}))})
            .Ints("s", {1, 2}),
        by([](const Operator& op) { return std::get<FloatTensor>(std::get<ConstantOfShape>(op).value).values; }));
  check(OneNode(13, "GlobalMaxPool", {"x"}), by([](const Operator& op) { return std::get<GlobalPool>(op).kind; }));
  check(OneNode(13, "Reshape", {"x", "s"}, {}).Ints("s", {0, -1}),
        [](const Operator&, const Operator&) { return true; });
  check(OneNode(13, "PRelu", {"x", "s"}, {}).Weights("s", {4, 1, 1}),
        [](const Operator&, const Operator&) { return true; });
  check(OneNode(13, "MatMul", {"x", "s"}, {}).Weights("s", {8, 2}),
        [](const Operator&, const Operator&) { return true; });
}

}  // namespace
}  // namespace kdequant::onnx
