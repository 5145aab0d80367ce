#include "kdequant/runtime/observe.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "kdequant/base/random.h"
#include "small_network.h"

namespace kdequant {
namespace {

const LayerOutput& Named(const std::vector<LayerOutput>& outputs, const std::string& layer) {
  return *std::ranges::find(outputs, layer, &LayerOutput::layer);
}

/// The network with every weight of one layer moved by `factor`.
Graph Scaled(Graph graph, const std::string& weight, float factor) {
  for (Value& value : graph.values) {
    if (value.name != weight) continue;
    FloatTensor tensor = std::get<FloatTensor>(*value.constant);
    for (float& w : tensor.values) w *= factor;
    value.constant = std::make_shared<const Tensor>(std::move(tensor));
  }
  return graph;
}

TEST_CASE("Feature maps are a layer's channels, from each map's lowest value as black to its highest as white") {
  const Graph graph = SmallNetwork();
  const auto outputs = LayerOutputs(graph);
  const LayerOutput& stem = Named(outputs, "stem");
  CHECK(stem.operator_name == "Conv");
  Session session = Session::Create(graph).value();
  const auto input = RandomInput(1);
  std::vector<float> values;
  REQUIRE(session.Run(input, [&](ValueId value, std::span<const float> elements) {
    if (value == stem.value) values.assign(elements.begin(), elements.end());
  }));

  const FeatureMaps maps = ReadFeatureMaps(session, stem, input, {.first = 3, .count = 2}).value();
  CHECK(maps.channels == 16);
  CHECK(maps.width == 12);
  CHECK(maps.height == 12);
  REQUIRE(maps.ranges.size() == 2);
  REQUIRE(maps.pixels.size() == 2 * 144);
  for (std::size_t i = 0; i < 2; ++i) {
    const auto map = std::span(values).subspan((3 + i) * 144, 144);
    const auto [low, high] = std::ranges::minmax(map);
    CHECK(maps.ranges[i] == MapRange{low, high});
    for (std::size_t p = 0; p < 144; ++p) {
      const float expected = 255 * (map[p] - low) / (high - low);
      CHECK(std::abs(static_cast<float>(maps.pixels[144 * i + p]) - expected) <= 0.51F);
    }
  }
}

TEST_CASE("With the ranges of other maps, equal values get equal pixels and larger ones white") {
  const Graph graph = SmallNetwork();
  const auto outputs = LayerOutputs(graph);
  Session session = Session::Create(graph).value();
  const auto input = RandomInput(2);
  const FeatureMaps own = ReadFeatureMaps(session, Named(outputs, "stem"), input, {.count = 4}).value();
  const FeatureMaps same =
      ReadFeatureMaps(session, Named(outputs, "stem"), input, {.count = 4, .ranges = own.ranges}).value();
  CHECK(same.pixels == own.pixels);
  const FeatureMaps narrow =
      ReadFeatureMaps(session, Named(outputs, "stem"), input, {.count = 1, .ranges = {{0.0F, 1e-6F}}}).value();
  CHECK(std::ranges::all_of(narrow.pixels, [](std::uint8_t pixel) { return pixel == 0 || pixel == 255; }));
  CHECK(std::ranges::count(narrow.pixels, 255) > 0);
  const FeatureMaps point =
      ReadFeatureMaps(session, Named(outputs, "stem"), input, {.count = 1, .ranges = {{0.5F, 0.5F}}}).value();
  CHECK(std::ranges::count(point.pixels, 0) == 144);
}

TEST_CASE("What is no picture is one map in one row, and channels that a layer has not are refused") {
  const Graph graph = SmallNetwork();
  const auto outputs = LayerOutputs(graph);
  Session session = Session::Create(graph).value();
  const auto input = RandomInput(3);
  const FeatureMaps logits = ReadFeatureMaps(session, Named(outputs, "fc"), input).value();
  CHECK(logits.channels == 1);
  CHECK(logits.width == 4);
  CHECK(logits.height == 1);
  const auto refused = ReadFeatureMaps(session, Named(outputs, "stem"), input, {.first = 16, .count = 1});
  REQUIRE(!refused);
  CHECK(refused.error().code == ErrorCode::kUsage);
  CHECK(refused.error().layer == "stem");
  CHECK(ReadFeatureMaps(session, Named(outputs, "stem"), input, {.count = 0}).error().code == ErrorCode::kUsage);
  CHECK(ReadFeatureMaps(session, Named(outputs, "stem"), input, {.count = 3, .ranges = {{0, 1}}}).error().code ==
        ErrorCode::kUsage);
}

TEST_CASE("Two sessions of one network are nowhere apart; a layer 10 % too strong is 20 dB above its error") {
  const Graph graph = SmallNetwork();
  const auto outputs = LayerOutputs(graph);
  Session reference = Session::Create(graph).value();
  Session same = Session::Create(graph).value();
  const auto input = RandomInput(4);
  const auto none = CompareOutputs(same, outputs, reference, outputs, input).value();
  CHECK(none.size() == graph.nodes.size());
  for (const OutputError& error : none) {
    CHECK(error.error == 0);
    CHECK(error.signal > 0);
  }

  // The last layer has no bias: its output grows with its weights, and nothing before it changes.
  Session louder = Session::Create(Scaled(graph, "fc.weight", 1.1F)).value();
  const auto errors = CompareOutputs(louder, outputs, reference, outputs, input).value();
  REQUIRE(errors.size() == outputs.size());
  for (const OutputError& error : errors) {
    if (outputs[error.output].layer == "fc") {
      CHECK(10 * std::log10(error.signal / error.error) == doctest::Approx(20).epsilon(1e-3));
    } else {
      CHECK(error.error == 0);
    }
  }
}

TEST_CASE("Layers are compared by name: what only one network has, or in another shape, is left out") {
  const Graph graph = SmallNetwork();
  auto outputs = LayerOutputs(graph);
  Session reference = Session::Create(graph).value();
  Session session = Session::Create(graph).value();
  auto renamed = outputs;
  renamed[0].layer = "another";
  renamed[1].shape = {1, 2, 3};
  const auto errors = CompareOutputs(session, outputs, reference, renamed, RandomInput(5)).value();
  CHECK(errors.size() == outputs.size() - 2);
  CHECK(std::ranges::none_of(errors, [](const OutputError& error) { return error.output < 2; }));
}

}  // namespace
}  // namespace kdequant
