#include "kernels/winograd_f32.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "kdequant/base/random.h"

namespace kdequant::runtime {
namespace {

ConvGeometry Plain3x3(std::ptrdiff_t channels, std::ptrdiff_t height, std::ptrdiff_t width, std::ptrdiff_t outputs,
                      std::ptrdiff_t before, std::ptrdiff_t after) {
  ConvGeometry g;
  g.input = {channels, height, width};
  g.output = {outputs, height + before + after - 2, width + before + after - 2};
  for (std::ptrdiff_t& side : g.kernel) side = 3;
  for (std::size_t i = 0; i < 2; ++i) {
    g.pads[i] = before;
    g.pads[i + 2] = after;
  }
  return g;
}

Buffer<float> RandomFloats(std::ptrdiff_t count, std::uint64_t seed) {
  Random random(seed);
  Buffer<float> floats(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < floats.size(); ++i) floats.data()[i] = static_cast<float>(random.Below(2001)) / 1000 - 1;
  return floats;
}

// The largest difference from the plain loops, as a share of the largest output.
double DifferenceFromPlain(const ConvGeometry& g, int thread_count, bool fused) {
  const Buffer<float> weights = RandomFloats(g.output.channels * g.input.channels * 9, 1);
  const Buffer<float> bias = RandomFloats(g.output.channels, 2);
  const Buffer<float> input = RandomFloats(g.input.channels * g.input.Pixels(), 3);
  std::vector<float> expected(static_cast<std::size_t>(g.output.channels * g.output.Pixels()));
  ConvReference(g, weights.data(), bias.data(), input.data(), expected.data());

  Buffer<float> blocked(static_cast<std::size_t>(g.input.Elements()));
  for (std::size_t i = 0; i < blocked.size(); ++i) blocked.data()[i] = NAN;  // What fills a block must not matter.
  for (std::ptrdiff_t c = 0; c < g.input.channels; ++c)
    for (std::ptrdiff_t i = 0; i < g.input.Pixels(); ++i)
      blocked.data()[g.input.Index(c, i)] = input.data()[c * g.input.Pixels() + i];

  ThreadPool pool(thread_count);
  Epilogue epilogue;
  epilogue.low = -3;
  const WinogradC4 kernel(g, weights.data(), bias.data(), epilogue, fused);
  Buffer<std::byte> scratch(kernel.ScratchBytes(thread_count));
  Buffer<float> output(static_cast<std::size_t>(g.output.Elements()));
  kernel.Run(blocked.data(), output.data(), scratch.data(), Threads(pool, thread_count));
  double difference = 0;
  double largest = 0;
  for (std::ptrdiff_t c = 0; c < g.output.channels; ++c) {
    for (std::ptrdiff_t i = 0; i < g.output.Pixels(); ++i) {
      const float wanted = std::max(epilogue.low, expected[static_cast<std::size_t>(c * g.output.Pixels() + i)]);
      difference = std::max(difference, std::abs(static_cast<double>(wanted) - output.data()[g.output.Index(c, i)]));
      largest = std::max(largest, std::abs(static_cast<double>(wanted)));
    }
  }
  return difference / largest;
}

}  // namespace

TEST_CASE("float convolutions by tiles give what the plain loops give, within rounding") {
  for (const bool fused : {false, true}) {
    CHECK(DifferenceFromPlain(Plain3x3(16, 12, 12, 16, 1, 1), 1, fused) < 2e-6);
    // Odd sides, channels that fill neither block nor panel, uneven padding, bands, filters of one panel at a time.
    CHECK(DifferenceFromPlain(Plain3x3(18, 11, 13, 21, 1, 1), 2, fused) < 2e-6);
    CHECK(DifferenceFromPlain(Plain3x3(20, 9, 8, 17, 2, 0), 1, fused) < 2e-6);
    CHECK(DifferenceFromPlain(Plain3x3(16, 75, 40, 24, 0, 0), 3, fused) < 2e-6);
    CHECK(DifferenceFromPlain(Plain3x3(192, 14, 14, 200, 1, 1), 2, fused) < 2e-6);
  }
}

TEST_CASE("tiles are for 3x3 windows without strides that have channels and pixels enough") {
  ConvGeometry g = Plain3x3(64, 14, 14, 64, 1, 1);
  CHECK(WinogradC4::Pays(g));
  CHECK_FALSE(WinogradC4::Pays(Plain3x3(3, 224, 224, 64, 1, 1)));
  CHECK_FALSE(WinogradC4::Pays(Plain3x3(64, 2, 2, 64, 1, 1)));
  g.strides[0] = 2;
  CHECK_FALSE(WinogradC4::Pays(g));
  g.strides[0] = 1;
  g.groups = 2;
  CHECK_FALSE(WinogradC4::Pays(g));
}

}  // namespace kdequant::runtime
