// A check that stb_image forgets.
#ifndef KDEQUANT_VISION_JPEG_TABLES_H_
#define KDEQUANT_VISION_JPEG_TABLES_H_

#include <cstdint>
#include <span>

namespace kdequant {

/// Whether no Huffman table of the JPEG file promises more than 256 symbols. Debian 12's stb_image (2.27) writes beyond
/// its arrays when one does, so this must be asked before it sees the file; the files that it refuses are broken in any
/// case. Walks the segments as stb_image does; behind the start of the first scan every pair FF C4 is taken for a
/// table, because compressed data never holds that pair.
bool HuffmanTablesFit(std::span<const std::uint8_t> jpeg);

}  // namespace kdequant

#endif  // KDEQUANT_VISION_JPEG_TABLES_H_
