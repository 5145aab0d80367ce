#include "compensate_layer.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "kdequant/base/random.h"
#include "layer.h"
#include "small_network.h"

namespace kdequant {
namespace {

constexpr std::int64_t kInputs = 96;
constexpr std::int64_t kAnswers = 24;

// A network that is a dense layer.
Graph DenseLayer(std::uint64_t seed) {
  SmallNetworkBuilder builder(seed);
  Graph& graph = builder.graph;
  graph.inputs = {graph.AddValue({.name = "features", .shape = Shape{1, kInputs}})};
  const ValueId weight = builder.Constant("weight", {kAnswers, kInputs}, 1);
  graph.outputs = {graph.AddValue({.name = "logits", .shape = Shape{1, kAnswers}})};
  graph.nodes.push_back(
      {.name = "fc", .op = Gemm{.trans_b = true}, .inputs = {graph.inputs[0], weight}, .outputs = graph.outputs});
  return std::move(graph);
}

std::vector<std::vector<float>> Features(std::size_t count, std::uint64_t seed) {
  std::vector<std::vector<float>> pictures(count, std::vector<float>(kInputs));
  Random random(seed);
  for (auto& picture : pictures) {
    // What each has in common with its neighbour is what compensation works with.
    double before = random.Normal();
    for (float& x : picture) {
      before = 0.8 * before + 0.6 * random.Normal();
      x = static_cast<float>(std::max(0.0, before));
    }
  }
  return pictures;
}

// The weights after compensation with these features.
FloatTensor Compensated(const Graph& graph, const std::vector<std::vector<float>>& features, CompensationEffort effort,
                        Granularity granularity = Granularity::kChannelScale) {
  const auto of = [&](std::size_t i) -> std::span<const float> { return features[i]; };
  const FloatTensor& weights = *graph.FloatConstant(graph.nodes[0].inputs[1]);
  QuantizeOptions options;
  options.granularity = granularity;
  auto job =
      CompensateLayerJob::Create(graph, graph.nodes[0],
                                 std::get<CodebookTensor>(QuantizeToCodebook(weights, options, 1).value().tensor),
                                 {.pictures = features.size(), .in_float = of, .in_quantized = of}, effort, 1)
          .value();
  REQUIRE(Finish(*job));
  return Dequantize(job->TakeTensor()).value();
}

double Dot(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t k = 0; k < a.size(); ++k) sum += static_cast<double>(a[k]) * static_cast<double>(b[k]);
  return sum;
}

// How wrong the layer is about the features of its own classes, the positive weights of each, after compensation with
// eight pictures of features that know nothing of them.
double ErrorOnOwnClasses(const Graph& graph, bool answers) {
  std::vector<std::vector<float>> pictures(8, std::vector<float>(kInputs));
  Random random(5);
  for (auto& picture : pictures)
    for (float& x : picture) x = static_cast<float>(std::max(0.0, random.Normal()));
  const FloatTensor& weights = *graph.FloatConstant(graph.nodes[0].inputs[1]);
  const FloatTensor quantized = Compensated(graph, pictures, {.fits = 1, .answers = answers});
  double error = 0;
  for (std::size_t c = 0; c < kAnswers; ++c) {
    for (std::size_t o = 0; o < kAnswers; ++o) {
      double sum = 0;
      for (std::size_t k = 0; k < kInputs; ++k) {
        const double x = std::max(weights.values[c * kInputs + k], 0.0F);
        sum += static_cast<double>(weights.values[o * kInputs + k] - quantized.values[o * kInputs + k]) * x;
      }
      error += sum * sum;
    }
  }
  return error;
}

TEST_CASE("A layer that gives the answers errs less on features that agree with its classes") {
  double without = 0;
  double with = 0;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    const Graph graph = DenseLayer(seed);
    without += ErrorOnOwnClasses(graph, false);
    with += ErrorOnOwnClasses(graph, true);
  }
  CHECK(with < 0.25 * without);
}

TEST_CASE("Every channel, or the layer where levels are all it has, answers to what its weights look for as before") {
  const Graph graph = DenseLayer(1);
  const std::span<const float> weights = graph.FloatConstant(graph.nodes[0].inputs[1])->values;
  std::vector<float> wanted(weights.begin(), weights.end());
  for (float& w : wanted) w = std::max(w, 0.0F);
  const auto answer = [&](std::span<const float> values, std::size_t begin, std::size_t count) {
    return Dot(values.subspan(begin, count), std::span<const float>(wanted).subspan(begin, count));
  };
  const auto features = Features(200, 3);
  for (const Granularity granularity : {Granularity::kTensor, Granularity::kChannelScale, Granularity::kChannel}) {
    const std::vector<float> quantized = Compensated(graph, features, {.fits = 1, .sweeps = 2}, granularity).values;
    const std::size_t together = granularity == Granularity::kTensor ? weights.size() : std::size_t{kInputs};
    for (std::size_t begin = 0; begin < weights.size(); begin += together)
      CHECK(answer(quantized, begin, together) == doctest::Approx(answer(weights, begin, together)).epsilon(1e-3));
  }
}

TEST_CASE("Fits and sweeps bring outputs nearer to the float ones, whatever the channels are scaled with at the end") {
  double compensated = 0;
  double refined = 0;
  const auto unseen = Features(100, 77);
  // Squared error of the outputs, each channel times what suits it best.
  const auto error = [&](std::span<const float> weights, std::span<const float> quantized) {
    double sum = 0;
    for (std::size_t o = 0; o < kAnswers; ++o) {
      double ww = 0, wq = 0, qq = 0;
      for (const auto& x : unseen) {
        const double w = Dot(weights.subspan(o * kInputs, kInputs), x);
        const double q = Dot(quantized.subspan(o * kInputs, kInputs), x);
        ww += w * w;
        wq += w * q;
        qq += q * q;
      }
      sum += ww - wq * wq / qq;
    }
    return sum;
  };
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    const Graph graph = DenseLayer(seed);
    const std::span<const float> weights = graph.FloatConstant(graph.nodes[0].inputs[1])->values;
    const auto features = Features(400, seed);
    compensated += error(weights, Compensated(graph, features, {}).values);
    refined += error(weights, Compensated(graph, features, {.fits = 2, .sweeps = 3}).values);
  }
  CHECK(refined < 0.95 * compensated);
}

}  // namespace
}  // namespace kdequant
