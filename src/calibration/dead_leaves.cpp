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

// Lengths are those at a side of 224 pixels; other sides scale them. Colors are of 255.
constexpr double kReferenceSide = 224;
constexpr double kLargestRadius = 110;
constexpr std::uint32_t kPaletteSize = 6;
constexpr double kColorNoise = 18;  // standard deviation around the palette's color
constexpr double kShading = 45;     // largest change from a shape's middle to its edge
constexpr std::size_t kTextures = 4;

double Between(Random& random, double low, double high) { return low + random.Uniform() * (high - low); }
double LogUniform(Random& random, double low, double high) { return Exp(Between(random, Log(low), Log(high))); }

// A picture's own character: photographs differ more from one another than the leaves of one picture do.
struct Style {
  int shapes;
  double smallest_radius;
  double size_exponent;  // the density of radii falls like r^-exponent
  double darkest, lightest;
  double tint;                // standard deviation of a palette color's channels around its grey
  double texture;             // standard deviation of the noise over everything
  double blur;                // standard deviation in pixels: out of focus
  double grain, color_grain;  // sensor noise, of all channels together and of each
};

Style DrawStyle(Random& random) {
  Style style{};
  style.shapes = static_cast<int>(LogUniform(random, 30, 600));
  style.smallest_radius = LogUniform(random, 2, 12);
  style.size_exponent = Between(random, 1.5, 3.2);
  const double contrast = Between(random, 20, 110);
  const double middle = Between(random, 60, 190);
  style.darkest = std::max(0.0, middle - contrast);
  style.lightest = std::min(255.0, middle + contrast);
  constexpr std::array<double, 8> kTints{0, 10, 10, 25, 25, 45, 45, 60};
  style.tint = kTints[random.Below(kTints.size())];
  style.texture = LogUniform(random, 2, 25);
  constexpr std::array<double, 8> kBlurs{0, 0, 0, 0.7, 0.7, 1.5, 1.5, 3};
  style.blur = kBlurs[random.Below(kBlurs.size())];
  style.grain = Between(random, 0, 6);
  style.color_grain = Between(random, 0, 3);
  return style;
}

// Of mean 0 and standard deviation 1, nearly normal: the sum of four even draws, twenty times as fast as a normal one.
double DrawGrain(Random& random) {
  const std::uint64_t bits = random.Bits();
  std::uint64_t sum = 0;
  for (int shift = 0; shift < 64; shift += 16) sum += bits >> shift & 0xffff;
  constexpr double kMean = 2 * 65535.0;
  constexpr double kDeviation = 65535 * 0.5773502691896258;  // sqrt(4 / 12)
  return (static_cast<double>(sum) - kMean) / kDeviation;
}

// A grey picture of size x size.
using Plane = std::vector<double>;

// Which element of a plane the pixel is.
std::size_t At(int x, int y, int size) {
  return static_cast<std::size_t>(y) * static_cast<std::size_t>(size) + static_cast<std::size_t>(x);
}

// Noise of mean about 0 and standard deviation about 1: white noise on grids of 2, 4, 8... cells, enlarged bilinearly,
// each `persistence` times as strong as the one before. Persistence 1 is about a 1/f spectrum, 2 nearly white.
Plane Noise(Random& random, int size, double persistence) {
  Plane plane(static_cast<std::size_t>(size) * static_cast<std::size_t>(size), 0.0);
  double variance = 0;
  double amplitude = 1;
  for (int cells = 2; cells <= size; cells *= 2, amplitude *= persistence) variance += amplitude * amplitude;
  if (variance == 0) return plane;
  amplitude = 1.5 / Sqrt(variance);  // interpolation takes a third away
  Plane grid;
  Plane line;
  std::vector<std::size_t> lefts(static_cast<std::size_t>(size));
  std::vector<double> shares(lefts.size());
  for (int cells = 2; cells <= size; cells *= 2, amplitude *= persistence) {
    const auto stride = static_cast<std::size_t>(cells) + 1;
    grid.resize(stride * stride);
    for (auto& g : grid) g = amplitude * random.Normal();
    for (std::size_t x = 0; x < lefts.size(); ++x) {
      const double gx = static_cast<double>(x) * cells / size;
      lefts[x] = static_cast<std::size_t>(gx);
      shares[x] = gx - static_cast<double>(lefts[x]);
    }
    line.resize(stride);
    for (std::size_t y = 0; y < lefts.size(); ++y) {
      const double* above = grid.data() + lefts[y] * stride;
      for (std::size_t i = 0; i < stride; ++i) line[i] = above[i] + shares[y] * (above[stride + i] - above[i]);
      double* row = plane.data() + y * lefts.size();
      for (std::size_t x = 0; x < lefts.size(); ++x) {
        const double left = line[lefts[x]];
        row[x] += left + shares[x] * (line[lefts[x] + 1] - left);
      }
    }
  }
  return plane;
}

