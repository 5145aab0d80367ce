#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "kdequant/calibration/dead_leaves.h"
#include "kdequant/onnx/writer.h"
#include "kdequant/quantize/quantize.h"
#include "kdequant/runtime/session.h"
#include "kdequant/vision/preprocess.h"
#include "small_network.h"

namespace kdequant {
namespace {

QuantizeOptions SmallOptions(Effort effort) {
  QuantizeOptions options;
  ApplyEffort(effort, options);
  options.picture_count = 8;
  options.preprocess = ParsePreprocess("scale=1/255,resize=0,size=12").value();
  return options;
}

struct Quantized {
  Graph graph;
  QuantizeReport report;
};

Quantized Quantize(const Graph& graph, const QuantizeOptions& options) {
  auto job = QuantizeJob::Create(std::make_shared<const Graph>(graph), options).value();
  REQUIRE(Finish(*job));
  Quantized result{.graph = {}, .report = job->report()};
  result.graph = job->TakeGraph();
  return result;
}

// Mean square difference of the logits over pictures that calibration has not seen, and mean difference by logit.
struct OutputError {
  double square = 0;
  std::vector<double> mean = std::vector<double>(4);
};

OutputError ErrorOnPictures(const Graph& graph, const Graph& quantized, std::uint64_t first_seed) {
  constexpr int kPictures = 40;
  const Preprocess preprocess = ParsePreprocess("scale=1/255,resize=0,size=12").value();
  Session in_float = Session::Create(graph).value();
  Session in_4_bits = Session::Create(quantized).value();
  OutputError error;
  for (std::uint64_t i = 0; i < kPictures; ++i) {
    const auto input = ToTensor(DeadLeaves(12, first_seed + i), preprocess, TensorLayout::kNchw);
    const auto expected = in_float.Run(input).value();
    const auto actual = in_4_bits.Run(input).value();
    for (std::size_t k = 0; k < expected.size(); ++k) {
      const double difference = static_cast<double>(actual[k]) - static_cast<double>(expected[k]);
      error.square += difference * difference / kPictures;
      error.mean[k] += difference / kPictures;
    }
  }
  return error;
}

double Length(const std::vector<double>& values) {
  return std::sqrt(std::inner_product(values.begin(), values.end(), values.begin(), 0.0));
}

TEST_CASE("Each effort keeps the logits of unseen pictures better than the one before it") {
  double plain = 0;
  double fast = 0;
  double compensated = 0;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const Graph graph = SmallNetwork(seed);
    plain += ErrorOnPictures(graph, Quantize(graph, SmallOptions(Effort::kPlain)).graph, 1000).square;
    fast += ErrorOnPictures(graph, Quantize(graph, SmallOptions(Effort::kFast)).graph, 1000).square;
    compensated += ErrorOnPictures(graph, Quantize(graph, SmallOptions(Effort::kDefault)).graph, 1000).square;
  }
  CHECK(fast < 0.8 * plain);
  CHECK(compensated < 0.6 * fast);
}

TEST_CASE("At effort fast every channel answers to what its weights look for as before") {
  const Graph graph = SmallNetwork();
  const Graph quantized = Quantize(graph, SmallOptions(Effort::kFast)).graph;
  const auto weights_of = [](const Graph& network, const std::string& layer) {
    const auto node = std::ranges::find(network.nodes, layer, &Node::name);
    REQUIRE(node != network.nodes.end());
    return Dequantize(*network.value(node->inputs[1]).constant).value();
  };
  // Pictures are read as numbers from 0 to 1, and ReLU comes before all other layers: no input is ever negative.
  for (const char* layer : {"stem", "project", "grouped", "fc"}) {
    CAPTURE(layer);
    const FloatTensor before = weights_of(graph, layer);
    const FloatTensor after = weights_of(quantized, layer);
    const auto channels = static_cast<std::size_t>(before.shape[0]);
    const std::size_t columns = before.values.size() / channels;
    for (std::size_t o = 0; o < channels; ++o) {
      double wanted = 0;
      double given = 0;
      for (std::size_t k = o * columns; k < (o + 1) * columns; ++k) {
        const double input = std::max(static_cast<double>(before.values[k]), 0.0);
        wanted += static_cast<double>(before.values[k]) * input;
        given += static_cast<double>(after.values[k]) * input;
      }
      CHECK(given == doctest::Approx(wanted).epsilon(1e-3));
    }
  }
}

TEST_CASE("Bias correction takes the mean difference away") {
  for (const Effort effort : {Effort::kFast, Effort::kDefault}) {
    double with = 0;
    double without = 0;
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      const Graph graph = SmallNetwork(seed);
      QuantizeOptions options = SmallOptions(effort);
      options.picture_count = 32;
      with += Length(ErrorOnPictures(graph, Quantize(graph, options).graph, 2000).mean);
      options.bias_correction = false;
      without += Length(ErrorOnPictures(graph, Quantize(graph, options).graph, 2000).mean);
    }
    CHECK(with < without);
  }
}

