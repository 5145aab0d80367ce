#include "terminal.h"

#include <doctest/doctest.h>

namespace kdequant {
namespace {

TEST_CASE("Numbers are written for people") {
  CHECK(FormatBytes(999) == "999 B");
  CHECK(FormatBytes(18'541'030) == "18.54 MB");
  CHECK(FormatCount(0) == "0");
  CHECK(FormatCount(999) == "999");
  CHECK(FormatCount(4'652'008) == "4,652,008");
  CHECK(FormatPercent(1, 8) == "12.5 %");
  CHECK(FormatPercent(1, 0) == "-");
  CHECK(Plural(1, "layer") == "1 layer");
  CHECK(Plural(2000, "layer") == "2,000 layers");
}

TEST_CASE("A bar has eighths of a character in UTF-8 and whole ones elsewhere") {
  CHECK(Bar(0, 4, true).empty());
  CHECK(Bar(0.5, 4, true) == "██");
  CHECK(Bar(0.53125, 4, true) == "██▏");
  CHECK(Bar(1, 4, true) == "████");
  CHECK(Bar(0.5, 4, false) == "##");
  CHECK(Bar(7, 2, false) == "##");
}

TEST_CASE("A table aligns characters, not bytes, and numbers to the right") {
  Table table({"name", ">n"});
  table.Add({"é", "1"});
  table.Add({"long name", "23"});
  CHECK(table.text() == "name        n\né           1\nlong name  23\n");
}

}  // namespace
}  // namespace kdequant
