#include "kdequant/base/decimal.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "kdequant/base/random.h"

namespace kdequant {
namespace {

TEST_CASE("A float is written as short as it can be") {
  CHECK(FormatFloat(0.1F) == "0.1");
  CHECK(FormatFloat(-2) == "-2");
  CHECK(FormatFloat(0.00001F) == "1e-05");
  CHECK(FormatFloat(3.40282347e38F) == "3.4028235e+38");
}

TEST_CASE("A decimal is read as the float next to it") {
  CHECK(ParseFloat("0.5") == 0.5F);
  CHECK(ParseFloat("-0.485") == -0.485F);
  CHECK(ParseFloat(".25") == 0.25F);
  CHECK(ParseFloat("127.") == 127.0F);
  CHECK(ParseFloat("1e-3") == 0.001F);
  CHECK(ParseFloat("12.5E+2") == 1250.0F);
  CHECK(ParseFloat("0.3333333333333333333333333333") == 1.0F / 3);
  CHECK(ParseFloat("16777216000000000000000000000") == 16777216e21F);
  CHECK(ParseFloat("1e-50") == 0.0F);
  CHECK(std::signbit(*ParseFloat("-0")));
}

TEST_CASE("What is no decimal, or no finite float, is not read") {
  for (const char* text : {"", "-", ".", "+1", " 1", "1 ", "1,5", "0x10", "1.2.3", "e5", "1e", "1e+", "1e5x", "inf",
                           "nan", "1e39", "1e99999999999", "--1", "1e+-5"}) {
    CAPTURE(text);
    CHECK_FALSE(ParseFloat(text));
  }
}

TEST_CASE("What is written reads back with the same bits, over the whole range of floats") {
  Random random(1);
  for (int i = 0; i < 200'000; ++i) {
    const auto value = std::bit_cast<float>(static_cast<std::uint32_t>(random.Bits()));
    if (!std::isfinite(value)) continue;
    const auto read = ParseFloat(FormatFloat(value));
    REQUIRE(read);
    CHECK(std::bit_cast<std::uint32_t>(*read) == std::bit_cast<std::uint32_t>(value));
  }
}

}  // namespace
}  // namespace kdequant
