#include "glob.h"

#include <doctest/doctest.h>

namespace kdequant {
namespace {

TEST_CASE("Globs match whole names") {
  CHECK(GlobMatches("head", "head"));
  CHECK(!GlobMatches("head", "head.0"));
  CHECK(GlobMatches("head.*", "head.0"));
  CHECK(GlobMatches("*", ""));
  CHECK(GlobMatches("*conv?/w*", "block1/conv2/weight"));
  CHECK(!GlobMatches("?", ""));
  CHECK(!GlobMatches("", "a"));
  CHECK(GlobMatches("a*b*c", "a--b-b--c"));
  CHECK(!GlobMatches("a*b*c", "a--b-b--d"));
  CHECK(GlobMatches("*b", "*ab"));
}

}  // namespace
}  // namespace kdequant
