#include "kernels/winograd_plan.h"

#include <algorithm>

namespace kdequant::runtime {
namespace {

// Transforms pay from so many channels on.
constexpr std::ptrdiff_t kLeastBlocks = 4;
constexpr std::ptrdiff_t kLeastRows = 16;

// In bytes. Transformed filters that are kept; a band's transformed tiles beside kept filters, and where each band has
// the filters transformed again, which shall be seldom; the sums of a band.
constexpr std::ptrdiff_t kKeptFilters = 1024 * 1024;
constexpr std::ptrdiff_t kSmallBand = 256 * 1024;
constexpr std::ptrdiff_t kLargeBand = 1024 * 1024;
constexpr std::ptrdiff_t kMostSums = 32 * 1024;

constexpr std::ptrdiff_t kVectorBytes = 16;

std::ptrdiff_t Half(std::ptrdiff_t size) { return (size + 1) / 2; }

}  // namespace

bool WinogradPlan::Pays(std::ptrdiff_t width, std::ptrdiff_t height, std::ptrdiff_t blocks, std::ptrdiff_t rows) {
  if (blocks < kLeastBlocks || rows < kLeastRows) return false;
  // Small images fill their tiles badly.
  return 16 * 4 * Quads(Half(width) * Half(height)) * 5 <= 9 * width * height * 4;
}

WinogradPlan::WinogradPlan(std::ptrdiff_t width, std::ptrdiff_t height, std::ptrdiff_t blocks, std::ptrdiff_t rows,
                           std::ptrdiff_t block_depths)
    : tiles_wide(Half(width)), tiles_high(Half(height)), panels((rows + 7) / 8), depths(blocks * block_depths) {
  const std::ptrdiff_t position_bytes = kWinogradPositions * depths * 4;
  const std::ptrdiff_t quad_bytes = 4 * position_bytes;
  panel_bytes = static_cast<std::size_t>(8 * position_bytes);
  keeps_filters = panels * 8 * position_bytes <= kKeptFilters;
  std::ptrdiff_t quads = (keeps_filters ? kSmallBand : kLargeBand) / quad_bytes;
  if (keeps_filters) quads = std::min(quads, kMostSums / (kQuadSums * kVectorBytes));
  band_rows = std::clamp<std::ptrdiff_t>(4 * quads / tiles_wide, 1, tiles_high);
  band_quads = Quads(band_rows * tiles_wide);
  tile_bytes = static_cast<std::size_t>(band_quads * quad_bytes);
  // Pixels of unfinished tiles included.
  thread_bytes =
      static_cast<std::size_t>((band_quads * kQuadSums + (2 * band_rows + 1) * 2 * tiles_wide) * kVectorBytes);
}

std::size_t WinogradPlan::FilterBytes(int threads) const {
  return panel_bytes * static_cast<std::size_t>(keeps_filters ? panels : threads);
}

std::size_t WinogradPlan::ScratchBytes(int threads) const {
  return FilterBytes(threads) + tile_bytes + static_cast<std::size_t>(threads) * thread_bytes;
}

}  // namespace kdequant::runtime
