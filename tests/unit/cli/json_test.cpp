#include "json.h"

#include <doctest/doctest.h>

#include <limits>

namespace kdequant {
namespace {

TEST_CASE("Numbers that are not finite and values that are absent become null") {
  Json json;
  json.Begin()
      .Field("a", std::numeric_limits<double>::quiet_NaN())
      .Field("b", std::optional<int>())
      .Field("c", 0.1)
      .End();
  CHECK(json.text() == R"({"a":null,"b":null,"c":0.1})");
}

TEST_CASE("Bytes that are no UTF-8 are replaced one by one, and all others stay") {
  CHECK(ValidUtf8("a é ü 中 😀") == "a é ü 中 😀");
  CHECK(ValidUtf8("\xff"
                  "a\xc3") ==
        "\xef\xbf\xbd"
        "a"
        "\xef\xbf\xbd");
  CHECK(ValidUtf8("\xc0\x80") == "\xef\xbf\xbd\xef\xbf\xbd");  // an overlong zero
  CHECK(ValidUtf8("\xed\xa0\x80").size() == 9);                // half of a surrogate pair
  CHECK(ValidUtf8("\xf4\x90\x80\x80").size() == 12);           // beyond U+10FFFF
}

}  // namespace
}  // namespace kdequant
