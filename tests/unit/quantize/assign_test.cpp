#include "assign.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "kdequant/base/random.h"

namespace kdequant {
namespace {

const std::vector<std::int8_t> kCodes{-127, -90, -64, -40, -25, -14, -6, -1, 3, 9, 17, 30, 47, 70, 99, 127};

std::size_t NearestByLookingAtAll(const LevelTable& table, double normalized) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < table.levels().size(); ++i) {
    if (std::fabs(normalized - static_cast<double>(table.level(i))) <
        std::fabs(normalized - static_cast<double>(table.level(best)))) {
      best = i;
    }
  }
  return best;
}

TEST_CASE("Every weight takes the level nearest to it") {
  const LevelTable table(kCodes, 0.0078125F);
  Random random(11);
  std::vector<float> weights(2000);
  for (auto& w : weights) w = static_cast<float>(random.Normal());
  std::vector<std::uint8_t> indices(weights.size());
  table.Assign(weights, 2, indices);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    CHECK(indices[i] == NearestByLookingAtAll(table, static_cast<double>(weights[i]) / 2));
  }
}

TEST_CASE("A scale of zero assigns the level nearest to zero") {
  const LevelTable table(kCodes, 0.01F);
  const std::vector<float> weights{0, 5, -5};
  std::vector<std::uint8_t> indices(3);
  table.Assign(weights, 0, indices);
  for (const auto index : indices) CHECK(table.level(index) == doctest::Approx(-0.01));
}

TEST_CASE("No scale near the least-squares scale has a smaller error") {
  const LevelTable table(kCodes, 0.015625F);
  Random random(5);
  std::vector<float> weights(300);
  for (auto& w : weights) w = static_cast<float>(0.3 * random.Normal());
  std::vector<std::uint8_t> indices(weights.size());
  table.Assign(weights, 0.25F, indices);
  const float best = table.LeastSquaresScale(weights, indices, 1);
  const auto error = [&](float scale) {
    double sum = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) sum += std::pow(weights[i] - scale * table.level(indices[i]), 2);
    return sum;
  };
  CHECK(error(best) < error(best * 1.001F));
  CHECK(error(best) < error(best * 0.999F));
}

TEST_CASE("The least-squares scale falls back where there is none") {
  const LevelTable table(kCodes, 1);
  const std::vector<float> weights{-100, -100};
  const std::vector<std::uint8_t> opposite{15, 15};  // best scale is negative
  CHECK(table.LeastSquaresScale(weights, opposite, 7) == 7);
}

TEST_CASE("SQNR is ten times the logarithm of signal over noise") {
  SquaredError error;
  error.Add(std::vector<float>{3, 4}, std::vector<float>{3, 3.5F});
  CHECK(error.SqnrDb() == doctest::Approx(10 * std::log10(25 / 0.25)).epsilon(1e-12));
  CHECK(SquaredError{}.SqnrDb() == 0);
  CHECK(SquaredError{.signal = 1, .noise = 0}.SqnrDb() == std::numeric_limits<double>::infinity());
}

}  // namespace
}  // namespace kdequant