// What covers a leaf beside its color.
enum class Cover { kPlain, kStripes, kNoise };

struct Leaf {
  double x, y;          // middle
  double cosine, sine;  // orientation
  double half_width, half_height;
  bool ellipse;
  Color color;
  Color shading;  // change of color per half width along the leaf's own axis
  Cover cover;
  Color strength;                    // of the cover
  double across_x, across_y, phase;  // stripes: radians per pixel, and at the middle
  bool hard;                         // stripes: two colors, not a wave
  std::size_t texture;               // noise: which of the planes,
  int shift_x, shift_y;              // and from where
};

// The radius whose density falls like r^-exponent between the two ends: inverse of the distribution function.
double PowerLawRadius(Random& random, double smallest, double exponent) {
  const double power = 1 - exponent;
  const double low = Pow(smallest, power);
  const double high = Pow(kLargestRadius, power);
  return Pow(low - random.Uniform() * (low - high), 1 / power);
}

Leaf DrawLeaf(Random& random, const Style& style, int size, const std::array<Color, kPaletteSize>& palette) {
  const double unit = size / kReferenceSide;
  Leaf leaf{};
  leaf.x = random.Uniform() * size;
  leaf.y = random.Uniform() * size;
  const double angle = random.Uniform() * kPi;
  leaf.cosine = Cos(angle);
  leaf.sine = Sin(angle);
  leaf.half_width = PowerLawRadius(random, style.smallest_radius, style.size_exponent) * unit;
  leaf.half_height = leaf.half_width * LogUniform(random, 0.08, 1);
  leaf.ellipse = random.Uniform() < 0.6;
  const Color& base = palette[random.Below(kPaletteSize)];
  const double light = kShading * (2 * random.Uniform() - 1);
  for (std::size_t c = 0; c < 3; ++c) {
    leaf.color[c] = base[c] + kColorNoise * random.Normal();
    leaf.shading[c] = light + 8 * random.Normal();
  }
  const double kind = random.Uniform();
  leaf.cover = kind < 0.25 ? Cover::kStripes : kind < 0.9 ? Cover::kNoise : Cover::kPlain;
  const double strength = LogUniform(random, 1, 45);
  for (auto& channel : leaf.strength) channel = strength * (1 + 0.2 * random.Normal());
  const double direction = random.Uniform() * kPi;
  const double frequency = 2 * kPi / (LogUniform(random, 2.5, 30) * unit);
  leaf.across_x = frequency * Cos(direction);
  leaf.across_y = frequency * Sin(direction);
  leaf.phase = 2 * kPi * random.Uniform();
  leaf.hard = random.Uniform() < 0.5;
  leaf.texture = random.Below(kTextures);
  leaf.shift_x = static_cast<int>(random.Below(static_cast<std::uint32_t>(size)));
  leaf.shift_y = static_cast<int>(random.Below(static_cast<std::uint32_t>(size)));
  return leaf;
}

double CoverAt(const Leaf& leaf, int x, int y, double dx, double dy, int size,
               const std::array<Plane, kTextures>& textures) {
  switch (leaf.cover) {
    case Cover::kPlain: return 0;
    case Cover::kStripes: {
      const double wave = Sin(dx * leaf.across_x + dy * leaf.across_y + leaf.phase);
      return leaf.hard ? (wave < 0 ? -1 : 1) : wave;
    }
    case Cover::kNoise: return textures[leaf.texture][At((x + leaf.shift_x) % size, (y + leaf.shift_y) % size, size)];
  }
  return 0;
}

void Paint(const Leaf& leaf, int size, const std::array<Plane, kTextures>& textures, std::vector<double>& canvas) {
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
      const double cover = CoverAt(leaf, x, y, dx, dy, size, textures);
      double* pixel = &canvas[3 * At(x, y, size)];
      for (std::size_t c = 0; c < 3; ++c) pixel[c] = leaf.color[c] + leaf.shading[c] * u + leaf.strength[c] * cover;
    }
  }
}

