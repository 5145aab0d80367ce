// arena.h
// Where every slot lies, when not all of them live at once.
#ifndef KDEQUANT_RUNTIME_ARENA_H_
#define KDEQUANT_RUNTIME_ARENA_H_

#include <cstddef>
#include <vector>

namespace kdequant::runtime {

/// A slot that must keep its bytes from step `first` to step `last`, both included.
struct Tenant {
  std::size_t bytes = 0;
  std::ptrdiff_t first = 0;
  std::ptrdiff_t last = 0;
};

struct ArenaLayout {
  std::vector<std::size_t> offsets;  ///< By tenant, multiples of 64.
  std::size_t bytes = 0;
};

/// Greedy by falling size: each tenant goes into the smallest gap between those of its time that holds it, else behind
/// them. O(n^2) for n tenants (a network has hundreds). Source: Pisarchyk and Lee (2020), "Efficient Memory Management
/// for Deep Neural Net Inference", greedy by size for offset calculation.
ArenaLayout LayOutArena(const std::vector<Tenant>& tenants);

}  // namespace kdequant::runtime

#endif  // KDEQUANT_RUNTIME_ARENA_H_
