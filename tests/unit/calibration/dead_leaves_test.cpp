#include "kdequant/calibration/dead_leaves.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>

namespace kdequant {
namespace {

// FNV-1a, so that a change of a single byte anywhere shows.
std::uint64_t Hash(const Image& image) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const std::uint8_t byte : image.rgb) hash = (hash ^ byte) * 0x100000001b3U;
  return hash;
}

double MeanAbsoluteNeighbourDifference(const Image& image) {
  double sum = 0;
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x + 1 < image.width; ++x) {
      const auto i = 3 * static_cast<std::size_t>(y * image.width + x);
      sum += std::abs(image.rgb[i] - image.rgb[i + 3]);
    }
  }
  return sum / (image.height * (image.width - 1));
}

TEST_CASE("A dead-leaves picture is the same bytes for the same seed, and another picture for another") {
  const Image first = DeadLeaves(64, 1);
  CHECK(first.width == 64);
  CHECK(first.rgb.size() == 3 * 64 * 64);
  CHECK(Hash(first) == Hash(DeadLeaves(64, 1)));
  CHECK(Hash(first) != Hash(DeadLeaves(64, 2)));
}

TEST_CASE("Dead leaves are mostly flat with sharp edges, as photographs are and noise is not") {
  // Neighbours differ by about 85 of 255 in uniform white noise, and by 5 to 15 in photographs of this size.
  double sum = 0;
  for (std::uint64_t seed = 0; seed < 8; ++seed) sum += MeanAbsoluteNeighbourDifference(DeadLeaves(224, seed));
  CHECK(sum / 8 > 3);
  CHECK(sum / 8 < 15);
}

TEST_CASE("Dead leaves can be of any size") {
  for (const int size : {1, 2, 3, 32})
    CHECK(DeadLeaves(size, 5).rgb.size() == static_cast<std::size_t>(3 * size * size));
}

}  // namespace
}  // namespace kdequant
