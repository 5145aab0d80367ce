#include "kdequant/codebook/integer_levels.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace kdequant {
namespace {

// The optimal 16 levels of a unit Gaussian (Max 1960, table I), the positive half.
const std::vector<double> kHalf{0.1284, 0.3881, 0.6568, 0.9424, 1.256, 1.618, 2.069, 2.733};

Codebook GaussianCodebook() {
  Codebook codebook;
  for (auto level = kHalf.rbegin(); level != kHalf.rend(); ++level) codebook.levels.push_back(-*level);
  for (const double level : kHalf) codebook.levels.push_back(level);
  return codebook;
}

}  // namespace

TEST_CASE("sixteen levels become codes of seven bits, none of them off by more than half a step") {
  const Codebook codebook = GaussianCodebook();
  const IntegerLevels integers = RoundToIntegerLevels(codebook);
  REQUIRE(integers.codes.size() == 16);
  CHECK(integers.codes.front() == -integers.codes.back());
  CHECK(integers.codes.back() >= 48);
  CHECK(integers.codes.back() <= 63);
  const auto levels = integers.Levels();
  for (std::size_t i = 0; i < levels.size(); ++i)
    CHECK(std::fabs(static_cast<double>(levels[i]) - codebook.levels[i]) <=
          0.5001 * static_cast<double>(integers.step));
}

TEST_CASE("the step is the one that rounds the levels least, not the finest") {
  // Multiples of 1/50: with 50 as the largest code nothing is rounded, with 63 nearly everything is.
  Codebook codebook;
  for (const int level : {-50, -37, -29, -22, -17, -11, -7, -2, 1, 5, 9, 14, 20, 26, 33, 41})
    codebook.levels.push_back(level / 50.0);
  const IntegerLevels integers = RoundToIntegerLevels(codebook);
  CHECK(integers.codes.front() == -50);
  CHECK(integers.codes.back() == 41);
}

TEST_CASE("more than sixteen levels use all eight bits") {
  Codebook codebook;
  for (int i = -32; i < 32; ++i) codebook.levels.push_back(i / 32.0);
  const IntegerLevels integers = RoundToIntegerLevels(codebook);
  CHECK(integers.codes.front() == -127);
  CHECK(std::ranges::is_sorted(integers.codes));
}

TEST_CASE("levels of zeros have step 1") {
  const IntegerLevels integers = RoundToIntegerLevels(Codebook{.levels = std::vector<double>(16, 0.0)});
  CHECK(integers.step == 1);
  CHECK(integers.codes == std::vector<std::int8_t>(16, 0));
}

}  // namespace kdequant
