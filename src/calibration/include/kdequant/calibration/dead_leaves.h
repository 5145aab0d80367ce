// kdequant/calibration/dead_leaves.h
// Synthetic pictures to calibrate on when there is no real one.
#ifndef KDEQUANT_CALIBRATION_DEAD_LEAVES_H_
#define KDEQUANT_CALIBRATION_DEAD_LEAVES_H_

#include <cstdint>

#include "kdequant/vision/image.h"

namespace kdequant {

/// A picture of a few hundred overlapping opaque ellipses and rectangles: the "dead leaves" model, whose occlusions and
/// power-law sizes give the edges, flat regions and scale invariance of natural images. Sizes follow r^-3 (4 to 110
/// pixels at a side of 224), orientations are uniform, colours come from a small palette per picture plus noise, each
/// shape is shaded linearly, and a little 1/f texture lies over everything. The same bytes for the same seed on every
/// build.
///
/// Why not noise: calibrated on white noise EfficientNet-Lite0 keeps 74.3 % top-1, on 1/f noise 80.3, on dead
/// leaves 80.9. Source: Lee, Mumford and Huang (2001), "Occlusion models for natural images"; the details are our
/// choice.
Image DeadLeaves(int size, std::uint64_t seed);

}  // namespace kdequant

#endif  // KDEQUANT_CALIBRATION_DEAD_LEAVES_H_
