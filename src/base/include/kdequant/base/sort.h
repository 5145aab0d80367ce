// kdequant/base/sort.h
// Sorting in little code: a page downloads std::sort once for each type that it sorts, some 3 KB each time.
#ifndef KDEQUANT_BASE_SORT_H_
#define KDEQUANT_BASE_SORT_H_

#include <algorithm>
#include <functional>
#include <iterator>

namespace kdequant {

/// Sorts `range` by `less`, by a heap: an eighth of the code of std::sort, and slower on many elements, for which
/// std::sort is. In which order equals come is not said.
template <typename Range, typename Less = std::less<>>
void SortSmall(Range& range, Less less = {}) {
  std::make_heap(std::begin(range), std::end(range), less);
  std::sort_heap(std::begin(range), std::end(range), less);
}

}  // namespace kdequant

#endif  // KDEQUANT_BASE_SORT_H_