TEST_CASE("The report names every layer and how it was compensated") {
  const auto [graph, report] = Quantize(SmallNetwork(), SmallOptions(Effort::kDefault));
  REQUIRE(report.layers.size() == 5);
  const std::vector<std::string> names{"stem", "depthwise", "project", "grouped", "fc"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    CHECK(report.layers[i].name == names[i]);
    CHECK(report.layers[i].bits == (names[i] == "depthwise" ? 8 : 4));
    CHECK(report.layers[i].compensation == (names[i] == "depthwise" ? "off" : "full"));
    CHECK(report.layers[i].sqnr_db > 10);
  }
  CHECK(report.pictures == 8);
}

TEST_CASE("The report tells the error of each layer as it is in the quantized network") {
  for (const Effort effort : {Effort::kPlain, Effort::kDefault}) {
    const Graph graph = SmallNetwork();
    const auto [quantized, report] = Quantize(graph, SmallOptions(effort));
    for (const LayerReport& layer : report.layers) {
      CAPTURE(layer.name);
      const auto node = std::ranges::find(quantized.nodes, layer.name, &Node::name);
      REQUIRE(node != quantized.nodes.end());
      const ValueId id = node->inputs[1];
      const std::vector<float> restored = Dequantize(*quantized.value(id).constant)->values;
      const std::vector<float>& weights = graph.FloatConstant(id)->values;
      double signal = 0;
      double noise = 0;
      for (std::size_t i = 0; i < weights.size(); ++i) {
        signal += std::pow(static_cast<double>(weights[i]), 2);
        noise += std::pow(static_cast<double>(weights[i]) - static_cast<double>(restored[i]), 2);
      }
      CHECK(layer.sqnr_db == doctest::Approx(10 * std::log10(signal / noise)));
    }
  }
}

TEST_CASE("Ranges cover what calibration saw, with room to spare, and never more than an activation can give") {
  for (const Effort effort : {Effort::kFast, Effort::kDefault}) {
    const Graph graph = Quantize(SmallNetwork(), SmallOptions(effort)).graph;
    REQUIRE(graph.ranges.contains("stem.y"));
    CHECK(graph.ranges.at("stem.y").low == 0);
    CHECK(graph.ranges.at("stem.y").high > 0);
    CHECK(graph.ranges.at("x").low >= 0);
    CHECK(graph.ranges.at("x").high <= 1);
    CHECK(!graph.ranges.contains("logits"));
  }
}

// A picture, and the same sixteen times as bright.
std::pair<Image, Image> FaintAndBright() {
  const Image bright = DeadLeaves(12, 5);
  Image faint = bright;
  for (auto& byte : faint.rgb) byte /= 16;
  return {faint, bright};
}

std::map<std::string, ActivationRange> RangesFrom(const Graph& graph, std::vector<Image> pictures) {
  QuantizeOptions options = SmallOptions(Effort::kFast);
  options.calibration = Calibration::kPictures;
  options.pictures = std::move(pictures);
  return Quantize(graph, options).graph.ranges;
}

TEST_CASE("One picture that is far more active than the others widens no range beyond twice what they need") {
  const auto [faint, bright] = FaintAndBright();
  const auto high_of = [](std::vector<Image> pictures) {
    return RangesFrom(SmallNetwork(), std::move(pictures)).at("depthwise.y").high;
  };
  const float usual = high_of({faint, faint, faint, faint});
  CHECK(high_of({bright}) > 4 * usual);
  CHECK(high_of({faint, faint, bright, faint, faint}) == doctest::Approx(2 * usual));
  // Where most are as active as that, it is what the range has to hold.
  CHECK(high_of({faint, bright, bright}) == high_of({bright}));
}

TEST_CASE("The settings in the file say how many pictures were used") {
  QuantizeOptions options = SmallOptions(Effort::kFast);
  options.calibration = Calibration::kPictures;
  options.pictures.assign(3, DeadLeaves(12, 5));
  const auto calibration = [&] {
    const std::string settings = Quantize(SmallNetwork(), options).graph.metadata.at("kdequant.settings");
    const auto begin = settings.find("pictures:");
    return settings.substr(begin, settings.find('"', begin) - begin);
  };
  options.picture_count = 2;
  CHECK(calibration() == "pictures:2");
  options.picture_count = 64;
  CHECK(calibration() == "pictures:3");
}

