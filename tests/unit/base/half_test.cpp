#include "kdequant/base/half.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>

namespace kdequant {
namespace {

TEST_CASE("All 65,536 halves survive the way to float and back") {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float value = HalfToFloat(half);
    if (std::isnan(value)) {
      CHECK(std::isnan(HalfToFloat(FloatToHalf(value))));
    } else {
      REQUIRE(FloatToHalf(value) == half);
    }
  }
}

TEST_CASE("Halfway between two halves, the even one wins") {
  for (std::uint32_t bits = 0; bits < 0x7bff; ++bits) {
    const float low = HalfToFloat(static_cast<std::uint16_t>(bits));
    const float high = HalfToFloat(static_cast<std::uint16_t>(bits + 1));
    const float middle = (low + high) / 2;  // exact: a half has 11 significant bits, a float 24
    REQUIRE(FloatToHalf(middle) == (bits % 2 == 0 ? bits : bits + 1));
    REQUIRE(FloatToHalf(std::nextafter(middle, 0.0F)) == bits);
    REQUIRE(FloatToHalf(std::nextafter(middle, 1e6F)) == bits + 1);
    REQUIRE(FloatToHalf(-middle) == (0x8000U | (bits % 2 == 0 ? bits : bits + 1)));
  }
}

TEST_CASE("Beyond the largest half is infinity, below the smallest is zero") {
  CHECK(FloatToHalf(65504.0F) == 0x7bff);
  CHECK(FloatToHalf(65519.99F) == 0x7bff);
  CHECK(FloatToHalf(65520.0F) == 0x7c00);
  CHECK(FloatToHalf(-std::numeric_limits<float>::infinity()) == 0xfc00);
  CHECK(FloatToHalf(0x1.0p-25F) == 0);  // a tie, and zero is even
  CHECK(FloatToHalf(0x1.000002p-25F) == 1);
  CHECK(FloatToHalf(-0.0F) == 0x8000);
}

TEST_CASE("bfloat16 is the upper half of a float") {
  CHECK(BFloat16ToFloat(0x3f80) == 1.0F);
  CHECK(BFloat16ToFloat(0xc2f7) == -123.5F);
}

}  // namespace
}  // namespace kdequant
