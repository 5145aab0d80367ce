#include "kdequant/calibration/walk.h"

#include <doctest/doctest.h>

#include <vector>

#include "kdequant/base/random.h"
#include "small_network.h"

namespace kdequant {
namespace {

std::vector<float> RandomInput(std::uint64_t seed) {
  Random random(seed);
  std::vector<float> input(3 * 12 * 12);
  for (auto& x : input) x = static_cast<float>(random.Normal());
  return input;
}

TEST_CASE("Pictures that walk through a network stretch by stretch see what a session shows") {
  const Graph graph = SmallNetwork();
  constexpr std::size_t kPictures = 3;
  NetworkWalk walk(kPictures);
  for (std::size_t i = 0; i < kPictures; ++i) walk.SetInput(i, graph.inputs[0], RandomInput(i));
  std::vector<std::map<ValueId, std::vector<float>>> seen(kPictures);
  for (const auto& [begin, end] :
       std::vector<std::pair<std::size_t, std::size_t>>{{0, 2}, {2, 3}, {3, graph.nodes.size()}}) {
    REQUIRE(walk.Enter(graph, begin, end));
    for (std::size_t i = 0; i < kPictures; ++i) {
      REQUIRE(walk.Run(i, [&](ValueId id, std::span<const float> elements) {
        seen[i][id].assign(elements.begin(), elements.end());
      }));
    }
    walk.Leave();  // what is kept for the pictures is no part of it
    if (end == 2) {
      const ValueId stem = graph.nodes[0].outputs[0];
      CHECK(walk.has(1, stem));  // the residual connection reads it later
      CHECK(!walk.has(1, graph.inputs[0]));
      const auto kept = walk.value(1, stem);
      CHECK(std::vector<float>(kept.begin(), kept.end()) == seen[1][stem]);
    }
  }
  Session session = Session::Create(graph).value();
  for (std::size_t i = 0; i < kPictures; ++i) {
    REQUIRE(session.Run(RandomInput(i), [&](ValueId id, std::span<const float> elements) {
      CHECK(seen[i].at(id) == std::vector<float>(elements.begin(), elements.end()));
    }));
  }
}

TEST_CASE("What is kept at a stop is what is still to be read") {
  const Graph graph = SmallNetwork();
  CHECK(BytesKept(graph, 0) == 3 * 144 * sizeof(float));
  CHECK(BytesKept(graph, 1) == 16 * 144 * sizeof(float));
  CHECK(BytesKept(graph, 2) == 2 * 16 * 144 * sizeof(float));  // the stem's output too, for the residual connection
  CHECK(BytesKept(graph, graph.nodes.size() - 1) == 24 * sizeof(float));
}

}  // namespace
}  // namespace kdequant
