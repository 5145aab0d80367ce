// Resizing and cropping: whole-number arithmetic per pixel, so that every build gives the same picture.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "kdequant/vision/preprocess.h"

namespace kdequant {
namespace {

// Pillow's: 32 bits hold an 8-bit pixel times the weight, and two bits of headroom for the sum.
constexpr int kPrecisionBits = 32 - 8 - 2;
constexpr int kChannels = 3;

// One axis of a resize, of which only the output positions [begin, begin + count) are wanted.
struct Axis {
  std::int64_t source = 0;
  std::int64_t target = 0;
  std::int64_t begin = 0;
  std::int64_t count = 0;
  bool unchanged() const { return source == target; }
};

// Which input positions an output position is the weighted mean of.
struct Taps {
  std::int64_t first = 0;
  std::int64_t count = 0;
  std::vector<std::uint32_t> weights;
};

// The triangle filter around the output pixel's centre; when shrinking it is stretched to the spacing of the output
// pixels. Source: Pillow, src/libImaging/Resample.c, precompute_coeffs and normalize_coeffs_8bpc.
Taps TapsFor(const Axis& axis, std::int64_t position) {
  const double scale = static_cast<double>(axis.source) / static_cast<double>(axis.target);
  const double stretch = std::max(scale, 1.0);
  const double center = (static_cast<double>(position) + 0.5) * scale;
  Taps taps;
  taps.first = std::max<std::int64_t>(0, static_cast<std::int64_t>(center - stretch + 0.5));
  taps.count = std::min(axis.source, static_cast<std::int64_t>(center + stretch + 0.5)) - taps.first;
  std::vector<double> weights(static_cast<std::size_t>(taps.count));
  double sum = 0;
  const double shrink = 1.0 / stretch;
  for (std::int64_t i = 0; i < taps.count; ++i) {
    const double distance = std::fabs((static_cast<double>(i + taps.first) - center + 0.5) * shrink);
    weights[static_cast<std::size_t>(i)] = distance < 1.0 ? 1.0 - distance : 0.0;
    sum += weights[static_cast<std::size_t>(i)];
  }
  taps.weights.reserve(weights.size());
  for (const double weight : weights) {
    const double normalized = sum != 0 ? weight / sum : weight;
    taps.weights.push_back(static_cast<std::uint32_t>(0.5 + normalized * (1 << kPrecisionBits)));
  }
  return taps;
}

std::vector<Taps> AllTaps(const Axis& axis) {
  std::vector<Taps> all;
  all.reserve(static_cast<std::size_t>(axis.count));
  for (std::int64_t i = 0; i < axis.count; ++i) all.push_back(TapsFor(axis, axis.begin + i));
  return all;
}

// Sums fit 32 bits: the weights are not negative and add up to 2^22, or to 2^23 where millions of them are rounded up
// from a half.
std::uint8_t Narrow(std::uint32_t sum) { return static_cast<std::uint8_t>(std::min(sum >> kPrecisionBits, 255U)); }

constexpr std::uint32_t kHalf = 1U << (kPrecisionBits - 1);

// Rows [first, first + rows) of the image, the columns of `axis`.
std::vector<std::uint8_t> Horizontal(const Image& image, const Axis& axis, std::int64_t first, std::int64_t rows) {
  const std::int64_t source_stride = std::int64_t{image.width} * kChannels;
  std::vector<std::uint8_t> result(static_cast<std::size_t>(rows * axis.count * kChannels));
  if (axis.unchanged()) {
    for (std::int64_t y = 0; y < rows; ++y) {
      std::memcpy(result.data() + y * axis.count * kChannels,
                  image.rgb.data() + (first + y) * source_stride + axis.begin * kChannels,
                  static_cast<std::size_t>(axis.count * kChannels));
    }
    return result;
  }
  const std::vector<Taps> all = AllTaps(axis);
  std::uint8_t* out = result.data();
  for (std::int64_t y = 0; y < rows; ++y) {
    const std::uint8_t* row = image.rgb.data() + (first + y) * source_stride;
    for (const Taps& taps : all) {
      const std::uint8_t* pixel = row + taps.first * kChannels;
      std::uint32_t sum[kChannels] = {kHalf, kHalf, kHalf};
      for (const std::uint32_t weight : taps.weights) {
        for (std::uint32_t& channel : sum) channel += weight * *pixel++;
      }
      for (const std::uint32_t channel : sum) *out++ = Narrow(channel);
    }
  }
  return result;
}

// The picture resized to (horizontal.target, vertical.target), of which only the window that the axes want is computed.
Image ResizeWindow(const Image& image, const Axis& horizontal, const Axis& vertical) {
  Image result{.width = static_cast<int>(horizontal.count), .height = static_cast<int>(vertical.count), .rgb = {}};
  if (vertical.unchanged()) {
    result.rgb = Horizontal(image, horizontal, vertical.begin, vertical.count);
    return result;
  }
  const std::vector<Taps> all = AllTaps(vertical);
  const std::int64_t first = all.front().first;
  const std::int64_t rows = all.back().first + all.back().count - first;
  const std::vector<std::uint8_t> between = Horizontal(image, horizontal, first, rows);
  const std::int64_t stride = horizontal.count * kChannels;
  result.rgb.resize(static_cast<std::size_t>(vertical.count * stride));
  std::vector<std::uint32_t> sums(static_cast<std::size_t>(stride));
  std::uint8_t* out = result.rgb.data();
  for (const Taps& taps : all) {
    std::ranges::fill(sums, kHalf);
    const std::uint8_t* pixel = between.data() + (taps.first - first) * stride;
    for (const std::uint32_t weight : taps.weights) {
      for (std::uint32_t& sum : sums) sum += weight * *pixel++;
    }
    for (const std::uint32_t sum : sums) *out++ = Narrow(sum);
  }
  return result;
}

}  // namespace

Image Resize(const Image& image, int width, int height) {
  return ResizeWindow(image, {.source = image.width, .target = width, .begin = 0, .count = width},
                      {.source = image.height, .target = height, .begin = 0, .count = height});
}

Image Crop(const Image& image, const Preprocess& preprocess) {
  const std::int64_t size = preprocess.size;
  if (image.width < 1 || image.height < 1) {
    return {.width = preprocess.size,
            .height = preprocess.size,
            .rgb = std::vector<std::uint8_t>(static_cast<std::size_t>(size * size * kChannels))};
  }
  const std::int64_t short_side = std::min(image.width, image.height);
  const std::int64_t wanted = std::max(preprocess.resize > 0 ? std::int64_t{preprocess.resize} : short_side, size);
  const auto axis = [&](std::int64_t length) {
    const std::int64_t target = wanted * length / short_side;
    return Axis{.source = length, .target = target, .begin = (target - size) / 2, .count = size};
  };
  return ResizeWindow(image, axis(image.width), axis(image.height));
}

}  // namespace kdequant
