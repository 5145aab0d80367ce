#include "kdequant/base/sort.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <vector>

#include "kdequant/base/random.h"

namespace kdequant {

TEST_CASE("a list of any length is sorted as std::sort sorts it, in either order") {
  Random random(3);
  for (const int length : {0, 1, 2, 3, 16, 1000}) {
    CAPTURE(length);
    std::vector<std::uint64_t> list;
    for (int i = 0; i < length; ++i) list.push_back(random.Below(100));
    std::vector<std::uint64_t> expected = list;
    std::ranges::sort(expected);
    SortSmall(list);
    CHECK(list == expected);
    SortSmall(list, std::greater<>{});
    std::ranges::reverse(expected);
    CHECK(list == expected);
  }
}

}  // namespace kdequant
