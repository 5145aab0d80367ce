#include "kdequant/codebook/lloyd_max.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include "kdequant/base/math.h"
#include "kdequant/base/random.h"
#include "kdequant/base/sort.h"
#include "optimal_cells.h"

namespace kdequant {
namespace {

// Cells of the companding start, and of k-means++ where there are more pieces: neither needs to be exact.
constexpr std::size_t kStartCells = 1024;
constexpr int kCoarseEdges = 256;
// A leap that is too long is halved at most this often, and this many steps are waited for the next after several that
// failed.
constexpr int kLeapHalvings = 2;
constexpr int kLongestWait = 4;

// Cube root of x >= 0 to a few ulp, the same on every build: a guess from a third of the exponent, then Halley's
// iteration, which triples the correct digits.
double CubeRoot(double x) {
  if (!(x > 0)) return 0;
  double root = std::bit_cast<double>(std::bit_cast<std::uint64_t>(x) / 3 + 0x2a9f7893782da1ceU);
  for (int i = 0; i < 3; ++i) {
    const double cube = root * root * root;
    root *= (cube + 2 * x) / (2 * cube + x);
  }
  return root;
}

// The points below which (i + offset) / count of the integral of p^(1/3) lies, i = 0 .. count - 1; of p^(1/3) plus
// `floor` times its mean, to be exact.
std::vector<double> CompandingQuantiles(const CumulativeMoments& moments, int count, double offset, double floor) {
  const double width = (moments.max() - moments.min()) / static_cast<double>(kStartCells);
  std::vector<double> cumulative(kStartCells + 1);
  CumulativeMoments::Sums low;
  for (std::size_t i = 0; i < kStartCells; ++i) {
    const CumulativeMoments::Sums high =
        i + 1 < kStartCells ? moments.Below(moments.min() + static_cast<double>(i + 1) * width) : moments.Total();
    cumulative[i + 1] = cumulative[i] + CubeRoot(high.mass - low.mass);
    low = high;
  }
  const double raised = floor * cumulative.back() / static_cast<double>(kStartCells);
  for (std::size_t i = 0; i <= kStartCells; ++i) cumulative[i] += raised * static_cast<double>(i);
  std::vector<double> quantiles;
  std::size_t cell = 0;
  for (int i = 0; i < count; ++i) {
    const double below = (i + offset) / count * cumulative.back();
    while (cell + 1 < kStartCells && cumulative[cell + 1] < below) ++cell;
    const double mass = cumulative[cell + 1] - cumulative[cell];
    const double part = mass > 0 ? (below - cumulative[cell]) / mass : 0;
    quantiles.push_back(moments.min() + (static_cast<double>(cell) + part) * width);
  }
  return quantiles;
}

}  // namespace

LloydMax::LloydMax(const CumulativeMoments& moments, std::vector<double> start)
    : moments_(&moments), codebook_{std::move(start)}, cells_(codebook_.levels.size()) {
  SortSmall(codebook_.levels);
  Assign();
}

void LloydMax::Assign() {
  const std::vector<double>& levels = codebook_.levels;
  CumulativeMoments::Sums low;
  double error = 0;
  for (std::size_t i = 0; i < levels.size(); ++i) {
    const CumulativeMoments::Sums high =
        i + 1 < levels.size() ? moments_->Below((levels[i] + levels[i + 1]) / 2) : moments_->Total();
    cells_[i] = moments_->Difference(low, high);
    error += cells_[i].SquaredError(levels[i]);
    low = high;
  }
  mse_ = error / moments_->Total().mass;
}

bool LloydMax::Step() {
  ++steps_;
  std::vector<double>& levels = codebook_.levels;
  const std::vector<double> thresholds = codebook_.Thresholds();
  bool has_empty = false;
  for (std::size_t i = 0; i < levels.size(); ++i) {
    if (cells_[i].mass > 0) {
      // The mean of a cell with hardly any mass is mostly rounding: it stays in its cell all the same.
      levels[i] = std::clamp(cells_[i].mean, i > 0 ? thresholds[i - 1] : moments_->min(),
                             i < thresholds.size() ? thresholds[i] : moments_->max());
    } else {
      has_empty = true;
    }
  }
  if (has_empty) RefillEmptyCells();
  const double before = mse_;
  Assign();
  return mse_ < before * (1 - 1e-9);
}

void LloydMax::RefillEmptyCells() {
  std::vector<double>& levels = codebook_.levels;
  for (std::size_t i = 0; i < levels.size(); ++i) {
    if (cells_[i].mass > 0) continue;
    const auto worst = std::ranges::max_element(cells_, {}, &CellMoments::scatter);
    if (!(worst->scatter > 0)) break;  // every weight is a level
    levels[i] = std::min(worst->mean + Sqrt(worst->scatter / worst->mass), moments_->max());
    worst->scatter /= 4;
  }
  SortSmall(levels);
}

std::vector<double> LloydMax::NewtonMoves() const {
  const std::vector<double>& levels = codebook_.levels;
  const std::size_t count = levels.size();
  // Thomas's algorithm. `below` and `above`: how far a cell's mean moves with the level before and the one after it.
  std::vector<double> from_above(count), moves(count);
  double below = 0, from_below = 0, move_below = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const CellMoments& cell = cells_[i];
    if (!(cell.mass > 0)) return {};
    double above = 0, next_below = 0;
    if (i + 1 < count) {
      const CellMoments& next = cells_[i + 1];
      const double threshold = (levels[i] + levels[i + 1]) / 2;
      const double density = moments_->DensityAt(threshold) / 2;
      above = density * (threshold - cell.mean) / cell.mass;
      next_below = next.mass > 0 ? density * (next.mean - threshold) / next.mass : 0;
    }
    const double pivot = 1 - above - below - below * from_below;
    if (!(pivot > 0)) return {};
    from_above[i] = from_below = above / pivot;
    moves[i] = move_below = (cell.mean - levels[i] + below * move_below) / pivot;
    below = next_below;
  }
  for (std::size_t i = count - 1; i-- > 0;) moves[i] += from_above[i] * moves[i + 1];
  return moves;
}