// One color that changes evenly across the picture.
std::vector<double> Background(Random& random, const Color& color, int size) {
  const double angle = 2 * kPi * random.Uniform();
  const double slope = Between(random, 0, 60);
  const double cosine = Cos(angle);
  const double sine = Sin(angle);
  Color slopes{};
  for (auto& channel : slopes) channel = slope * (1 + 0.3 * random.Normal());
  std::vector<double> canvas(3 * static_cast<std::size_t>(size) * static_cast<std::size_t>(size));
  const double half = size / 2.0;
  for (int y = 0; y < size; ++y) {
    for (int x = 0; x < size; ++x) {
      const double along = ((x + 0.5 - half) * cosine + (y + 0.5 - half) * sine) / half;
      for (std::size_t c = 0; c < 3; ++c) canvas[3 * At(x, y, size) + c] = color[c] + slopes[c] * along;
    }
  }
  return canvas;
}

// Convolves rows with a Gaussian, or columns where `step` is a row; the picture's edge is repeated.
void BlurAlong(const std::vector<double>& kernel, int size, int step, int lines_step, std::vector<double>& canvas) {
  const int radius = static_cast<int>(kernel.size()) - 1;
  std::vector<double> line(static_cast<std::size_t>(size));
  for (int i = 0; i < size; ++i) {
    for (int c = 0; c < 3; ++c) {
      const auto at = [&](int k) -> double& {
        const int element = i * lines_step + std::clamp(k, 0, size - 1) * step + c;
        return canvas[static_cast<std::size_t>(element)];
      };
      for (int k = 0; k < size; ++k) {
        double sum = kernel[0] * at(k);
        for (int r = 1; r <= radius; ++r) sum += kernel[static_cast<std::size_t>(r)] * (at(k - r) + at(k + r));
        line[static_cast<std::size_t>(k)] = sum;
      }
      for (int k = 0; k < size; ++k) at(k) = line[static_cast<std::size_t>(k)];
    }
  }
}

void Blur(double deviation, int size, std::vector<double>& canvas) {
  std::vector<double> kernel;
  double sum = 0;
  for (int r = 0; r <= 3 * deviation; ++r) {
    kernel.push_back(Exp(-0.5 * r * r / (deviation * deviation)));
    sum += r == 0 ? kernel.back() : 2 * kernel.back();
  }
  for (auto& tap : kernel) tap /= sum;
  BlurAlong(kernel, size, 3, 3 * size, canvas);
  BlurAlong(kernel, size, 3 * size, 3, canvas);
}

}  // namespace

Image DeadLeaves(int size, std::uint64_t seed) {
  Random random(seed);
  const Style style = DrawStyle(random);
  std::array<Color, kPaletteSize> palette{};
  for (auto& color : palette) {
    // Natural colors share most of their variation between the channels: a grey level, and a smaller tint.
    const double grey = Between(random, style.darkest, style.lightest);
    for (auto& channel : color) channel = grey + style.tint * random.Normal();
  }
  std::array<Plane, kTextures> textures;
  for (std::size_t i = 0; i < kTextures; ++i) textures[i] = Noise(random, size, 0.7 + 0.4 * static_cast<double>(i));

  std::vector<double> canvas = Background(random, palette[0], size);
  for (int i = 0; i < style.shapes; ++i) Paint(DrawLeaf(random, style, size, palette), size, textures, canvas);
  const Plane texture = Noise(random, size, 1);
  for (std::size_t i = 0; i < canvas.size(); ++i) canvas[i] += style.texture * texture[i / 3];
  if (style.blur > 0) Blur(style.blur * size / kReferenceSide, size, canvas);

  Image image{.width = size, .height = size, .rgb = std::vector<std::uint8_t>(canvas.size())};
  for (std::size_t pixel = 0; pixel < canvas.size() / 3; ++pixel) {
    const double grain = style.grain * DrawGrain(random);
    for (std::size_t i = 3 * pixel; i < 3 * pixel + 3; ++i) {
      const double value = canvas[i] + grain + style.color_grain * DrawGrain(random);
      image.rgb[i] = static_cast<std::uint8_t>(std::clamp(std::nearbyint(value), 0.0, 255.0));
    }
  }
  return image;
}

}  // namespace kdequant
