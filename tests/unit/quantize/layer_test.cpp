#include "layer.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <span>
#include <vector>

#include "assign.h"
#include "kdequant/base/half.h"
#include "kdequant/base/random.h"
#include "kdequant/density/scaled_weights.h"
#include "kdequant/quantize/channel_scales.h"

namespace kdequant {
namespace {

// Channels of Gaussian weights whose strengths differ by up to a factor of 30, as behind a folded BatchNorm.
FloatTensor UnevenChannels(std::int64_t channels, std::int64_t columns, std::uint64_t seed) {
  FloatTensor tensor{.shape = {channels, columns, 1, 1}, .values = {}};
  Random random(seed);
  for (std::int64_t o = 0; o < channels; ++o) {
    const double strength = 0.01 * std::exp(3.4 * random.Uniform());
    for (std::int64_t k = 0; k < columns; ++k) tensor.values.push_back(static_cast<float>(strength * random.Normal()));
  }
  return tensor;
}

double Sqnr(const FloatTensor& weights, const Tensor& quantized) {
  SquaredError error;
  error.Add(weights.values, Dequantize(quantized)->values);
  return error.SqnrDb();
}

Tensor Quantize(const FloatTensor& weights, Granularity granularity, int codebooks = 1) {
  QuantizeOptions options;
  options.granularity = granularity;
  options.codebooks = codebooks;
  return QuantizeToCodebook(weights, options, 1)->tensor;
}

TEST_CASE("Divided by their scales channels have a mean square of 1, and a channel of zeros stays zeros") {
  FloatTensor weights = UnevenChannels(3, 100, 4);
  std::fill_n(weights.values.begin() + 100, 100, 0.0F);
  const std::vector<float> scales = ChannelScales(weights);
  REQUIRE(scales.size() == 3);
  CHECK(scales[1] == 0);
  const ScaledWeights divided(weights.values, scales);
  ScaledWeights::Room room;
  CHECK(RootMeanSquare(divided.Run(0, room)) == doctest::Approx(1).epsilon(1e-5));
  CHECK(RootMeanSquare(divided.Run(100, room)) == 0);
  CHECK(RootMeanSquare(divided.Run(200, room)) == doctest::Approx(1).epsilon(1e-5));
}

TEST_CASE("Channel scales keep uneven channels near the Gaussian optimum, one codebook a layer does not") {
  const FloatTensor weights = UnevenChannels(64, 256, 2);
  // 16-level Lloyd-Max of a Gaussian has 10 log10(1 / 0.0095) = 20.2 dB; a fitted scale per channel adds a little, the
  // integer grid and the halved scale take a little.
  const double channel_scale = Sqnr(weights, Quantize(weights, Granularity::kChannelScale));
  CHECK(channel_scale > 20.0);
  CHECK(channel_scale < 20.9);
  CHECK(Sqnr(weights, Quantize(weights, Granularity::kTensor)) < channel_scale - 1);
  CHECK(Sqnr(weights, Quantize(weights, Granularity::kChannel)) > channel_scale);
}

TEST_CASE("Codebooks that channels choose from lose less, and take a hundredth of the bytes") {
  // Every third channel has longer tails.
  FloatTensor weights = UnevenChannels(96, 512, 5);
  for (std::size_t i = 0; i < weights.values.size(); ++i) {
    if (i / 512 % 3 == 0 && i % 7 == 0) weights.values[i] *= 3;
  }
  const Tensor one = Quantize(weights, Granularity::kChannelScale, 1);
  const Tensor several = Quantize(weights, Granularity::kChannelScale, 8);
  const auto& codebook = std::get<CodebookTensor>(several);
  CHECK(codebook.TableCount() == 8);
  CHECK(codebook.table_of.size() == 96);
  CHECK(Sqnr(weights, several) > Sqnr(weights, one) + 0.3);
  CHECK(static_cast<double>(StoredBytes(several)) < 1.015 * static_cast<double>(StoredBytes(one)));
  // The steps are the same power of two, so that levels are exact in 16 bits.
  for (const float step : codebook.steps) {
    CHECK(step == codebook.steps[0]);
    CHECK(std::has_single_bit(static_cast<unsigned>(std::ldexp(step, 20))));
  }
}

TEST_CASE("A small layer gets no more codebooks than are worth their bytes") {
  const auto count = [](std::int64_t channels, std::int64_t columns) {
    const Tensor tensor = Quantize(UnevenChannels(channels, columns, 6), Granularity::kChannelScale, 16);
    return std::get<CodebookTensor>(tensor).TableCount();
  };
  CHECK(count(16, 32) == 1);   // 256 bytes of indices
  CHECK(count(64, 32) <= 2);   // 1 KB: 64 bytes are a 16th of it
  CHECK(count(8, 4096) <= 2);  // four channels each
  CHECK(count(128, 256) > 8);
}

TEST_CASE("A channel of zeros stays zero, and the others do not suffer") {
  FloatTensor weights = UnevenChannels(8, 64, 3);
  for (std::size_t k = 0; k < 64; ++k) weights.values[5 * 64 + k] = 0;
  for (const auto granularity : {Granularity::kChannelScale, Granularity::kChannel}) {
    const Tensor quantized = Quantize(weights, granularity);
    const FloatTensor restored = Dequantize(quantized).value();
    for (std::size_t k = 0; k < 64; ++k) CHECK(restored.values[5 * 64 + k] == 0);
    CHECK(Sqnr(weights, quantized) > 18);
  }
}

TEST_CASE("Channels with weights below 1e-6 stay finite and small") {
  FloatTensor weights = UnevenChannels(8, 64, 3);
  for (std::size_t k = 0; k < 64; ++k) weights.values[2 * 64 + k] *= 1e-6F;
  const FloatTensor restored = Dequantize(Quantize(weights, Granularity::kChannelScale)).value();
  for (std::size_t k = 0; k < 64; ++k) CHECK(std::fabs(restored.values[2 * 64 + k]) < 1e-6);
}

TEST_CASE("Weights of three distinct values come back to within the step's 17 bits") {
  FloatTensor weights{.shape = {4, 30}, .values = {}};
  for (int i = 0; i < 120; ++i) weights.values.push_back(0.37F * static_cast<float>(i % 3 - 1));
  const FloatTensor restored = Dequantize(Quantize(weights, Granularity::kTensor)).value();
  for (std::size_t i = 0; i < 120; ++i) CHECK(std::fabs(restored.values[i] - weights.values[i]) < 1e-5);
}

TEST_CASE("A constant weight tensor comes back") {
  const FloatTensor weights{.shape = {2, 3}, .values = std::vector<float>(6, -0.25F)};
  for (const auto granularity : {Granularity::kTensor, Granularity::kChannelScale, Granularity::kChannel}) {
    const FloatTensor restored = Dequantize(Quantize(weights, granularity)).value();
    for (const float w : restored.values) CHECK(w == doctest::Approx(-0.25).epsilon(1e-3));
  }
}

TEST_CASE("Scales are numbers that binary16 holds, the largest in [0.5, 1)") {
  const Tensor quantized = Quantize(UnevenChannels(16, 32, 9), Granularity::kChannelScale);
  const auto& codebook = std::get<CodebookTensor>(quantized);
  float largest = 0;
  for (const float scale : codebook.scales) {
    CHECK(scale == RoundToHalf(scale));
    largest = std::max(largest, scale);
  }
  CHECK(largest >= 0.5);
  CHECK(largest <= 1);
}

TEST_CASE("8-bit weights are at most half a scale away") {
  const FloatTensor weights = UnevenChannels(10, 9, 4);
  const Int8Tensor quantized = QuantizeToInt8(weights);
  for (std::size_t i = 0; i < weights.values.size(); ++i) {
    const float scale = quantized.scales[i / 9];
    CHECK(std::fabs(weights.values[i] - static_cast<float>(quantized.values[i]) * scale) <= 0.5001F * scale);
  }
}

}  // namespace
}  // namespace kdequant
