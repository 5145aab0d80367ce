#include "kdequant/density/moments.h"

#include <algorithm>

namespace kdequant {

CumulativeMoments::CumulativeMoments(const Density& density)
    : min_(density.grid.low), max_(density.grid.High()), origin_((min_ + max_) / 2), grid_(density.grid) {
  sums_.reserve(grid_.size + 1);
  sums_.push_back({});
  const double within = grid_.step * grid_.step / 12;  // variance of a cell, whose density is level
  for (std::size_t i = 0; i < grid_.size; ++i) {
    const double mass = density.values[i] * grid_.step;
    const double x = grid_.Centre(i) - origin_;
    Append(mass, mass * x, mass * (x * x + within));
  }
}

CumulativeMoments::CumulativeMoments(const MomentHistogram& histogram)
    : min_(histogram.min), max_(histogram.max), origin_((min_ + max_) / 2), grid_(histogram.grid) {
  sums_.reserve(grid_.size + 1);
  sums_.push_back({});
  for (const auto& bin : histogram.bins) {
    Append(bin.count, bin.sum - bin.count * origin_,
           bin.sum_squares - 2 * origin_ * bin.sum + bin.count * origin_ * origin_);
  }
}

CumulativeMoments::CumulativeMoments(const Sample& sample)
    : min_(sample.values.front()), max_(sample.values.back()), origin_((min_ + max_) / 2) {
  sums_.push_back({});
  for (std::size_t i = 0; i < sample.values.size();) {
    const double value = sample.values[i];
    double mass = 0;
    for (; i < sample.values.size() && sample.values[i] == value; ++i) mass += sample.weights[i];
    values_.push_back(value);
    const double x = value - origin_;
    Append(mass, mass * x, mass * x * x);
  }
}

CumulativeMoments::CumulativeMoments(const ScaledWeights& weights) {
  std::vector<float> sorted(weights.size());
  RunReader reader(weights);
  for (auto run = reader.Next(); !run.empty(); run = reader.Next())
    std::ranges::copy(run, sorted.begin() + static_cast<std::ptrdiff_t>(reader.first()));
  std::ranges::sort(sorted);
  min_ = static_cast<double>(sorted.front());
  max_ = static_cast<double>(sorted.back());
  origin_ = (min_ + max_) / 2;
  sums_.push_back({});
  for (std::size_t i = 0; i < sorted.size();) {
    const std::size_t begin = i;
    while (i < sorted.size() && sorted[i] == sorted[begin]) ++i;
    values_.push_back(static_cast<double>(sorted[begin]));
    const auto mass = static_cast<double>(i - begin);
    const double x = values_.back() - origin_;
    Append(mass, mass * x, mass * x * x);
  }
}

void CumulativeMoments::Append(double mass, double first, double second) {
  const Sums& last = sums_.back();
  sums_.push_back({last.mass + mass, last.first + first, last.second + second});
}

CumulativeMoments::Sums CumulativeMoments::Below(double x) const {
  if (grid_.size == 0) {
    return sums_[static_cast<std::size_t>(std::ranges::upper_bound(values_, x) - values_.begin())];
  }
  if (!(x > grid_.low)) return x < grid_.low || grid_.step > 0 ? sums_.front() : sums_.back();
  const double position = (x - grid_.low) / grid_.step;
  if (!(position < static_cast<double>(grid_.size))) return sums_.back();
  const auto cell = static_cast<std::size_t>(position);
  const double part = position - static_cast<double>(cell);
  const Sums& a = sums_[cell];
  const Sums& b = sums_[cell + 1];
  // The lower part of a cell holds its share of the mass, and of the moments what it would if the density in the cell
  // were level; the two parts add up to the cell's own moments even where it is not.
  const double mass = b.mass - a.mass;
  const double moved = part * (1 - part) * mass * grid_.step;
  const double edge = grid_.Edge(cell) - origin_;
  return {.mass = a.mass + part * mass,
          .first = a.first + part * (b.first - a.first) - moved / 2,
          .second = a.second + part * (b.second - a.second) - moved * (edge + grid_.step * (1 + part) / 3)};
}

double CumulativeMoments::DensityAt(double x) const {
  if (!(grid_.step > 0) || !(x >= grid_.low)) return 0;
  const double position = (x - grid_.low) / grid_.step;
  if (!(position < static_cast<double>(grid_.size))) return 0;
  const auto cell = static_cast<std::size_t>(position);
  return (sums_[cell + 1].mass - sums_[cell].mass) / grid_.step;
}

CellMoments CumulativeMoments::Difference(const Sums& low, const Sums& high) const {
  const double mass = high.mass - low.mass;
  if (!(mass > 0)) return {};
  const double first = high.first - low.first;
  const double mean = first / mass;
  return {.mass = mass, .mean = origin_ + mean, .scatter = std::max(0.0, high.second - low.second - first * mean)};
}

}  // namespace kdequant
