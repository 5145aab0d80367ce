// kdequant/vision/decode.h
// Picture files to pixels, where no browser does it. A target of its own (kdequant::decode), so that a page does not
// download it.
#ifndef KDEQUANT_VISION_DECODE_H_
#define KDEQUANT_VISION_DECODE_H_

#include <cstdint>
#include <span>

#include "kdequant/base/result.h"
#include "kdequant/vision/image.h"

namespace kdequant {

/// The largest picture decoded: 20,000 x 20,000 pixels would be 1.2 GB.
inline constexpr std::int64_t kMaxPixels = 100'000'000;

/// JPEG, PNG, BMP, GIF (first frame) and binary PPM/PGM; EXIF orientation applied, transparency laid over white, grey
/// and 16-bit brought to 8-bit RGB. Messages begin with a verb ("is not a picture...") for the caller to put the file's
/// name before. Errors: kBadInput (not a picture, truncated), kUnsupported (a known format that is not read, such as
/// WebP), kLimit (more than kMaxPixels; found from the header, before memory is asked for), kOutOfMemory.
Result<Image> DecodeImage(std::span<const std::uint8_t> bytes);

}  // namespace kdequant

#endif  // KDEQUANT_VISION_DECODE_H_
