#include "kdequant/codebook/channel_groups.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <vector>

#include "kdequant/base/random.h"
#include "kdequant/codebook/design.h"

namespace kdequant {
namespace {

// Channels of unit strength: even ones are Gaussian, odd ones have as long tails as a Laplacian.
std::vector<float> TwoShapes(std::size_t channels, std::size_t columns, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> weights;
  for (std::size_t o = 0; o < channels; ++o) {
    for (std::size_t k = 0; k < columns; ++k) {
      const double magnitude = -std::log(1 - random.Uniform()) / std::sqrt(2.0);
      const double laplacian = random.Below(2) == 0 ? magnitude : -magnitude;
      weights.push_back(static_cast<float>(o % 2 == 0 ? random.Normal() : laplacian));
    }
  }
  return weights;
}

std::vector<std::uint8_t> GroupsOf(const std::vector<float>& weights, std::size_t channels, int groups) {
  return ChannelGroups::Create(weights, channels)->Form(groups, 16);
}

TEST_CASE("Channels of two shapes make two groups") {
  const std::size_t channels = 40;
  const auto group_of = GroupsOf(TwoShapes(channels, 2000, 1), channels, 2);
  for (std::size_t o = 2; o < channels; ++o) CHECK(group_of[o] == group_of[o % 2]);
  CHECK(group_of[0] != group_of[1]);
}

TEST_CASE("Weights quantized by the codebooks of their channels' groups lose less than by one codebook") {
  const std::size_t channels = 64;
  const std::size_t columns = 512;
  const std::vector<float> weights = TwoShapes(channels, columns, 2);
  const auto error_of = [&](int groups) {
    const auto group_of = GroupsOf(weights, channels, groups);
    double error = 0;
    for (int group = 0; group < groups; ++group) {
      std::vector<float> members;
      for (std::size_t o = 0; o < channels; ++o) {
        if (group_of[o] == group)
          members.insert(members.end(), weights.begin() + static_cast<std::ptrdiff_t>(o * columns),
                         weights.begin() + static_cast<std::ptrdiff_t>((o + 1) * columns));
      }
      const Codebook codebook = DesignCodebook(members, {.method = Method::kLloydMax})->codebook;
      for (const float w : members) {
        const double difference = static_cast<double>(w) - codebook.Quantize(static_cast<double>(w));
        error += difference * difference;
      }
    }
    return error;
  };
  const double of_one = error_of(1);
  const double of_two = error_of(2);
  CHECK(of_two < 0.95 * of_one);
  CHECK(error_of(8) < of_two);
}

TEST_CASE("A channel that is another one times a factor goes to its group") {
  const std::size_t columns = 1000;
  std::vector<float> weights = TwoShapes(8, columns, 3);
  for (std::size_t k = 0; k < columns; ++k) weights[6 * columns + k] = 0.8F * weights[k];
  const auto group_of = GroupsOf(weights, 8, 4);
  CHECK(group_of[6] == group_of[0]);
}

TEST_CASE("Groups are numbered without gaps, the largest first, and there are no more than channels") {
  for (const std::size_t channels : {1U, 3U, 50U}) {
    const auto group_of = GroupsOf(TwoShapes(channels, 60, 4), channels, 16);
    REQUIRE(group_of.size() == channels);
    const std::set<std::uint8_t> groups(group_of.begin(), group_of.end());
    CHECK(groups.size() <= std::min<std::size_t>(channels, 16));
    std::ptrdiff_t last = std::numeric_limits<std::ptrdiff_t>::max();
    for (std::size_t group = 0; group < groups.size(); ++group) {
      const std::ptrdiff_t size = std::ranges::count(group_of, group);
      CHECK(size > 0);
      CHECK(size <= last);
      last = size;
    }
  }
}

TEST_CASE("Constant weights, and channels of zeros, are no obstacle") {
  CHECK(GroupsOf(std::vector<float>(30, 0.5F), 3, 2).size() == 3);
  std::vector<float> weights = TwoShapes(4, 50, 5);
  std::fill_n(weights.begin() + 50, 50, 0.0F);
  CHECK(GroupsOf(weights, 4, 4).size() == 4);
}

TEST_CASE("No weights and weights that are no numbers are refused") {
  CHECK(ChannelGroups::Create(std::vector<float>{}, 1).error().code == ErrorCode::kEmptySample);
  std::vector<float> weights(8, 1);
  weights[5] = std::numeric_limits<float>::quiet_NaN();
  CHECK(ChannelGroups::Create(weights, 2).error().code == ErrorCode::kNotFinite);
}

}  // namespace
}  // namespace kdequant
