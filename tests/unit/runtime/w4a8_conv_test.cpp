#include "kernels/w4a8_conv.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <vector>

#include "kdequant/base/random.h"
#include "kdequant/runtime/session.h"

namespace kdequant::w4a8 {
namespace {

struct Case {
  const char* name;
  std::ptrdiff_t channels, height, width, outputs, groups, kernel, stride, dilation, pad_before, pad_after;
};

// Every way through the kernels: one pixel and many, whole and broken tiles, panels and blocks; windows side by side
// and apart; paddings of different widths; groups; depthwise with and without what the row kernel wants.
constexpr Case kCases[] = {
    {"1x1", 16, 6, 6, 24, 1, 1, 1, 1, 0, 0},
    {"1x1 with a broken tile and a broken panel", 12, 7, 7, 20, 1, 1, 1, 1, 0, 0},
    {"1x1, channels that fill no block", 7, 5, 3, 5, 1, 1, 1, 1, 0, 0},
    {"1x1 with stride", 8, 9, 9, 8, 1, 1, 2, 1, 0, 0},
    {"one pixel", 36, 1, 1, 21, 1, 1, 1, 1, 0, 0},
    {"one pixel of a whole window", 8, 3, 3, 12, 1, 3, 1, 1, 0, 0},
    {"3x3", 8, 9, 11, 16, 1, 3, 1, 1, 1, 1},
    {"3x3 of three channels with stride", 3, 13, 12, 10, 1, 3, 2, 1, 0, 1},
    {"5x5 dilated", 4, 15, 15, 8, 1, 5, 1, 2, 3, 3},
    {"wide and deep enough for several bands", 64, 20, 20, 24, 1, 3, 1, 1, 1, 1},
    {"too many weights to decode at once", 256, 4, 4, 136, 1, 3, 1, 1, 1, 1},
    {"3x3 by tiles of 2x2", 16, 12, 12, 16, 1, 3, 1, 1, 1, 1},
    {"3x3 by tiles, odd sides, an odd block, a broken panel", 20, 11, 13, 21, 1, 3, 1, 1, 1, 1},
    {"3x3 by tiles without padding, several bands", 32, 43, 18, 16, 1, 3, 1, 1, 0, 0},
    {"3x3 by tiles, filters of one panel at a time", 192, 9, 8, 192, 1, 3, 1, 1, 2, 0},
    {"3x3 by tiles in groups", 32, 7, 8, 48, 2, 3, 1, 1, 1, 1},
    {"groups", 16, 6, 5, 24, 2, 3, 1, 1, 1, 1},
    {"groups that break blocks", 6, 6, 5, 9, 3, 3, 1, 1, 1, 1},
    {"depthwise 3x3", 10, 9, 9, 10, 10, 3, 1, 1, 1, 1},
    {"depthwise 3x3, one row", 8, 1, 6, 8, 8, 3, 1, 1, 1, 1},
    {"depthwise 3x3 with stride", 12, 10, 14, 12, 12, 3, 2, 1, 0, 1},
    {"depthwise 5x5", 8, 7, 7, 8, 8, 5, 1, 1, 2, 2},
    {"depthwise 5x5 with stride", 8, 14, 13, 8, 8, 5, 2, 1, 2, 2},
    {"depthwise, narrower than a tile", 5, 6, 2, 5, 5, 3, 1, 1, 1, 1},
    {"depthwise, kernel larger than the image", 4, 2, 2, 4, 4, 7, 1, 1, 3, 3},
    {"depthwise dilated", 4, 9, 9, 4, 4, 3, 1, 2, 2, 2},
    {"depthwise without padding", 4, 9, 10, 4, 4, 3, 1, 1, 0, 0},
};

ConvGeometry GeometryOf(const Case& c) {
  const auto size = [&](std::ptrdiff_t in) {
    return (in + c.pad_before + c.pad_after - (c.kernel - 1) * c.dilation - 1) / c.stride + 1;
  };
  ConvGeometry g;
  g.input = {c.channels, c.height, c.width};
  g.output = {c.outputs, size(c.height), size(c.width)};
  g.groups = c.groups;
  for (std::size_t i = 0; i < 2; ++i) {
    g.kernel[i] = c.kernel;
    g.strides[i] = c.stride;
    g.dilations[i] = c.dilation;
    g.pads[i] = c.pad_before;
    g.pads[i + 2] = c.pad_after;
  }
  return g;
}

// For each row one of three tables of sixteen codes within +-63, as quantized layers have, or any bytes.
IntegerWeights RandomWeights(const ConvGeometry& g, bool table, std::uint64_t seed) {
  Random random(seed);
  IntegerWeights weights;
  weights.rows = static_cast<std::size_t>(g.output.channels);
  weights.depth = static_cast<std::size_t>(g.GroupInputs() * g.Taps());
  if (table) {
    weights.tables.resize(3);
    for (int i = 0; i < 48; ++i)
      weights.tables[static_cast<std::size_t>(i / 16)][static_cast<std::size_t>(i % 16)] =
          static_cast<std::int8_t>((8 - i / 16) * (i % 16) - 63 + 3 * (i / 16));
    for (std::size_t row = 0; row < weights.rows; ++row)
      weights.table_of.push_back(static_cast<std::uint8_t>(random.Below(3)));
  }
  for (std::size_t i = 0; i < weights.rows * weights.depth; ++i) {
    if (table) {
      weights.values.push_back(weights.tables[weights.table_of[i / weights.depth]][random.Below(16)]);
    } else {
      weights.values.push_back(static_cast<std::int8_t>(static_cast<int>(random.Below(255)) - 127));
    }
  }
  return weights;
}

struct Outputs {
  std::vector<std::int8_t> bytes;
  std::vector<std::int8_t> sums;  // With an addend.
  std::vector<float> floats;
};

// What the convolution makes of a random image, or of one byte everywhere: the real elements, in the order of the
// graph.
Outputs Convolve(const ConvGeometry& g, const IntegerWeights& weights, bool seven_bits, Arithmetic arithmetic,
                 const Threads& threads = {}, std::optional<std::int8_t> everywhere = {}) {
  Random random(99);
  Buffer<std::int8_t> input(static_cast<std::size_t>(g.input.Elements() + 64));
  for (std::size_t i = 0; i < input.size(); ++i)
    input.data()[i] = static_cast<std::int8_t>(seven_bits ? static_cast<int>(random.Below(128))
                                                          : static_cast<int>(random.Below(256)) - 128);
  if (everywhere) std::fill_n(input.data(), input.size(), *everywhere);
  const auto padded = static_cast<std::size_t>((g.output.channels + 7) / 8 * 8 + 8);
  std::vector<std::int32_t> start(padded, 0);
  std::vector<float> multipliers(padded, 0.0F);
  std::vector<float> bias(padded, 0.0F);
  for (std::ptrdiff_t i = 0; i < g.output.channels; ++i) {
    const auto at = static_cast<std::size_t>(i);
    start[at] = static_cast<std::int32_t>(random.Below(4000)) - 2000;
    multipliers[at] = 1e-4F * static_cast<float>(1 + random.Below(200));
    bias[at] = 0.25F * static_cast<float>(i);
  }
  const std::int32_t zero_point = seven_bits ? 3 : -17;
  auto convolution = Convolution::Create(g, weights, seven_bits, arithmetic, threads.count());
  REQUIRE(convolution);
  Buffer<std::byte> scratch(convolution->ScratchBytes() + 16);
  const auto elements = static_cast<std::size_t>(g.output.Elements());
  Buffer<std::int8_t> bytes(elements + 16);
  Buffer<float> floats(elements + 16);
  Buffer<std::int8_t> sums(elements + 16);
  Buffer<std::int8_t> addend(elements + 16);
  for (std::size_t i = 0; i < addend.size(); ++i)
    addend.data()[i] = static_cast<std::int8_t>(static_cast<int>(random.Below(256)) - 128);
  const RowStart rows{start.data(), multipliers.data()};
  convolution->Run(input.data(), zero_point,
                   ByteOutput{.rows = rows, .bounds = {-100, 120}, .zero_point = 5, .bytes = bytes.data()},
                   scratch.data(), threads);
  convolution->Run(input.data(), zero_point,
                   ByteOutput{.rows = rows,
                              .bounds = {-100, 120},
                              .zero_point = 5,
                              .bytes = sums.data(),
                              .addend = {.bytes = addend.data(), .zero_point = -30, .ratio = 0.37F}},
                   scratch.data(), threads);
  convolution->Run(input.data(), zero_point,
                   FloatOutput{.rows = rows, .bias = bias.data(), .low = -50, .high = 1e30F, .floats = floats.data()},
                   scratch.data(), threads);
  Outputs outputs;
  for (std::ptrdiff_t c = 0; c < g.output.channels; ++c) {
    for (std::ptrdiff_t pixel = 0; pixel < g.output.Pixels(); ++pixel) {
      outputs.bytes.push_back(bytes.data()[g.output.Index(c, pixel)]);
      outputs.sums.push_back(sums.data()[g.output.Index(c, pixel)]);
      outputs.floats.push_back(floats.data()[g.output.Index(c, pixel)]);
    }
  }
  return outputs;
}

std::vector<Arithmetic> VectorArithmetics() {
  if (FastestArithmetic() == Arithmetic::kPairs) return {Arithmetic::kPairs};
  return {Arithmetic::kPairs, Arithmetic::kRelaxedAdd, Arithmetic::kRelaxedPairs};
}

}  // namespace

TEST_CASE("every integer convolution kernel gives what the plain loops give, bit for bit, on any number of threads") {
  ThreadPool pool(3);
  for (const Case& c : kCases) {
    const ConvGeometry g = GeometryOf(c);
    for (const bool table : {true, false}) {
      const IntegerWeights weights = RandomWeights(g, table, 5);
      for (const bool seven_bits : {true, false}) {
        const Outputs expected = Convolve(g, weights, seven_bits, Arithmetic::kPlain);
        for (const Arithmetic arithmetic : VectorArithmetics()) {
          CAPTURE(c.name);
          CAPTURE(table);
          CAPTURE(seven_bits);
          CAPTURE(static_cast<int>(arithmetic));
          for (const int threads : {1, 2, 3}) {
            CAPTURE(threads);
            const Outputs found = Convolve(g, weights, seven_bits, arithmetic, Threads(pool, threads));
            CHECK(found.bytes == expected.bytes);
            CHECK(found.sums == expected.sums);
            CHECK(found.floats == expected.floats);
          }
        }
      }
    }
  }
}

TEST_CASE("steps whose sum would leave 16 bits are not summed there") {
  // Four codes of one sign that add up to 128 still fit when the bytes are the largest; one more does not.
  constexpr std::int8_t kRows[][8] = {
      {63, 63, 63, 63, 63, 63, 63, 63},         {-64, -64, -64, -64, -64, -64, -64, -64},
      {32, 32, 32, 32, 32, 32, 32, 32},         {33, 32, 32, 32, 32, 32, 32, 32},
      {-32, -32, -32, -32, -32, -32, -32, -32}, {-33, -32, -32, -32, -32, -32, -32, -32},
      {63, -64, 63, -64, 63, -64, 63, -64},     {63, 2, -64, -64, 63, 0, -1, -1},
  };
  ConvGeometry g;
  g.input = {8, 4, 5};
  g.output = {8, 4, 5};
  // By panels: one that may be summed decides nothing for another.
  for (const auto& row : kRows) {
    IntegerWeights weights;
    weights.rows = 8;
    weights.depth = 8;
    for (int i = 0; i < 8; ++i) weights.values.insert(weights.values.end(), std::begin(row), std::end(row));
    for (const std::int8_t byte : std::initializer_list<std::int8_t>{127, 126, 0, -1, -127, -128}) {
      const Outputs expected = Convolve(g, weights, false, Arithmetic::kPlain, {}, byte);
      for (const Arithmetic arithmetic : VectorArithmetics()) {
        CAPTURE(static_cast<int>(row[0]));
        CAPTURE(static_cast<int>(byte));
        CAPTURE(static_cast<int>(arithmetic));
        const Outputs found = Convolve(g, weights, false, arithmetic, {}, byte);
        CHECK(found.bytes == expected.bytes);
        CHECK(found.floats == expected.floats);
      }
    }
  }
}

TEST_CASE("rows know how large a result may become, whatever the input") {
  IntegerWeights weights;
  weights.rows = 3;
  weights.depth = 2;
  weights.values = {3, -4, 1, 0, 1, 1};
  weights.units = {0.5, 0.25, 1e-12};
  const std::vector<float> bias = {10, -6, 100};
  // Of the first row: start 10 / 1 - 0, reach 7 * 127, multiplier 2 * 0.5 / 4; of the second: |-12| + 127, 0.125.
  RowConstants constants = MakeRowConstants(weights, bias, 2, 0, 127, 4);
  CHECK(constants.silent == std::vector<std::uint8_t>{0, 0, 1});
  CHECK(constants.largest == (10 + 7 * 127) * 0.25);
  // A silent row is its bias alone.
  constants = MakeRowConstants(weights, bias, 2, 0, 127, 0.001);
  CHECK(constants.largest == doctest::Approx((10 + 7 * 127) * 1000));
  weights.values = {0, 0, 0, 0, 1, 1};
  CHECK(MakeRowConstants(weights, bias, 2, 0, 127, 4).largest == doctest::Approx(25));
}

TEST_CASE("a layer whose results may lie far beyond its range is clamped to it by every kernel") {
  // Bytes are rounded before they are clamped, which bears numbers up to 4 million: this range is 1e-9 wide.
  Graph graph;
  const ValueId x = graph.AddValue({.name = "x", .shape = Shape{1, 4, 4, 4}});
  const auto constant = [&](const char* name, const Tensor& tensor) {
    return graph.AddValue({.name = name, .shape = ShapeOf(tensor), .constant = std::make_shared<const Tensor>(tensor)});
  };
  const ValueId weight = constant("weight", Int8Tensor{.shape = {4, 4, 1, 1},
                                                       .values = {90, 20, -7, 3, -90, 1, 1, 1, 0, 0, 0, 0, 5, 0, -5, 9},
                                                       .scales = {1, 1, 1, 1}});
  const ValueId y = graph.AddValue({.name = "y", .shape = Shape{1, 4, 4, 4}});
  graph.nodes.push_back({.name = "conv",
                         .op = Conv{.window = {.kernel = {1, 1}, .pads = {0, 0, 0, 0}}, .groups = 1},
                         .inputs = {x, weight},
                         .outputs = {y}});
  // What reads it gets bytes within its range.
  const ValueId identity = constant("identity", Int8Tensor{.shape = {4, 4, 1, 1},
                                                           .values = {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1},
                                                           .scales = {1, 1, 1, 1}});
  const ValueId z = graph.AddValue({.name = "z", .shape = Shape{1, 4, 4, 4}});
  graph.nodes.push_back({.name = "copy",
                         .op = Conv{.window = {.kernel = {1, 1}, .pads = {0, 0, 0, 0}}, .groups = 1},
                         .inputs = {y, identity},
                         .outputs = {z}});
  graph.inputs = {x};
  graph.outputs = {z};
  graph.ranges["x"] = {.low = -1, .high = 1, .bits = 8};
  graph.ranges["y"] = {.low = 0, .high = 1e-9F, .bits = 8};
  graph.ranges["z"] = {.low = 0, .high = 1e-9F, .bits = 8};
  Random random(3);
  std::vector<float> input(64);
  for (float& value : input) value = static_cast<float>(random.Uniform() * 2 - 1);
  std::vector<float> expected;
  for (const KernelSet kernels : {KernelSet::kReference, KernelSet::kSimd128, KernelSet::kRelaxed}) {
    auto session = Session::Create(graph, {.precision = Precision::kW4A8, .kernels = kernels});
    REQUIRE(session);
    const auto output = session->Run(input).value();
    if (expected.empty()) expected.assign(output.begin(), output.end());
    CHECK(std::vector<float>(output.begin(), output.end()) == expected);
  }
  // There are results of both signs, and nothing outside the range.
  CHECK(std::ranges::min(expected) == 0);
  CHECK(std::ranges::max(expected) == doctest::Approx(1e-9F));
}

TEST_CASE("a layer and the sum behind it are rounded once, and observers still get the layer's own output") {
  Graph graph;
  const auto image = [&](const char* name) { return graph.AddValue({.name = name, .shape = Shape{1, 4, 3, 3}}); };
  const ValueId x = image("x");
  const ValueId layer = image("layer");
  const ValueId sum = image("sum");
  const ValueId weight = graph.AddValue({.name = "weight",
                                         .shape = Shape{4, 4, 1, 1},
                                         .constant = std::make_shared<const Tensor>(
                                             Int8Tensor{.shape = {4, 4, 1, 1},
                                                        .values = {4, 2, -7, 3, -9, 1, 1, 1, 0, 0, 0, 0, 5, 0, -5, 9},
                                                        .scales = {0.1F, 0.1F, 0.1F, 0.1F}})});
  graph.nodes.push_back({.name = "conv",
                         .op = Conv{.window = {.kernel = {1, 1}, .pads = {0, 0, 0, 0}}, .groups = 1},
                         .inputs = {x, weight},
                         .outputs = {layer}});
  graph.nodes.push_back({.name = "add",
                         .op = Elementwise{.kind = Elementwise::Kind::kAdd},
                         .inputs = {layer, x},
                         .outputs = {sum},
                         .activation = Activation{.kind = Activation::Kind::kRelu}});
  graph.inputs = {x};
  graph.outputs = {sum};
  graph.ranges["x"] = {.low = 0, .high = 255, .bits = 8};         // Steps of 1: the input is exact.
  graph.ranges["layer"] = {.low = -9e5, .high = 9e5, .bits = 8};  // Rounded to this, nothing would be left.
  graph.ranges["sum"] = {.low = 0, .high = 510, .bits = 8};       // Steps of 2.
  Random random(3);
  std::vector<float> input(36);
  for (float& value : input) value = static_cast<float>(random.Below(256));

  std::vector<float> exact_layer;
  auto exact = Session::Create(graph, {.precision = Precision::kF32});
  REQUIRE(exact);
  const auto keep = [&](std::vector<float>& target) {
    return [&](ValueId value, std::span<const float> elements) {
      if (value == layer) target.assign(elements.begin(), elements.end());
    };
  };
  const auto run = exact->Run(input, keep(exact_layer)).value();
  const std::vector<float> exact_sum(run.begin(), run.end());

  for (const KernelSet kernels : {KernelSet::kReference, KernelSet::kSimd128, KernelSet::kRelaxed}) {
    auto session = Session::Create(graph, {.precision = Precision::kW4A8, .kernels = kernels});
    REQUIRE(session);
    std::vector<float> own;
    const auto output = session->Run(input, keep(own)).value();
    REQUIRE(own.size() == exact_layer.size());
    for (std::size_t i = 0; i < output.size(); ++i) {
      CHECK(std::abs(output[i] - std::min(exact_sum[i], 510.0F)) <= 1.001F);
      CHECK(own[i] == doctest::Approx(exact_layer[i]).epsilon(1e-5));
    }
    CHECK(std::ranges::equal(session->Run(input).value(), std::vector<float>(output.begin(), output.end())));
  }
}

TEST_CASE("the plain convolution computes what its definition says") {
  // One channel, a 1x2 kernel with a column of padding: sums are 2 x_i + 3 x_(i+1), and the last one meets the zero
  // point.
  ConvGeometry g;
  g.input = {1, 1, 3};
  g.output = {1, 1, 3};
  g.kernel[1] = 2;
  g.pads[3] = 1;
  IntegerWeights weights;
  weights.rows = 1;
  weights.depth = 2;
  weights.values = {2, 3};
  auto convolution = Convolution::Create(g, weights, false, Arithmetic::kPlain, 1);
  REQUIRE(convolution);
  alignas(16) const std::int8_t input[16] = {10, 0, 0, 0, -20, 0, 0, 0, 30};
  alignas(16) float output[16] = {};
  const std::int32_t start[8] = {1};
  const float multipliers[8] = {0.5F};
  const float bias[8] = {100};
  alignas(16) std::byte scratch[64];
  convolution->Run(
      input, 7, FloatOutput{.rows = {start, multipliers}, .bias = bias, .low = -1e9F, .high = 1e9F, .floats = output},
      scratch, {});
  CHECK(output[0] == 100 + 0.5F * (1 + 20 - 60));
  CHECK(output[4] == 100 + 0.5F * (1 - 40 + 90));
  CHECK(output[8] == 100 + 0.5F * (1 + 60 + 21));
}

TEST_CASE("the fastest arithmetic is told by known products") {
  // Natively, relaxed products are those of x86 without VNNI, wherever this runs.
  const Arithmetic fastest = FastestArithmetic();
  CHECK(fastest == Arithmetic::kRelaxedPairs);
  CHECK(FastestArithmetic() == fastest);
}

}  // namespace kdequant::w4a8
