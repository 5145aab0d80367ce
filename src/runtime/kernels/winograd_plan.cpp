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
                           std::ptrdiff_t block_depths, int threads)
    : tiles_wide(Half(width)),
      tiles_high(Half(height)),
      panels((rows + 7) / 8),
      depths(blocks * block_depths),
      threads_(threads) {
  const std::ptrdiff_t position_bytes = kWinogradPositions * depths * 4;
  const std::ptrdiff_t quad_bytes = 4 * position_bytes;
  panel_bytes = static_cast<std::size_t>(8 * position_bytes);
  keeps_filters = panels * 8 * position_bytes <= kKeptFilters;
  std::ptrdiff_t quads = (keeps_filters ? kSmallBand : kLargeBand) / quad_bytes;
  if (keeps_filters) quads = std::min(quads, kMostSums / (kQuadSums * kVectorBytes));
  const std::ptrdiff_t most_rows = std::clamp<std::ptrdiff_t>(4 * quads / tiles_wide, 1, tiles_high);
  bands = (tiles_high + most_rows - 1) / most_rows;
  if (keeps_filters) bands = std::min((bands + threads - 1) / threads * threads, tiles_high);
  const std::ptrdiff_t band_rows = (tiles_high + bands - 1) / bands;
  band_quads = Quads(band_rows * tiles_wide);
  tile_bytes = static_cast<std::size_t>(band_quads * quad_bytes);
  // Pixels of unfinished tiles included.
  sum_bytes = static_cast<std::size_t>((band_quads * kQuadSums + (2 * band_rows + 1) * 2 * tiles_wide) * kVectorBytes);
}

std::size_t WinogradPlan::FilterBytes() const {
  return panel_bytes * static_cast<std::size_t>(keeps_filters ? panels : threads_);
}

std::size_t WinogradPlan::AllTileBytes() const {
  return tile_bytes * static_cast<std::size_t>(keeps_filters ? threads_ : 1);
}

std::size_t WinogradPlan::ScratchBytes() const {
  return FilterBytes() + AllTileBytes() + static_cast<std::size_t>(threads_) * sum_bytes;
}

std::ptrdiff_t WinogradPlan::FiltersAt(std::ptrdiff_t panel, int thread) const {
  return (keeps_filters ? panel : thread) * static_cast<std::ptrdiff_t>(panel_bytes);
}

std::ptrdiff_t WinogradPlan::TilesAt(int thread) const {
  return static_cast<std::ptrdiff_t>(FilterBytes() +
                                     (keeps_filters ? tile_bytes * static_cast<std::size_t>(thread) : 0));
}

std::ptrdiff_t WinogradPlan::SumsAt(int thread) const {
  return static_cast<std::ptrdiff_t>(FilterBytes() + AllTileBytes() + sum_bytes * static_cast<std::size_t>(thread));
}

}  // namespace kdequant::runtime
