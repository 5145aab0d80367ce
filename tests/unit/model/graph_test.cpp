#include "kdequant/model/graph.h"

#include <doctest/doctest.h>

#include "small_network.h"

namespace kdequant {
namespace {

TEST_CASE("Layers with weights, depthwise ones among them, are told from other nodes") {
  const Graph graph = SmallNetwork();
  std::string weighted;
  std::string depthwise;
  for (const Node& node : graph.nodes) {
    if (HasWeights(graph, node)) weighted += node.name + " ";
    if (IsDepthwise(graph, node)) depthwise += node.name + " ";
  }
  CHECK(weighted == "stem depthwise project grouped fc ");
  CHECK(depthwise == "depthwise ");
}

TEST_CASE("Multiply-accumulates are outputs times what each is summed over") {
  const Graph graph = SmallNetwork();
  constexpr std::int64_t kPixels = 12 * 12;
  CHECK(MultiplyAccumulates(graph, graph.nodes[0]) == kPixels * 16 * (3 * 9));
  CHECK(MultiplyAccumulates(graph, graph.nodes[1]) == kPixels * 16 * 9);
  CHECK(MultiplyAccumulates(graph, graph.nodes[3]) == 0);                       // add
  CHECK(MultiplyAccumulates(graph, graph.nodes[4]) == kPixels * 24 * (8 * 9));  // two groups
  CHECK(MultiplyAccumulates(graph, graph.nodes.back()) == 4 * 24);
}

TEST_CASE("Ranges read back exactly") {
  const std::map<std::string, ActivationRange> ranges{{"x", {.low = -2.1179039F, .high = 2.64F, .bits = 8}},
                                                      {"a \"quoted\" name", {.low = 0, .high = 1e-30F, .bits = 7}}};
  CHECK(ParseRanges(FormatRanges(ranges)).value() == ranges);
  CHECK(ParseRanges("{}").value().empty());
}

TEST_CASE("Ranges that make no sense are refused, with the reason") {
  const std::string shape = "gives \"x\" something else than [low, high, bits]";
  const std::pair<const char*, std::string> cases[] = {
      {"", "is not JSON (The document is empty. At byte 0)"},
      {"[]", "is not a JSON object"},
      {"7", "is not a JSON object"},
      {"\"x\"", "is not a JSON object"},
      {"{\"x\": [0, 1, 8]", "is not JSON"},
      {"{\"x\": [0, 1, 8]} 1", "is not JSON"},
      {"{\"x\": 1}", shape},
      {"{\"x\": {}}", shape},
      {"{\"x\": []}", shape},
      {"{\"x\": [0, 1]}", shape},
      {"{\"x\": [0, 1, 8, 8]}", shape},
      {"{\"x\": [0, 1, \"8\"]}", shape},
      {"{\"x\": [0, 1, null]}", shape},
      {"{\"x\": [0, [1], 8]}", shape},
      {"{\"x\": [0, 1, 7.5]}", shape},
      {"{\"x\": [0, 1e99, 8]}", shape},
      {"{\"x\": [0, 1e999, 8]}", "Number too big"},
      {"{\"x\": [1, 0, 8]}", "a low end above its high end"},
      {"{\"x\": [0, 1, 9]}", "9 bits instead of 1 to 8"},
      {"{\"x\": [0, 1, 8], \"x\": [0, 1, 8]}", "names \"x\" twice"},
  };
  for (const auto& [json, reason] : cases) {
    CAPTURE(std::string(json));
    const auto ranges = ParseRanges(json);
    REQUIRE(!ranges.has_value());
    CHECK(ranges.error().message.find(reason) != std::string::npos);
  }
  CHECK(!ParseRanges("{\"x\": " + std::string(1'000'000, '[')).has_value());
}

}  // namespace
}  // namespace kdequant
