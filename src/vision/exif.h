// The orientation that a camera wrote into a JPEG file.
#ifndef KDEQUANT_VISION_EXIF_H_
#define KDEQUANT_VISION_EXIF_H_

#include <cstdint>
#include <span>

#include "kdequant/vision/image.h"

namespace kdequant {

/// EXIF tag 0x0112 of a JPEG file, 1 to 8; 1 (upright) where there is none or it makes no sense: a picture with a
/// broken EXIF block is still a picture. Source: CIPA DC-008 (Exif 2.32), 4.6.4; TIFF 6.0, section 2.
int ExifOrientation(std::span<const std::uint8_t> jpeg);

/// Turns and mirrors the stored picture so that it is upright.
Image Upright(Image image, int orientation);

}  // namespace kdequant

#endif  // KDEQUANT_VISION_EXIF_H_
