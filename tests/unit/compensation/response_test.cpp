#include "kdequant/compensation/response.h"

#include <doctest/doctest.h>

#include <vector>

namespace kdequant {
namespace {

TEST_CASE(
    "The gain gives a channel its answer to its own weights back, to the positive ones where inputs are never "
    "negative") {
  const std::vector<float> weights{3, -1, 2};
  const std::vector<float> quantized{2, -1, 2};
  Response any;
  any.Add(weights, quantized, /*nonnegative=*/false);
  CHECK(any.Gain() == doctest::Approx((9.0 + 1 + 4) / (6 + 1 + 4)));
  Response nonnegative;
  nonnegative.Add(weights, quantized, /*nonnegative=*/true);
  CHECK(nonnegative.Gain() == doctest::Approx((9.0 + 4) / (6 + 4)));
}

TEST_CASE("Runs of columns, and channels, add up") {
  Response parts;
  parts.Add(std::vector<float>{3, -1}, std::vector<float>{2, -1}, false);
  Response rest;
  rest.Add(std::vector<float>{2}, std::vector<float>{2}, true);
  parts.Add(rest);
  CHECK(parts.Gain() == doctest::Approx(14.0 / 11));
}

TEST_CASE("What does not answer keeps its scale, and no gain is beyond a half and two") {
  Response nothing;
  CHECK(nothing.Gain() == 1);
  nothing.Add(std::vector<float>{-1, -2}, std::vector<float>{-1, -1}, true);
  CHECK(nothing.Gain() == 1);
  Response opposite;
  opposite.Add(std::vector<float>{1, 2}, std::vector<float>{-1, -1}, true);
  CHECK(opposite.Gain() == 1);
  Response weak;
  weak.Add(std::vector<float>{1, 2}, std::vector<float>{0.1F, 0.1F}, true);
  CHECK(weak.Gain() == 2);
}

}  // namespace
}  // namespace kdequant
