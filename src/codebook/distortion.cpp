#include "kdequant/codebook/distortion.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "kdequant/base/math.h"

namespace kdequant {
namespace {

// Thresholds filled up with infinities to a power of two less one, so that a search is a fixed number of steps without
// a branch.
class NearestSearch {
 public:
  explicit NearestSearch(const Codebook& codebook)
      : thresholds_(codebook.Thresholds()), half_(std::bit_ceil(codebook.levels.size()) / 2) {
    thresholds_.resize(2 * half_, std::numeric_limits<double>::infinity());
  }

  std::size_t operator()(double x) const {
    std::size_t index = 0;
    for (std::size_t step = half_; step > 0; step /= 2) index += x > thresholds_[index + step - 1] ? step : 0;
    return index;
  }

 private:
  std::vector<double> thresholds_;
  std::size_t half_;
};

double EntropyBits(std::span<const double> masses, double total) {
  double nats = 0;
  for (const double mass : masses) {
    if (mass > 0) nats -= mass / total * Log(mass / total);
  }
  return std::max(nats, 0.0) / 0.69314718055994530942;
}

}  // namespace

double SqnrDb(double signal, double error) {
  if (!(error > 0)) return std::numeric_limits<double>::infinity();
  // Of the quotients' logarithms, because the quotient of a denormal may overflow.
  return (Log(signal) - Log(error)) * (10 / 2.30258509299404568402);
}

Distortion MeasureDistortion(std::span<const float> weights, const Codebook& codebook) {
  if (weights.empty()) return {};
  const NearestSearch nearest(codebook);
  std::vector<double> counts(codebook.levels.size());
  double signal = 0;
  double error = 0;
  double largest = 0;
  for (const float weight : weights) {
    const auto w = static_cast<double>(weight);
    const std::size_t index = nearest(w);
    const double difference = w - codebook.levels[index];
    counts[index] += 1;
    signal += w * w;
    error += difference * difference;
    largest = std::max(largest, std::fabs(difference));
  }
  const auto n = static_cast<double>(weights.size());
  return {.mse = error / n,
          .signal = signal / n,
          .sqnr_db = SqnrDb(signal, error),
          .max_error = largest,
          .entropy_bits = EntropyBits(counts, n)};
}

Distortion MeasureDistortion(const CumulativeMoments& moments, const Codebook& codebook) {
  const double total = moments.Total().mass;
  Distortion distortion{.signal = moments.Pieces(0, moments.pieces()).SquaredError(0) / total};
  const std::vector<double> thresholds = codebook.Thresholds();
  std::vector<double> masses;
  CumulativeMoments::Sums low;
  for (std::size_t i = 0; i < codebook.levels.size(); ++i) {
    const CumulativeMoments::Sums high = i < thresholds.size() ? moments.Below(thresholds[i]) : moments.Total();
    const CellMoments cell = moments.Difference(low, high);
    distortion.mse += cell.SquaredError(codebook.levels[i]) / total;
    masses.push_back(cell.mass);
    low = high;
  }
  for (std::size_t i = 0; i < moments.pieces(); ++i) {
    const CellMoments piece = moments.Pieces(i, i + 1);
    if (piece.mass > 0) {
      distortion.max_error = std::max(distortion.max_error, std::fabs(piece.mean - codebook.Quantize(piece.mean)));
    }
  }
  distortion.sqnr_db = SqnrDb(distortion.signal, distortion.mse);
  distortion.entropy_bits = EntropyBits(masses, total);
  return distortion;
}

double MeanSquaredError(const CumulativeMoments& moments, const Codebook& codebook) {
  double error = 0;
  CumulativeMoments::Sums low;
  for (std::size_t i = 0; i < codebook.levels.size(); ++i) {
    const CumulativeMoments::Sums high = i + 1 < codebook.levels.size()
                                             ? moments.Below((codebook.levels[i] + codebook.levels[i + 1]) / 2)
                                             : moments.Total();
    error += moments.Difference(low, high).SquaredError(codebook.levels[i]);
    low = high;
  }
  return error / moments.Total().mass;
}

}  // namespace kdequant