bool LloydMax::Leap() {
  std::vector<double> moves = NewtonMoves();
  if (moves.empty()) return false;
  const Codebook codebook = codebook_;
  const std::vector<CellMoments> cells = cells_;
  const double mse = mse_;
  std::vector<double>& levels = codebook_.levels;
  for (int halvings = 0; halvings <= kLeapHalvings; ++halvings) {
    for (std::size_t i = 0; i < levels.size(); ++i) {
      levels[i] = codebook.levels[i] + moves[i];
      moves[i] /= 2;
    }
    if (!std::ranges::is_sorted(levels) || levels.front() < moments_->min() || levels.back() > moments_->max())
      continue;
    Assign();
    if (mse_ < mse) return true;
  }
  codebook_ = codebook;
  cells_ = cells;
  mse_ = mse;
  return false;
}

void LloydMax::Run(int max_steps) {
  // After a leap that failed, ever more steps before the next.
  int wait = 1;
  for (int steps = 1; steps <= max_steps && Step(); ++steps) {
    if (steps % wait == 0) wait = Leap() ? 1 : std::min(2 * wait, kLongestWait);
  }
}

std::vector<double> CompandingStart(const CumulativeMoments& moments, int levels) {
  return CompandingQuantiles(moments, levels, 0.5, 0);
}

std::vector<double> CoarseOptimalStart(const CumulativeMoments& moments, int levels) {
  if (moments.pieces() <= static_cast<std::size_t>(kCoarseEdges)) return OptimalMeans(moments, moments.edges(), levels);
  if (levels > kCoarseEdges / 4) return CompandingStart(moments, levels);
  std::vector<CumulativeMoments::Sums> sums;
  // The floor puts edges into the gaps between outliers, where the density is zero.
  for (const double x : CompandingQuantiles(moments, kCoarseEdges, 0, 0.5)) sums.push_back(moments.Below(x));
  sums.front() = {};
  sums.push_back(moments.Total());
  return OptimalMeans(moments, sums, levels);
}

std::vector<double> PlusPlusStart(const CumulativeMoments& moments, int levels, std::uint64_t seed) {
  const std::size_t count = std::min(moments.pieces(), kStartCells);
  std::vector<CellMoments> pieces(count);
  for (std::size_t i = 0; i < count; ++i) {
    pieces[i] = moments.Pieces(i * moments.pieces() / count, (i + 1) * moments.pieces() / count);
  }
  Random random(seed);
  std::vector<double> start;
  std::vector<double> error(count);  // squared, to the nearest level so far; the mass alone before the first
  double total = 0;
  for (std::size_t i = 0; i < count; ++i) total += error[i] = pieces[i].mass;
  for (int level = 0; level < levels; ++level) {
    double remaining = random.Uniform() * total;
    std::size_t drawn = 0;
    while (drawn + 1 < count && (remaining -= error[drawn]) >= 0) ++drawn;
    while (drawn > 0 && !(pieces[drawn].mass > 0)) --drawn;
    start.push_back(pieces[drawn].mean);
    total = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const double distance = pieces[i].mean - start.back();
      const double squared = pieces[i].mass * distance * distance;
      error[i] = level == 0 ? squared : std::min(error[i], squared);
      total += error[i];
    }
  }
  return start;
}

}  // namespace kdequant
