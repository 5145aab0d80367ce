// kdequant/base/parallel.h
// Loops over independent pieces of work, on one thread or several, with the same result.
#ifndef KDEQUANT_BASE_PARALLEL_H_
#define KDEQUANT_BASE_PARALLEL_H_

#include <cstddef>
#include <functional>

namespace kdequant {

/// Calls `body(i)` for every i in [0, count), on up to `threads` threads (0: as many as the machine has). The order is
/// unspecified: `body` must write only what belongs to i, and what it computes must not depend on the order. Returns
/// when all are done. Builds without threads run the loop in place.
void ParallelFor(std::size_t count, int threads, const std::function<void(std::size_t)>& body);

/// The number of threads that `threads == 0` stands for, at least 1.
int HardwareThreads();

}  // namespace kdequant

#endif  // KDEQUANT_BASE_PARALLEL_H_
