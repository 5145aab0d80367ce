#include "kdequant/calibration/dead_leaves.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <vector>

#include "kdequant/base/math.h"
#include "kdequant/base/random.h"

namespace kdequant {
namespace {

using Color = std::array<double, 3>;

// Sizes at a side of 224 pixels; other sides scale them.
constexpr double kReferenceSide = 224;
constexpr double kSmallestRadius = 4;
constexpr double kLargestRadius = 110;
constexpr int kShapes = 400;
constexpr std::uint32_t kPaletteSize = 6;
constexpr double kColorNoise = 18;      // standard deviation around the palette's color, of 255
constexpr double kShading = 45;         // largest change from a shape's middle to its edge
constexpr double kTextureStrength = 6;  // standard deviation of the 1/f texture

struct Leaf {
  double x, y;          // middle
  double cosine, sine;  // orientation
  double half_width, half_height;
  bool ellipse;
  Color color;
  Color shading;  // change of color per half width along the leaf's own axis
};

// The radius whose density falls like r^-3 between the two ends: inverse of the distribution function.
double PowerLawRadius(Random& random) {
  const double smallest = 1 / (kSmallestRadius * kSmallestRadius);
  const double largest = 1 / (kLargestRadius * kLargestRadius);
  return 1 / Sqrt(smallest - random.Uniform() * (smallest - largest));
}

Leaf DrawLeaf(Random& random, double side, const std::array<Color, kPaletteSize>& palette) {
  Leaf leaf{};
  leaf.x = random.Uniform() * side;
  leaf.y = random.Uniform() * side;
  const double angle = random.Uniform() * kPi;
  leaf.cosine = Cos(angle);
  leaf.sine = Sin(angle);
  const double radius = PowerLawRadius(random) * side / kReferenceSide;
  const double aspect = 0.4 + 0.6 * random.Uniform();
  leaf.half_width = radius;
  leaf.half_height = radius * aspect;
  leaf.ellipse = random.Uniform() < 0.6;
  const Color& base = palette[random.Below(kPaletteSize)];
  const double light = kShading * (2 * random.Uniform() - 1);
  for (std::size_t c = 0; c < 3; ++c) {
    leaf.color[c] = base[c] + kColorNoise * random.Normal();
    leaf.shading[c] = light + 8 * random.Normal();
  }
  return leaf;
}

void Paint(const Leaf& leaf, int size, std::vector<double>& canvas) {
  const double reach = Sqrt(leaf.half_width * leaf.half_width + leaf.half_height * leaf.half_height);
  const auto first = [&](double middle) { return std::clamp(static_cast<int>(middle - reach), 0, size); };
  const auto last = [&](double middle) { return std::clamp(static_cast<int>(middle + reach) + 1, 0, size); };
  for (int y = first(leaf.y); y < last(leaf.y); ++y) {
    for (int x = first(leaf.x); x < last(leaf.x); ++x) {
      const double dx = x + 0.5 - leaf.x;
      const double dy = y + 0.5 - leaf.y;
      const double u = (dx * leaf.cosine + dy * leaf.sine) / leaf.half_width;
      const double v = (dy * leaf.cosine - dx * leaf.sine) / leaf.half_height;
      const bool inside = leaf.ellipse ? u * u + v * v <= 1 : std::fabs(u) <= 1 && std::fabs(v) <= 1;
      if (!inside) continue;
      double* pixel = &canvas[3 * static_cast<std::size_t>(y * size + x)];
      for (std::size_t c = 0; c < 3; ++c) pixel[c] = leaf.color[c] + leaf.shading[c] * u;
    }
  }
}

// Grey noise with about a 1/f spectrum: white noise on grids of 4, 8, 16... cells, enlarged bilinearly, all equally
// strong.
void AddTexture(Random& random, int size, std::vector<double>& canvas) {
  int octaves = 0;
  for (int cells = 4; cells <= size; cells *= 2) ++octaves;
  const double amplitude = octaves == 0 ? 0 : kTextureStrength / Sqrt(octaves);
  std::vector<double> grid;
  for (int cells = 4; cells <= size; cells *= 2) {
    const auto stride = static_cast<std::size_t>(cells) + 1;
    grid.resize(stride * stride);
    for (auto& g : grid) g = amplitude * random.Normal();
    for (int y = 0; y < size; ++y) {
      const double gy = static_cast<double>(y) * cells / size;
      const auto iy = static_cast<std::size_t>(gy);
      const double fy = gy - static_cast<double>(iy);
      for (int x = 0; x < size; ++x) {
        const double gx = static_cast<double>(x) * cells / size;
        const auto ix = static_cast<std::size_t>(gx);
        const double fx = gx - static_cast<double>(ix);
        const double* cell = &grid[iy * stride + ix];
        const double top = cell[0] + fx * (cell[1] - cell[0]);
        const double bottom = cell[stride] + fx * (cell[stride + 1] - cell[stride]);
        double* pixel = &canvas[3 * static_cast<std::size_t>(y * size + x)];
        for (std::size_t c = 0; c < 3; ++c) pixel[c] += top + fy * (bottom - top);
      }
    }
  }
}

}  // namespace

Image DeadLeaves(int size, std::uint64_t seed) {
  Random random(seed);
  std::array<Color, kPaletteSize> palette{};
  for (auto& color : palette) {
    // Natural colors share most of their variation between the channels: a grey level, and a smaller tint.
    const double grey = 30 + 195 * random.Uniform();
    for (auto& channel : color) channel = grey + 35 * random.Normal();
  }
  std::vector<double> canvas(3 * static_cast<std::size_t>(size) * static_cast<std::size_t>(size));
  for (std::size_t i = 0; i < canvas.size(); ++i) canvas[i] = palette[0][i % 3];
  for (int i = 0; i < kShapes; ++i) Paint(DrawLeaf(random, size, palette), size, canvas);
  AddTexture(random, size, canvas);

  Image image{.width = size, .height = size, .rgb = std::vector<std::uint8_t>(canvas.size())};
  for (std::size_t i = 0; i < canvas.size(); ++i) {
    image.rgb[i] = static_cast<std::uint8_t>(std::clamp(std::nearbyint(canvas[i]), 0.0, 255.0));
  }
  return image;
}

}  // namespace kdequant
