#include "kdequant/runtime/segment.h"

#include <doctest/doctest.h>

#include <limits>
#include <map>
#include <vector>

#include "kdequant/base/random.h"
#include "small_network.h"

namespace kdequant {
namespace {

std::vector<float> RunInPieces(const Graph& graph, const std::vector<std::size_t>& cuts,
                               const std::vector<float>& input) {
  std::map<ValueId, std::vector<float>> values{{graph.inputs[0], input}};
  std::size_t begin = 0;
  for (const std::size_t end : cuts) {
    Segment segment = Segment::Create(graph, begin, end).value();
    std::vector<std::span<const float>> inputs;
    for (const ValueId id : segment.inputs()) inputs.emplace_back(values.at(id));
    REQUIRE(segment.Run(inputs, {}));
    for (std::size_t i = 0; i < segment.outputs().size(); ++i) {
      const auto output = segment.output(i);
      values[segment.outputs()[i]].assign(output.begin(), output.end());
    }
    begin = end;
  }
  return values.at(graph.outputs[0]);
}

TEST_CASE("A network run in pieces gives the logits of a session, wherever it is cut") {
  const Graph graph = SmallNetwork();
  const std::vector<float> input = RandomInput(5);
  Session session = Session::Create(graph).value();
  const auto whole = session.Run(input).value();
  const std::vector<float> expected(whole.begin(), whole.end());

  std::vector<std::size_t> after_every_node;
  for (std::size_t i = 1; i <= graph.nodes.size(); ++i) {
    CAPTURE(i);
    CHECK(RunInPieces(graph, {i, graph.nodes.size()}, input) == expected);
    after_every_node.push_back(i);
  }
  CHECK(RunInPieces(graph, after_every_node, input) == expected);
}

TEST_CASE("A piece wants what others compute and gives what later nodes read") {
  const Graph graph = SmallNetwork();
  const auto id = [&](const char* name) {
    for (std::size_t i = 0; i < graph.values.size(); ++i) {
      if (graph.values[i].name == name) return static_cast<ValueId>(i);
    }
    return kNoValue;
  };
  // depthwise and project: the residual connection reads the stem's output later, but not from here.
  const Segment segment = Segment::Create(graph, 1, 3).value();
  CHECK(segment.inputs() == std::vector{id("stem.y")});
  CHECK(segment.outputs() == std::vector{id("project.y")});
  const Segment sum = Segment::Create(graph, 3, 4).value();
  CHECK(sum.inputs() == std::vector{id("stem.y"), id("project.y")});
}

TEST_CASE("Inputs of a wrong length or with a NaN are refused by name") {
  const Graph graph = SmallNetwork();
  Segment segment = Segment::Create(graph, 0, 1).value();
  std::vector<float> input = RandomInput(6);
  const std::vector<std::span<const float>> short_input{std::span(input).first(5)};
  const auto refused = segment.Run(short_input, {});
  REQUIRE(!refused);
  CHECK(refused.error().message == "\"x\" has 5 elements instead of 1x3x12x12");
  CHECK(segment.Run({}, {}).error().code == ErrorCode::kBadInput);
  input[7] = std::numeric_limits<float>::quiet_NaN();
  const std::vector<std::span<const float>> inputs{input};
  CHECK(segment.Run(inputs, {}).error().code == ErrorCode::kNotFinite);
}

}  // namespace
}  // namespace kdequant
