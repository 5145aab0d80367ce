#include "kdequant/classify/classifier.h"

#include <doctest/doctest.h>

#include "classify/networks.h"

namespace kdequant {
namespace {

TEST_CASE("A classifier prepares the picture as the file says and names the strongest class") {
  auto classifier = Classifier::Create(ColourNetwork(8, {1, 1, 1}));
  REQUIRE_MESSAGE(classifier.has_value(), classifier.error().message);
  CHECK(classifier->class_count() == 3);
  const auto answer = classifier->Classify(Plain(20, 10, 51, 255, 102), 2);
  REQUIRE(answer.has_value());
  REQUIRE(answer->top.size() == 2);
  CHECK(answer->top[0].class_index == 1);
  CHECK(answer->top[1].class_index == 2);
  CHECK(answer->milliseconds > 0);
  const auto logits = classifier->Logits(Plain(20, 10, 51, 255, 102));
  CHECK((*logits)[0] == doctest::Approx(0.2));
  CHECK((*logits)[2] == doctest::Approx(0.4));
}

TEST_CASE("The user's SPEC reaches the network") {
  auto classifier = Classifier::Create(ColourNetwork(8, {1, 1, 1}), {.preprocess = "order=bgr,scale=1"});
  REQUIRE(classifier.has_value());
  CHECK((*classifier->Logits(Plain(8, 8, 10, 20, 30)))[0] == doctest::Approx(30));
}

TEST_CASE("w4a8 without quantized weights is refused with what to do") {
  const auto refused = Classifier::Create(ColourNetwork(8, {1, 1, 1}), {.precision = Precision::kW4A8});
  REQUIRE(!refused.has_value());
  CHECK(refused.error().code == ErrorCode::kUsage);
  CHECK(refused.error().message.find("quantize it first") != std::string::npos);
}

TEST_CASE("A network whose output is no list of classes is refused") {
  Graph graph = GraphWithInput({1, 3, 8, 8});
  const ValueId out = graph.AddValue({.name = "y", .shape = Shape{1, 3, 8, 8}});
  graph.nodes.push_back({.name = "relu", .op = Activate{.function = {}}, .inputs = {0}, .outputs = {out}});
  graph.outputs = {out};
  const auto refused = Classifier::Create(graph);
  REQUIRE(!refused.has_value());
  CHECK(refused.error().message.find("1x3x8x8") != std::string::npos);
}

}  // namespace
}  // namespace kdequant
