// kdequant/density/scaled_weights.h
// A layer's weights on one scale, without a copy of them.
#ifndef KDEQUANT_DENSITY_SCALED_WEIGHTS_H_
#define KDEQUANT_DENSITY_SCALED_WEIGHTS_H_

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
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
  ScaledWeights(const Values& values) : values_(values), size_(values_.size()) {}
  /// As many rows as `scales`, at least one. A scale of 0 leaves its row as it is.
  ScaledWeights(std::span<const float> values, std::span<const float> scales);
  /// Only the rows named, in this order.
  ScaledWeights(std::span<const float> values, std::span<const float> scales, std::span<const std::uint32_t> rows);

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  float operator[](std::size_t i) const;
  /// The weights from number `first` on, at least one of them: all that are left where nothing is to be divided,
  /// otherwise those of one row for which there is room.
  std::span<const float> Run(std::size_t first, Room& room) const;

 private:
  // The stored row behind the i-th one that is read.
  std::size_t RowOf(std::size_t i) const { return rows_.empty() ? i : rows_[i]; }

  std::span<const float> values_;
  std::span<const float> scales_;        // of each row; empty: all are 1
  std::span<const std::uint32_t> rows_;  // that are read; empty: all of them
  std::size_t columns_ = 0;              // of a row
  std::size_t size_ = 0;                 // of the rows that are read
};

/// Reads weights from the first to the last:
///
///     RunReader reader(weights);
///     for (auto run = reader.Next(); !run.empty(); run = reader.Next()) ...
class RunReader {
 public:
  /// `weights` must outlive it.
  explicit RunReader(const ScaledWeights& weights) : weights_(&weights) {}

  /// The next run, valid until the one after it is asked for; empty at the end.
  std::span<const float> Next() {
    first_ = next_;
    if (next_ == weights_->size()) return {};
    const std::span<const float> run = weights_->Run(next_, room_);
    next_ += run.size();
    return run;
  }

  /// The number of the first weight of the run that was read last.
  std::size_t first() const { return first_; }

 private:
  const ScaledWeights* weights_;
  std::size_t first_ = 0, next_ = 0;
  ScaledWeights::Room room_;
};

}  // namespace kdequant

#endif  // KDEQUANT_DENSITY_SCALED_WEIGHTS_H_
