#include "kdequant/model/prepare.h"

#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "small_network.h"

namespace kdequant {
namespace {

// conv -> BatchNormalization -> Relu, as exporters write it.
Graph WithBatchNormalization() {
  SmallNetworkBuilder builder(3);
  Graph& graph = builder.graph;
  const ValueId x = graph.AddValue({.name = "x", .shape = Shape{1, 3, 6, 6}});
  graph.inputs = {x};
  const ValueId convolved = builder.Convolve("conv", x, 4, 3, 1);
  graph.nodes.back().activation.reset();
  std::vector<ValueId> inputs{convolved};
  for (const char* name : {"scale", "bias", "mean", "variance"}) inputs.push_back(builder.Constant(name, {4}, 1));
  // A variance is not negative.
  FloatTensor variance = *graph.FloatConstant(inputs.back());
  for (auto& value : variance.values) value = 0.5F + value * value;
  graph.value(inputs.back()).constant = std::make_shared<const Tensor>(variance);
  const ValueId normalized = graph.AddValue({.name = "normalized"});
  graph.nodes.push_back(
      {.name = "bn", .op = BatchNormalization{.epsilon = 0.01F}, .inputs = inputs, .outputs = {normalized}});
  const ValueId y = graph.AddValue({.name = "y"});
  graph.nodes.push_back({.name = "relu",
                         .op = Activate{.function = {.kind = Activation::Kind::kRelu}},
                         .inputs = {normalized},
                         .outputs = {y}});
  graph.outputs = {y};
  return std::move(graph);
}

TEST_CASE("A BatchNormalization goes into the convolution before it, and the activation behind it, too") {
  const Graph before = WithBatchNormalization();
  Graph graph = before;
  REQUIRE(Prepare(graph));
  REQUIRE(graph.nodes.size() == 1);
  CHECK(graph.nodes[0].activation == Activation{.kind = Activation::Kind::kRelu});
  const auto constant = [&](const char* name) -> const FloatTensor& {
    for (std::size_t i = 0; i < before.values.size(); ++i) {
      if (before.values[i].name == name) return *before.FloatConstant(static_cast<ValueId>(i));
    }
    FAIL("no constant ", name);
    std::abort();
  };
  const FloatTensor& folded = *graph.FloatConstant(graph.nodes[0].inputs[1]);
  const FloatTensor& bias = *graph.FloatConstant(graph.nodes[0].inputs[2]);
  for (std::size_t o = 0; o < 4; ++o) {
    const double factor = static_cast<double>(constant("scale").values[o]) /
                          std::sqrt(static_cast<double>(constant("variance").values[o]) + 0.01);
    for (std::size_t k = 0; k < 27; ++k) {
      const double expected = factor * static_cast<double>(constant("conv.weight").values[o * 27 + k]);
      CHECK(static_cast<double>(folded.values[o * 27 + k]) == doctest::Approx(expected).epsilon(1e-5));
    }
    const double shifted =
        static_cast<double>(constant("conv.bias").values[o]) - static_cast<double>(constant("mean").values[o]);
    CHECK(static_cast<double>(bias.values[o]) ==
          doctest::Approx(factor * shifted + static_cast<double>(constant("bias").values[o])).epsilon(1e-4));
  }
}

TEST_CASE("Preparing a prepared graph changes nothing") {
  Graph graph = SmallNetwork();
  REQUIRE(Prepare(graph));
  const std::size_t nodes = graph.nodes.size();
  const std::size_t values = graph.values.size();
  REQUIRE(Prepare(graph));
  CHECK(graph.nodes.size() == nodes);
  CHECK(graph.values.size() == values);
}

TEST_CASE("Shapes that contradict each other are told with the node") {
  Graph graph = SmallNetwork();
  for (Value& value : graph.values) {
    if (!value.constant && value.name != "x") value.shape.reset();
  }
  graph.value(graph.inputs[0]).shape = Shape{1, 5, 12, 12};  // the stem wants 3 channels
  const auto prepared = Prepare(graph);
  REQUIRE(!prepared);
  CHECK(prepared.error().code == ErrorCode::kBadInput);
  CHECK(prepared.error().message.find("stem") != std::string::npos);
}

TEST_CASE("A NaN among the weights is told with the layer") {
  Graph graph = SmallNetwork();
  FloatTensor weights = *graph.FloatConstant(graph.nodes[2].inputs[1]);
  weights.values[5] = NAN;
  graph.value(graph.nodes[2].inputs[1]).constant = std::make_shared<const Tensor>(weights);
  const auto prepared = Prepare(graph);
  REQUIRE(!prepared);
  CHECK(prepared.error().code == ErrorCode::kNotFinite);
  CHECK(prepared.error().message.find("project") != std::string::npos);
}

}  // namespace
}  // namespace kdequant