TEST_CASE("Ranges of sums and what is added up are those of the median picture, with a margin that grows with depth") {
  const auto [faint, bright] = FaintAndBright();
  const auto usual = RangesFrom(SmallNetwork(), {faint, faint, faint});
  const auto with_bright = RangesFrom(SmallNetwork(), {faint, bright, faint});
  // Both summands and the sum of the network; "grouped.y" is no part of one.
  for (const char* name : {"stem.y", "project.y", "sum"}) {
    CAPTURE(name);
    CHECK(with_bright.at(name).high == usual.at(name).high);
  }
  CHECK(with_bright.at("grouped.y").high == doctest::Approx(2 * usual.at("grouped.y").high));

  // Twice the sum: of the margins, 1.1 + 0.9 depth^2, nothing but depth is left.
  Graph twice = SmallNetwork();
  const ValueId sum = twice.nodes[3].outputs[0];
  const ValueId doubled = twice.AddValue({.name = "doubled", .shape = Shape{1, 16, 12, 12}});
  twice.nodes.insert(twice.nodes.begin() + 4, {.name = "double",
                                               .op = Elementwise{.kind = Elementwise::Kind::kAdd},
                                               .inputs = {sum, sum},
                                               .outputs = {doubled}});
  twice.nodes[5].inputs[0] = doubled;
  const auto ranges = RangesFrom(twice, {faint});
  const auto margin = [&](double index) { return 1.1 + 0.9 * (index / 9) * (index / 9); };
  CHECK(ranges.at("doubled").high / ranges.at("sum").high == doctest::Approx(2 * margin(5) / margin(4)));
}

TEST_CASE("A mean that a layer reads has a tenth of room, and one that is the answer no range") {
  const auto ranges = Quantize(SmallNetwork(), SmallOptions(Effort::kFast)).graph.ranges;
  // The same values in another shape, with the margin of their depth: the seventh of eight nodes.
  const double margin = 1.1 + 0.9 * (7.0 / 8) * (7.0 / 8);
  CHECK(ranges.at("flat").high / ranges.at("pooled").high == doctest::Approx(margin / 1.1));

  Graph cut = SmallNetwork();
  cut.outputs = {cut.nodes.back().inputs[0]};
  cut.nodes.pop_back();
  const auto without = Quantize(cut, SmallOptions(Effort::kFast)).graph.ranges;
  CHECK(without.contains("grouped.y"));
  CHECK(!without.contains("pooled"));
  CHECK(!without.contains("flat"));
}

TEST_CASE("The float network stays as it was") {
  const Graph graph = SmallNetwork();
  const auto shared = std::make_shared<const Graph>(graph);
  std::vector<std::shared_ptr<const Tensor>> constants;
  for (const Value& value : graph.values) constants.push_back(value.constant);
  auto job = QuantizeJob::Create(shared, SmallOptions(Effort::kDefault)).value();
  REQUIRE(Finish(*job));
  for (std::size_t i = 0; i < graph.values.size(); ++i) CHECK(shared->values[i].constant == constants[i]);
  CHECK(shared->ranges.empty());
}

TEST_CASE("The same seed gives the same file, another one another") {
  const Graph graph = SmallNetwork();
  QuantizeOptions options = SmallOptions(Effort::kDefault);
  options.design.sampling.count = 100;
  const auto file = [&] { return WriteOnnx(Quantize(graph, options).graph).value(); };
  const auto first = file();
  CHECK(file() == first);
  options.seed = 2;
  CHECK(file() != first);
}

TEST_CASE("Work in small steps gives the same network as work at once") {
  const Graph graph = SmallNetwork();
  const auto options = SmallOptions(Effort::kDefault);
  auto job = QuantizeJob::Create(std::make_shared<const Graph>(graph), options).value();
  double before = 0;
  std::size_t steps = 0;
  for (bool done = false; !done; ++steps) {
    done = job->Step(0).value();
    CHECK(job->progress().fraction >= before);
    CHECK(job->progress().fraction <= 1);
    before = job->progress().fraction;
  }
  CHECK(steps > 50);
  CHECK(before == 1);
  CHECK(WriteOnnx(job->TakeGraph()).value() == WriteOnnx(Quantize(graph, options).graph).value());
}

TEST_CASE("Excluded layers stay in float, and the others make up for nothing of theirs") {
  QuantizeOptions options = SmallOptions(Effort::kDefault);
  options.exclude = {"st*", "f?"};
  const Graph graph = SmallNetwork();
  const auto [quantized, report] = Quantize(graph, options);
  CHECK(report.layers[0].bits == 32);
  CHECK(report.layers[2].bits == 4);
  CHECK(report.layers[4].bits == 32);
  CHECK(quantized.value(quantized.nodes[0].inputs[1]).constant == graph.value(graph.nodes[0].inputs[1]).constant);
}

