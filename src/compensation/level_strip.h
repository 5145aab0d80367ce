// The levels of the output channels that are worked on together, one channel a lane.
#ifndef KDEQUANT_COMPENSATION_LEVEL_STRIP_H_
#define KDEQUANT_COMPENSATION_LEVEL_STRIP_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "kdequant/base/buffer.h"

namespace kdequant {

/// Levels and midpoints of kStrip tables, transposed so that a vector holds the same level of four channels.
class LevelStrip {
 public:
  explicit LevelStrip(std::size_t levels_per_table);

  /// Fills lane `lane` with a table of levels, ascending.
  void SetTable(std::size_t lane, std::span<const float> levels);

  /// For the kStrip values of one column: the index of the level nearest to each (a value on a midpoint takes the lower
  /// one), and that level.
  void Nearest(const float* values, std::uint8_t* indices, float* levels) const;

 private:
  std::size_t count_;
  Buffer<float> levels_;     // [count][kStrip]
  Buffer<float> midpoints_;  // [count - 1][kStrip]
};

}  // namespace kdequant

#endif  // KDEQUANT_COMPENSATION_LEVEL_STRIP_H_
