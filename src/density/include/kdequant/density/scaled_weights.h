// kdequant/density/scaled_weights.h
// A layer's weights on one scale, without a copy of them.
#ifndef KDEQUANT_DENSITY_SCALED_WEIGHTS_H_
#define KDEQUANT_DENSITY_SCALED_WEIGHTS_H_

#include <array>
#include <concepts>
#include <cstddef>
#include <span>

namespace kdequant {

/// Weights as they are, or rows of equal length (output channels), each divided by a scale of its own.
///
/// They are divided when they are read, one short run after the other, and as often as they are read: a division costs
/// a nanosecond, but a divided copy of VGG-16's first dense layer 411 MB, which a page may not have.
class ScaledWeights {
 public:
  /// Where a run is put that has to be divided first.
  using Room = std::array<float, 1024>;

  ScaledWeights() = default;
  /// As they are: whatever is a span of floats.
  template <typename Values>
    requires std::convertible_to<const Values&, std::span<const float>>
  ScaledWeights(const Values& values) : values_(values) {}
  /// As many rows as `scales`, at least one. A scale of 0 leaves its row as it is.
  ScaledWeights(std::span<const float> values, std::span<const float> scales);

  std::size_t size() const { return values_.size(); }
  bool empty() const { return values_.empty(); }
  float operator[](std::size_t i) const;
  /// The weights from number `first` on, at least one of them: all that are left where nothing is to be divided,
  /// otherwise those of one row for which there is room.
  std::span<const float> Run(std::size_t first, Room& room) const;

 private:
  std::span<const float> values_;
  std::span<const float> scales_;  // of each row; empty: all are 1
  std::size_t columns_ = 0;        // of a row
};

/// Calls visit(first, run) for run after run, `first` being the number of the run's first weight.
template <typename Visit>
void ForEachRun(const ScaledWeights& weights, Visit visit) {
  ScaledWeights::Room room;
  for (std::size_t first = 0; first < weights.size();) {
    const std::span<const float> run = weights.Run(first, room);
    visit(first, run);
    first += run.size();
  }
}

}  // namespace kdequant

#endif  // KDEQUANT_DENSITY_SCALED_WEIGHTS_H_
