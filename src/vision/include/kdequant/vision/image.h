// kdequant/vision/image.h
// A picture in memory.
#ifndef KDEQUANT_VISION_IMAGE_H_
#define KDEQUANT_VISION_IMAGE_H_

#include <cstdint>
#include <vector>

namespace kdequant {

/// 8-bit RGB, row-major, no padding: 3 * width * height bytes. Transparent pixels have been laid over white.
struct Image {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> rgb = {};
};

}  // namespace kdequant

#endif  // KDEQUANT_VISION_IMAGE_H_
