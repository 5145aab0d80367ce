#include "optimal_cells.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

namespace kdequant {
namespace {

using Edges = std::span<const CumulativeMoments::Sums>;

// best[j]: the least scatter before edge j with some number of cells. Adds one more cell: `next` becomes the least
// scatter with it, `cut` where it begins.
class OneMoreCell {
 public:
  OneMoreCell(const CumulativeMoments& moments, Edges edges, const std::vector<double>& best, std::vector<double>& next,
              std::vector<std::uint32_t>& cut)
      : moments_(moments), edges_(edges), best_(best), next_(next), cut_(cut) {}

  // For the ends [begin, end), knowing that their best cuts lie in [first_cut, last_cut].
  void Solve(std::size_t begin, std::size_t end, std::size_t first_cut, std::size_t last_cut) {
    if (begin >= end) return;
    const std::size_t j = (begin + end) / 2;
    double least = std::numeric_limits<double>::infinity();
    std::size_t where = first_cut;
    for (std::size_t i = first_cut; i <= std::min(last_cut, j); ++i) {
      const double error = best_[i] + moments_.Difference(edges_[i], edges_[j]).scatter;
      if (error < least) {
        least = error;
        where = i;
      }
    }
    next_[j] = least;
    cut_[j] = static_cast<std::uint32_t>(where);
    Solve(begin, j, first_cut, where);
    Solve(j + 1, end, where, last_cut);
  }

 private:
  const CumulativeMoments& moments_;
  Edges edges_;
  const std::vector<double>& best_;
  std::vector<double>& next_;
  std::vector<std::uint32_t>& cut_;
};

}  // namespace

std::vector<double> OptimalMeans(const CumulativeMoments& moments, Edges edges, int cells) {
  const std::size_t last = edges.size() - 1;
  std::vector<double> best(edges.size());
  for (std::size_t j = 0; j <= last; ++j) best[j] = moments.Difference(edges[0], edges[j]).scatter;
  std::vector<double> next(edges.size());
  std::vector<std::vector<std::uint32_t>> cuts;  // of 2, 3, ... cells
  for (int count = 2; count <= cells; ++count) {
    OneMoreCell(moments, edges, best, next, cuts.emplace_back(edges.size())).Solve(0, edges.size(), 0, last);
    std::swap(best, next);
  }
  std::vector<double> means;
  std::size_t end = last;
  for (int count = cells; count >= 1; --count) {
    const std::size_t begin = count > 1 ? cuts[static_cast<std::size_t>(count) - 2][end] : 0;
    const CellMoments cell = moments.Difference(edges[begin], edges[end]);
    const double neighbour = means.empty() ? moments.max() : means.back();
    means.push_back(cell.mass > 0 ? cell.mean : neighbour);
    end = begin;
  }
  std::ranges::reverse(means);
  return means;
}

}  // namespace kdequant
