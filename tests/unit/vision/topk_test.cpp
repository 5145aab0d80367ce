#include "kdequant/vision/topk.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "interval.h"

namespace kdequant {
namespace {

TEST_CASE("Probabilities are the softmax, whatever is added to all logits") {
  const std::vector<float> logits{1, 2, 3};
  const double sum = std::exp(1.0) + std::exp(2.0) + std::exp(3.0);
  for (const float shift : {0.0F, 1000.0F, -1000.0F}) {
    std::vector<float> shifted = logits;
    for (float& x : shifted) x += shift;
    const auto probabilities = Probabilities(shifted);
    for (std::size_t i = 0; i < 3; ++i) {
      CHECK(probabilities[i] == doctest::Approx(std::exp(static_cast<double>(logits[i])) / sum).epsilon(1e-14));
    }
  }
}

TEST_CASE("A network that ends in its own softmax is not given a second one") {
  const std::vector<float> distribution{0.25F, 0.7F, 0.05F};
  CHECK(Probabilities(distribution)[1] == static_cast<double>(0.7F));
  CHECK(TopK(distribution, 1)[0].class_index == 1);
  // Within [0, 1], but no distribution: these are logits.
  CHECK(Probabilities(std::vector<float>{0.5F, 0.9F})[1] == Interval(0.598, 0.599));
}

TEST_CASE("The most probable classes come first, and equal ones by their index") {
  const std::vector<float> logits{1, 5, 3, 5, -2};
  const auto top = TopK(logits, 3);
  REQUIRE(top.size() == 3);
  CHECK(top[0].class_index == 1);
  CHECK(top[1].class_index == 3);
  CHECK(top[2].class_index == 2);
  CHECK(top[0].probability == top[1].probability);
  CHECK(TopK(logits, 100).size() == 5);
  CHECK(TopK({}, 5).empty());
}

TEST_CASE("Classes whose probabilities underflow are still in the order of their logits") {
  const auto top = TopK(std::vector<float>{0, -2000, -1000}, 3);
  CHECK(top[1].class_index == 2);
  CHECK(top[1].probability == 0);
}

TEST_CASE("NaN and infinity give finite probabilities, NaN the lowest") {
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> logits{std::nanf(""), infinity, 3, -infinity, infinity};
  for (const double p : Probabilities(logits)) CHECK(std::isfinite(p));
  CHECK(TopK(logits, 1)[0].class_index == 1);
  CHECK(TopK(logits, 1)[0].probability == 0.5);
  for (const double p : Probabilities(std::vector<float>(4, std::nanf("")))) CHECK(p == 0.25);
}

TEST_CASE("Log-probabilities are finite where probabilities underflow, and agree with them elsewhere") {
  const std::vector<float> logits{0, -2000, 2};
  const auto logs = LogProbabilities(logits);
  const auto probabilities = Probabilities(logits);
  CHECK(logs[0] == doctest::Approx(std::log(probabilities[0])).epsilon(1e-13));
  CHECK(logs[1] == Interval(-2002.2, -2002.1));
  CHECK(LogProbabilities(std::vector<float>{0, 1})[0] == Interval(-70, -69));  // a stored distribution with a zero
}

}  // namespace
}  // namespace kdequant
