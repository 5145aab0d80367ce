// The best levels there are, by dynamic programming.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "kdequant/codebook/design.h"
#include "kdequant/codebook/lloyd_max.h"

namespace kdequant {
namespace {

// best[j]: the least squared error of the pieces before j with some number of cells. Adds one more cell; `cut` becomes
// where it begins. The best cut of j does not fall as j rises, so each half of the j's has half of the cuts to look at.
class OneMoreCell {
 public:
  OneMoreCell(const CumulativeMoments& moments, const std::vector<double>& best, std::vector<double>& next,
              std::vector<std::uint32_t>& cut)
      : moments_(moments), best_(best), next_(next), cut_(cut) {}

  void Solve(std::size_t begin, std::size_t end, std::size_t first_cut, std::size_t last_cut) {
    if (begin >= end) return;
    const std::size_t j = (begin + end) / 2;
    double least = std::numeric_limits<double>::infinity();
    std::size_t where = first_cut;
    for (std::size_t i = first_cut; i <= std::min(last_cut, j); ++i) {
      const double error = best_[i] + moments_.Pieces(i, j).scatter;
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
  const std::vector<double>& best_;
  std::vector<double>& next_;
  std::vector<std::uint32_t>& cut_;
};

}  // namespace

Result<Codebook> DesignOptimal(const CumulativeMoments& moments, int levels) {
  if (auto valid = CheckLevels(levels); !valid) return Forward(valid);
  const std::size_t n = moments.pieces();
  std::vector<double> best(n + 1);
  for (std::size_t j = 0; j <= n; ++j) best[j] = moments.Pieces(0, j).scatter;
  std::vector<std::vector<std::uint32_t>> cuts;
  std::vector<double> next(n + 1);
  for (int cells = 2; cells <= levels; ++cells) {
    OneMoreCell(moments, best, next, cuts.emplace_back(n + 1)).Solve(0, n + 1, 0, n);
    std::swap(best, next);
  }
  std::vector<double> means;
  std::size_t end = n;
  for (int cells = levels; cells >= 1; --cells) {
    const std::size_t begin = cells > 1 ? cuts[static_cast<std::size_t>(cells) - 2][end] : 0;
    const CellMoments cell = moments.Pieces(begin, end);
    // A cell without mass is one more than there are values: it repeats a neighbour.
    means.push_back(cell.mass > 0 ? cell.mean : (means.empty() ? moments.max() : means.back()));
    end = begin;
  }
  // A threshold may now move within a cell of the histogram; between values nothing is left to gain.
  LloydMax polish(moments, std::move(means));
  polish.Run();
  return polish.codebook();
}

}  // namespace kdequant
