#include "jpeg_tables.h"

#include <cstddef>

namespace kdequant {
namespace {

constexpr std::uint8_t kHuffmanTables = 0xc4;
constexpr std::uint8_t kStartOfScan = 0xda;
constexpr std::size_t kTableHeader = 17;  // class and number, and how many codes have 1 to 16 bits
constexpr std::size_t kMaxSymbols = 256;

// `at` is behind the marker, at the segment's length. Segments that end too early are left to the decoder, which reads
// zeros there and finds the end.
bool SegmentFits(std::span<const std::uint8_t> jpeg, std::size_t at) {
  const auto byte = [&](std::size_t i) { return i < jpeg.size() ? std::size_t{jpeg[i]} : 0; };
  const std::size_t end = at + (byte(at) << 8 | byte(at + 1));
  at += 2;
  while (at < end) {
    std::size_t symbols = 0;
    for (std::size_t i = 1; i < kTableHeader; ++i) symbols += byte(at + i);
    if (symbols > kMaxSymbols) return false;
    at += kTableHeader + symbols;
  }
  return true;
}

}  // namespace

bool HuffmanTablesFit(std::span<const std::uint8_t> jpeg) {
  std::size_t at = 2;
  // Segments in a row, up to the first scan.
  while (true) {
    while (at < jpeg.size() && jpeg[at] != 0xff) ++at;
    while (at < jpeg.size() && jpeg[at] == 0xff) ++at;
    if (at + 3 > jpeg.size()) return true;
    const std::uint8_t marker = jpeg[at++];
    if (marker == kStartOfScan) break;
    if (marker == kHuffmanTables && !SegmentFits(jpeg, at)) return false;
    at += static_cast<std::size_t>(jpeg[at]) << 8 | jpeg[at + 1];
  }
  for (; at + 1 < jpeg.size(); ++at) {
    if (jpeg[at] == 0xff && jpeg[at + 1] == kHuffmanTables && !SegmentFits(jpeg, at + 2)) return false;
  }
  return true;
}

}  // namespace kdequant
