#include "arena.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "kdequant/base/sort.h"

namespace kdequant::runtime {
namespace {

constexpr std::size_t kAlignment = 64;

std::size_t Aligned(std::size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

bool Meet(const Tenant& a, const Tenant& b) { return a.first <= b.last && b.first <= a.last; }

}  // namespace

ArenaLayout LayOutArena(const std::vector<Tenant>& tenants) {
  ArenaLayout layout;
  layout.offsets.assign(tenants.size(), 0);
  std::vector<std::size_t> order(tenants.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  // Largest first; equals in their order.
  SortSmall(order, [&](std::size_t a, std::size_t b) {
    return tenants[a].bytes != tenants[b].bytes ? tenants[a].bytes > tenants[b].bytes : a < b;
  });

  std::vector<std::size_t> placed;  // By rising offset.
  for (const std::size_t tenant : order) {
    const std::size_t bytes = Aligned(tenants[tenant].bytes);
    std::size_t best = 0;
    std::size_t best_gap = std::numeric_limits<std::size_t>::max();
    std::size_t end = 0;  // Of the neighbours so far.
    for (const std::size_t other : placed) {
      if (!Meet(tenants[tenant], tenants[other])) continue;
      const std::size_t begin = layout.offsets[other];
      if (begin >= end + bytes && begin - end < best_gap) {
        best = end;
        best_gap = begin - end;
      }
      end = std::max(end, begin + Aligned(tenants[other].bytes));
    }
    if (best_gap == std::numeric_limits<std::size_t>::max()) best = end;
    layout.offsets[tenant] = best;
    layout.bytes = std::max(layout.bytes, best + bytes);
    const auto position =
        std::upper_bound(placed.begin(), placed.end(), best,
                         [&](std::size_t offset, std::size_t other) { return offset < layout.offsets[other]; });
    placed.insert(position, tenant);
  }
  return layout;
}

}  // namespace kdequant::runtime