TEST_CASE("A single picture, a dead channel and a layer that sees only zeros: finite, and the zeros stay zeros") {
  Graph graph = SmallNetwork();
  // The stem's outputs are all zero: its bias is far below.
  FloatTensor bias = *graph.FloatConstant(graph.nodes[0].inputs[2]);
  for (auto& value : bias.values) value = -1000;
  graph.value(graph.nodes[0].inputs[2]).constant = std::make_shared<const Tensor>(bias);
  FloatTensor weights = *graph.FloatConstant(graph.nodes[2].inputs[1]);
  for (std::size_t k = 0; k < 16; ++k) weights.values[k] = 0;
  graph.value(graph.nodes[2].inputs[1]).constant = std::make_shared<const Tensor>(weights);
  QuantizeOptions options = SmallOptions(Effort::kDefault);
  options.picture_count = 1;
  const Graph quantized = Quantize(graph, options).graph;
  const FloatTensor project = Dequantize(*quantized.value(quantized.nodes[2].inputs[1]).constant).value();
  for (std::size_t k = 0; k < 16; ++k) CHECK(project.values[k] == 0);
  CHECK(std::isfinite(ErrorOnPictures(graph, quantized, 3000).square));
}

TEST_CASE("Widening gives 8 bits to the smallest layers, and an override wins over it") {
  QuantizeOptions options = SmallOptions(Effort::kFast);
  options.widen = 0;
  const Graph graph = SmallNetwork();
  const QuantizeReport narrow = Quantize(graph, options).report;
  std::size_t smallest = 0;
  double weights = 0;
  for (std::size_t i = 0; i < narrow.layers.size(); ++i) {
    if (narrow.layers[i].bits == 4) weights += static_cast<double>(narrow.layers[i].weights);
    const bool smaller = narrow.layers[i].weights < narrow.layers[smallest].weights;
    if (narrow.layers[i].bits == 4 && (smaller || narrow.layers[smallest].bits != 4)) smallest = i;
  }
  // Tables weigh more than these few weights: the budget is large.
  options.widen = (960.0 + static_cast<double>(narrow.layers[smallest].weights) / 2 + 1) / (weights / 2);
  const QuantizeReport wide = Quantize(graph, options).report;
  for (std::size_t i = 0; i < wide.layers.size(); ++i) {
    const bool eight = i == smallest || narrow.layers[i].bits == 8;
    CHECK(wide.layers[i].bits == (eight ? 8 : 4));
  }
  CHECK(wide.layers[smallest].sqnr_db > 30);
  options.overrides = {{.layers = wide.layers[smallest].name, .bits = 4}};
  CHECK(Quantize(graph, options).report.layers[smallest].bits == 4);
}

TEST_CASE(
    "Without a word on it, small networks spend up to 6 % on their smallest layers, and no effort but the upper two "
    "does") {
  // 3 x 3 layers of 864, 13,824 and 36,864 weights; 6 % of the bytes of them all are 1,547, 2 % are 516.
  SmallNetworkBuilder builder(1);
  const ValueId x = builder.graph.AddValue({.name = "x", .shape = Shape{1, 3, 12, 12}});
  builder.graph.inputs = {x};
  const ValueId narrow = builder.Convolve("narrow", x, 32, 3, 1);
  const ValueId middle = builder.Convolve("middle", narrow, 48, 3, 1);
  builder.graph.outputs = {builder.Convolve("wide", middle, 85, 3, 1)};
  const auto bits = [&](Effort effort, std::optional<double> widen) {
    QuantizeOptions options = SmallOptions(effort);
    options.picture_count = 2;
    if (widen) options.widen = widen;
    std::vector<int> found;
    for (const LayerReport& layer : Quantize(builder.graph, options).report.layers) found.push_back(layer.bits);
    return found;
  };
  CHECK(bits(Effort::kDefault, std::nullopt) == std::vector{8, 4, 4});
  CHECK(bits(Effort::kDefault, 0.02) == std::vector{4, 4, 4});
  CHECK(bits(Effort::kFast, std::nullopt) == std::vector{4, 4, 4});
}

TEST_CASE("Options that contradict each other are refused") {
  const auto graph = std::make_shared<const Graph>(SmallNetwork());
  QuantizeOptions options = SmallOptions(Effort::kDefault);
  options.picture_count = 0;
  CHECK(QuantizeJob::Create(graph, options).error().code == ErrorCode::kUsage);
  options = SmallOptions(Effort::kDefault);
  options.calibration = Calibration::kPictures;
  CHECK(QuantizeJob::Create(graph, options).error().code == ErrorCode::kUsage);
}

}  // namespace
}  // namespace kdequant
