#include <doctest/doctest.h>

#include "model_bytes.h"

namespace kdequant::onnx {
namespace {

std::size_t CountOf(const std::string& text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST_CASE("nodes may come in any order and keep the file's order where it is one") {
  ModelBytes model;
  model.Input("x", {1, 4}).Output("y");
  model.Node("Relu", {"b"}, {"y"}).Node("Tanh", {"x"}, {"a"}).Node("Sigmoid", {"a"}, {"b"});
  const auto graph = model.Read();
  REQUIRE(graph);
  std::string order;
  for (const Node& node : graph->nodes) order += node.name;
  CHECK(order == "aby");
}

TEST_CASE("a cycle is found and one of its nodes named") {
  ModelBytes model;
  model.Input("x", {1, 4}).Output("y").Node("Relu", {"x"}, {"r"});
  model.Node("Add", {"r", "c"}, {"a"}, {}, "first").Node("Tanh", {"a"}, {"c"}, {}, "second").Node("Relu", {"c"}, {"y"});
  const auto graph = model.Read();
  REQUIRE(!graph);
  CHECK(graph.error().code == ErrorCode::kBadInput);
  CHECK(graph.error().message.find("cycle") != std::string::npos);
  CHECK((graph.error().layer == "first" || graph.error().layer == "second"));
}

TEST_CASE("a chain of 100,000 nodes is sorted without recursion") {
  ModelBytes model;
  model.Input("x", {1, 4}).Output("v100000");
  for (int i = 100'000; i > 0; --i) {
    const std::string from = i == 1 ? "x" : "v" + std::to_string(i - 1);
    model.Node("Relu", {from}, {"v" + std::to_string(i)});
  }
  const auto graph = model.Read();
  REQUIRE(graph);
  CHECK(graph->nodes.front().name == "v1");
  CHECK(graph->nodes.back().name == "v100000");
}

TEST_CASE("a name that nothing defines is bad input, with the node that reads it") {
  const auto graph = OneNode(13, "Conv", {"x", "weight"}).Read();
  REQUIRE(!graph);
  CHECK(graph.error().code == ErrorCode::kBadInput);
  CHECK(graph.error().message.find("\"weight\"") != std::string::npos);
  CHECK(graph.error().message.find("\"node\" (Conv)") != std::string::npos);
}

TEST_CASE("a name may have one definition") {
  const auto twice = [](ModelBytes& model) {
    const auto graph = model.Read();
    return !graph && graph.error().code == ErrorCode::kBadInput &&
           graph.error().message.find("twice") != std::string::npos;
  };
  CHECK(twice(OneNode(13, "Relu", {"x"}).Node("Tanh", {"x"}, {"y"})));
  CHECK(twice(OneNode(13, "Relu", {"x"}).Weights("y", {1})));
  CHECK(twice(OneNode(13, "Relu", {"x"}).Weights("w", {1}).Weights("w", {1})));
  CHECK(twice(OneNode(13, "Relu", {"x"}).Input("y", {1})));
  CHECK(twice(OneNode(13, "Relu", {"x"}).Input("x", {1})));
}

TEST_CASE("weights listed as inputs, as before IR version 4, are constants") {
  const auto graph = OneNode(7, "Conv", {"x", "w"}).Input("w", {2, 4, 1, 1}).Weights("w", {2, 4, 1, 1}).Read();
  REQUIRE(graph);
  CHECK(graph->inputs.size() == 1);
  CHECK(graph->IsConstant(graph->nodes[0].inputs[1]));
}

TEST_CASE("an input's open dimensions are unknown, whatever way they are written") {
  const auto graph = OneNode(13, "Relu", {"x"}, {}, {-1, 3, 0, 224}).Read();
  REQUIRE(graph);
  CHECK(graph->value(graph->inputs[0]).shape == Shape{kUnknownDimension, 3, kUnknownDimension, 224});
}

TEST_CASE("all unsupported nodes are named in one sentence, at most 20 of them") {
  ModelBytes model;
  model.Input("x", {1, 4, 8, 8}).Output("v30").Node("Resize", {"x"}, {"v0"}, {}, "resize");
  model.Node("Relu", {"v0"}, {"v1"}, {FloatAttribute("alpha", 1)}, "odd relu")
      .Node("Gelu", {"v1"}, {"v2"}, {}, "gelu", "com.microsoft");
  for (int i = 3; i <= 30; ++i) model.Node("NonZero", {"v" + std::to_string(i - 1)}, {"v" + std::to_string(i)});
  const auto graph = model.Read();
  REQUIRE(!graph);
  const auto& message = graph.error().message;
  CHECK(graph.error().code == ErrorCode::kUnsupported);
  CHECK(graph.error().layer == "resize");
  CHECK(message.find("31 nodes") != std::string::npos);
  CHECK(message.find("\"resize\" (Resize)") != std::string::npos);
  CHECK(message.find("\"odd relu\" (Relu)") != std::string::npos);
  CHECK(message.find("com.microsoft") != std::string::npos);
  CHECK(message.find("11 more") != std::string::npos);
  CHECK(CountOf(message, "(NonZero)") == 17);
}

TEST_CASE("an unsupported operator that no output depends on does no harm") {
  const auto graph = OneNode(13, "Relu", {"x"}).Node("NonZero", {"x"}, {"z"}).Read();
  REQUIRE(graph);
  CHECK(graph->nodes.size() == 1);
}

TEST_CASE("an output that an operator does not have cannot be used") {
  ModelBytes model;
  model.Input("x", {1, 4}).Output("y").Node("Relu", {"x"}, {"r", "second"}).Node("Add", {"r", "second"}, {"y"});
  CHECK(model.Read().error().code == ErrorCode::kBadInput);
}

TEST_CASE("opsets outside 7 to 28 are refused with the range") {
  for (const int opset : {1, 6, 29, 1000}) {
    const auto graph = OneNode(opset, "Relu", {"x"}).Read();
    REQUIRE(!graph);
    CHECK(graph.error().code == ErrorCode::kUnsupported);
    CHECK(graph.error().message.find("opset " + std::to_string(opset) + ";") != std::string::npos);
  }
  CHECK(OneNode(7, "Relu", {"x"}).Read().has_value());
  CHECK(OneNode(28, "Relu", {"x"}).Read().has_value());
}

TEST_CASE("functions that redefine an operator, and subgraphs, are refused") {
  std::string function;
  protozero::pbf_writer(function).add_string(1, "Relu");
  CHECK(OneNode(13, "Relu", {"x"}).ModelField(25, function).Read().error().code == ErrorCode::kUnsupported);
  CHECK(OneNode(13, "Tanh", {"x"}).ModelField(25, function).Read().has_value());
  std::string branch;
  protozero::pbf_writer attribute(branch);
  attribute.add_string(1, "then_branch");
  attribute.add_message(6, std::string());
  attribute.add_int32(20, 5);
  CHECK(OneNode(13, "If", {"x"}, {branch}).Read().error().message.find("(If)") != std::string::npos);
}

TEST_CASE("sparse initializers and constant outputs are refused") {
  CHECK(OneNode(13, "Relu", {"x"}).GraphField(15, "").Read().error().code == ErrorCode::kUnsupported);
  ModelBytes model;
  model.Input("x", {1}).Output("w").Weights("w", {2});
  CHECK(model.Read().error().code == ErrorCode::kUnsupported);
}

TEST_CASE("what is not ONNX says so in a sentence") {
  const auto message = [](std::string_view text) {
    const std::vector<std::uint8_t> bytes(text.begin(), text.end());
    const auto graph = ReadOnnx(bytes);
    REQUIRE(!graph);
    CHECK(graph.error().code == ErrorCode::kBadInput);
    return graph.error().message;
  };
  CHECK(message("").find("empty") != std::string::npos);
  CHECK(message("<!DOCTYPE html><html>").find("not an ONNX file") != std::string::npos);
  CHECK(message("PK\x03\x04 a zip file of PyTorch").find("not an ONNX file") != std::string::npos);
  CHECK(OneNode(13, "Relu", {"x"}, {}, {1}).Node("Tanh", {"x"}, {"\xff\xfe"}).Read().error().code ==
        ErrorCode::kBadInput);
}

TEST_CASE("metadata is kept, ranges apart") {
  const auto graph = OneNode(13, "Relu", {"x"})
                         .Metadata("kdequant.version", "0.1.0")
                         .Metadata("kdequant.ranges", R"({"y": [0, 6, 7]})")
                         .Read();
  REQUIRE(graph);
  CHECK(graph->metadata == std::map<std::string, std::string>{{"kdequant.version", "0.1.0"}});
  REQUIRE(graph->ranges.contains("y"));
  CHECK(graph->ranges.at("y") == ActivationRange{0, 6, 7});
}

}  // namespace
}  // namespace kdequant::onnx
