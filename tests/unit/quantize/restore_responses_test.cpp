#include "restore_responses.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <variant>
#include <vector>

#include "kdequant/base/random.h"
#include "layer.h"

namespace kdequant {
namespace {

constexpr std::int64_t kChannels = 6;
constexpr std::int64_t kColumns = 200;

FloatTensor NormalWeights() {
  FloatTensor weights{.shape = {kChannels, kColumns}, .values = {}};
  Random random(7);
  for (std::int64_t k = 0; k < kChannels * kColumns; ++k) weights.values.push_back(static_cast<float>(random.Normal()));
  return weights;
}

CodebookTensor InCodebooks(const FloatTensor& weights, Granularity granularity) {
  QuantizeOptions options;
  options.granularity = granularity;
  return std::get<CodebookTensor>(QuantizeToCodebook(weights, options, 1).value().tensor);
}

// Of channels from `begin` to `end`, what they answer to what they look for, of what they did as floats.
double Answer(const FloatTensor& weights, const CodebookTensor& tensor, std::int64_t begin, std::int64_t end,
              bool nonnegative) {
  double before = 0;
  double after = 0;
  std::vector<float> quantized(kColumns);
  for (std::int64_t o = begin; o < end; ++o) {
    DequantizeChannel(tensor, static_cast<std::size_t>(o), quantized);
    for (std::size_t k = 0; k < quantized.size(); ++k) {
      const auto w = static_cast<double>(weights.values[static_cast<std::size_t>(o * kColumns) + k]);
      const double input = nonnegative ? std::max(w, 0.0) : w;
      before += w * input;
      after += static_cast<double>(quantized[k]) * input;
    }
  }
  return after / before;
}

TEST_CASE("With a scale a channel, every channel answers as its float weights do") {
  const FloatTensor weights = NormalWeights();
  for (const bool nonnegative : {false, true}) {
    CodebookTensor tensor = InCodebooks(weights, Granularity::kChannelScale);
    CHECK(Answer(weights, tensor, 0, kChannels, false) < 0.995);
    RestoreResponses(weights.values, nonnegative, tensor);
    for (std::int64_t o = 0; o < kChannels; ++o)
      CHECK(Answer(weights, tensor, o, o + 1, nonnegative) == doctest::Approx(1).epsilon(5e-4));  // scales are halves
  }
}

TEST_CASE("With one table and no scales, all channels together do") {
  const FloatTensor weights = NormalWeights();
  CodebookTensor tensor = InCodebooks(weights, Granularity::kTensor);
  REQUIRE(tensor.scales.empty());
  RestoreResponses(weights.values, true, tensor);
  CHECK(Answer(weights, tensor, 0, kChannels, true) == doctest::Approx(1).epsilon(1e-4));
}

TEST_CASE("With a table a channel, every channel does") {
  const FloatTensor weights = NormalWeights();
  CodebookTensor tensor = InCodebooks(weights, Granularity::kChannel);
  RestoreResponses(weights.values, true, tensor);
  for (std::int64_t o = 0; o < kChannels; ++o)
    CHECK(Answer(weights, tensor, o, o + 1, true) == doctest::Approx(1).epsilon(1e-4));
}

}  // namespace
}  // namespace kdequant
