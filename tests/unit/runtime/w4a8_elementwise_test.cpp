#include "kernels/w4a8_elementwise.h"

#include <doctest/doctest.h>

#include <vector>

#include "kdequant/base/random.h"

namespace kdequant::w4a8 {
namespace {

std::vector<std::int8_t> RandomBytes(std::size_t count, std::uint64_t seed) {
  Random random(seed);
  std::vector<std::int8_t> bytes(count);
  for (auto& byte : bytes) byte = static_cast<std::int8_t>(static_cast<int>(random.Below(256)) - 128);
  return bytes;
}

std::vector<std::int8_t> RealElements(const Image& image, const std::vector<std::int8_t>& bytes) {
  std::vector<std::int8_t> real;
  for (std::ptrdiff_t c = 0; c < image.channels; ++c) {
    for (std::ptrdiff_t pixel = 0; pixel < image.Pixels(); ++pixel)
      real.push_back(bytes[static_cast<std::size_t>(image.Index(c, pixel))]);
  }
  return real;
}

}  // namespace

TEST_CASE("a grid keeps zero exactly and reaches both ends of its range") {
  const Grid eight = MakeGrid({.low = -1, .high = 3, .bits = 8});
  CHECK(eight.bottom == -128);
  CHECK(Dequantize(eight, Quantize(eight, 0.0F)) == 0.0F);
  CHECK(Quantize(eight, -1.0F) == -128);
  CHECK(Quantize(eight, 3.0F) == 127);
  const Grid seven = MakeGrid({.low = 0, .high = 6, .bits = 7});
  CHECK(Quantize(seven, 0.0F) == 0);
  CHECK(Quantize(seven, 6.0F) == 127);
  CHECK(Quantize(seven, -5.0F) == 0);
}

TEST_CASE("a table of bytes does what dequantizing, activating and quantizing does") {
  const Grid from = MakeGrid({.low = -2, .high = 2, .bits = 8});
  const Grid to = MakeGrid({.low = 0, .high = 2, .bits = 7});
  const ByteTable table = MakeTable(from, Activation{.kind = Activation::Kind::kRelu}, to);
  for (int q = -128; q < 128; ++q) {
    const float x = std::max(0.0F, Dequantize(from, static_cast<std::int8_t>(q)));
    CHECK(table[static_cast<std::size_t>(q + 128)] == Quantize(to, x));
  }
}

TEST_CASE("quantized images are the same from plain loops and from vectors") {
  for (const Image image : {Image{3, 5, 7}, Image{8, 4, 4}, Image{1, 1, 1}, Image{6, 2, 9}}) {
    Random random(3);
    std::vector<float> input(static_cast<std::size_t>(image.channels * image.Pixels()));
    for (float& x : input) x = static_cast<float>(random.Uniform()) * 6 - 3;
    const Grid grid = MakeGrid({.low = -2, .high = 2.5F, .bits = 8});
    std::vector<std::int8_t> plain(static_cast<std::size_t>(image.Elements()));
    std::vector<std::int8_t> vectors = plain;
    QuantizeImage(grid, image, {0, image.Pixels()}, input.data(), plain.data(), false);
    QuantizeImage(grid, image, {0, image.Pixels()}, input.data(), vectors.data(), true);
    CHECK(RealElements(image, plain) == RealElements(image, vectors));
    CHECK(plain[0] == Quantize(grid, input[0]));
  }
}

TEST_CASE("sums of bytes are the same from plain loops and from vectors") {
  const auto a = RandomBytes(256, 1);
  const auto b = RandomBytes(256, 2);
  std::vector<std::int8_t> plain(256);
  std::vector<std::int8_t> vectors(256);
  const Addend first{a.data(), -128, 0.7F};
  const Addend second{b.data(), 12, 1.3F};
  Add(first, second, {0, 255}, -128, {0, 256}, plain.data(), false);
  Add(first, second, {0, 255}, -128, {0, 256}, vectors.data(), true);
  CHECK(plain == vectors);
  CHECK(plain[0] ==
        ToByte(static_cast<float>(a[0] + 128) * 0.7F + static_cast<float>(b[0] - 12) * 1.3F, {0, 255}, -128));
}

TEST_CASE("largest bytes of windows are the same from plain loops and from vectors") {
  for (const std::ptrdiff_t stride : {1, 2, 3}) {
    PoolGeometry g;
    g.input = {6, 11, 9};
    g.kernel[0] = g.kernel[1] = 3;
    g.strides[0] = g.strides[1] = stride;
    g.dilations[0] = g.dilations[1] = 1;
    for (auto& pad : g.pads) pad = 1;
    g.output = {6, (11 + 2 - 3) / stride + 1, (9 + 2 - 3) / stride + 1};
    const auto input = RandomBytes(static_cast<std::size_t>(g.input.Elements()), 7);
    std::vector<std::int8_t> plain(static_cast<std::size_t>(g.output.Elements()));
    std::vector<std::int8_t> vectors = plain;
    MaxPool(g, {0, g.input.Blocks()}, input.data(), plain.data(), false);
    MaxPool(g, {0, g.input.Blocks()}, input.data(), vectors.data(), true);
    CHECK(RealElements(g.output, plain) == RealElements(g.output, vectors));
    // The first window holds four pixels of the image.
    const auto at = [&](std::ptrdiff_t y, std::ptrdiff_t x) {
      return input[static_cast<std::size_t>(g.input.Index(0, y * 9 + x))];
    };
    CHECK(plain[0] == std::max({at(0, 0), at(0, 1), at(1, 0), at(1, 1)}));
  }
}

TEST_CASE("largest bytes are the same of wide images, wide windows, windows with gaps and windows of padding alone") {
  struct Case {
    std::ptrdiff_t width, kernel, stride, dilation, pad_before, pad_after;
  };
  for (const Case& c : {Case{700, 3, 2, 1, 1, 1}, Case{700, 300, 1, 1, 0, 0}, Case{600, 5, 3, 70, 100, 3},
                        Case{20, 2, 2, 1, 4, 4}, Case{5, 1, 1, 1, 0, 0}}) {
    CAPTURE(c.width);
    CAPTURE(c.kernel);
    PoolGeometry g;
    g.input = {4, 3, c.width};
    g.kernel[0] = g.strides[0] = g.dilations[0] = 1;
    g.pads[0] = g.pads[2] = 0;
    g.kernel[1] = c.kernel;
    g.strides[1] = c.stride;
    g.dilations[1] = c.dilation;
    g.pads[1] = c.pad_before;
    g.pads[3] = c.pad_after;
    const std::ptrdiff_t padded = c.width + c.pad_before + c.pad_after;
    g.output = {4, 3, (padded - (c.kernel - 1) * c.dilation - 1) / c.stride + 1};
    const auto input = RandomBytes(static_cast<std::size_t>(g.input.Elements()), 8);
    std::vector<std::int8_t> plain(static_cast<std::size_t>(g.output.Elements()), 1);
    std::vector<std::int8_t> vectors(plain.size(), 2);
    MaxPool(g, {0, 1}, input.data(), plain.data(), false);
    MaxPool(g, {0, 1}, input.data(), vectors.data(), true);
    CHECK(RealElements(g.output, plain) == RealElements(g.output, vectors));
  }
}

TEST_CASE("means over an image are the same from plain loops and from vectors") {
  const Image image{6, 5, 5};
  const auto input = RandomBytes(static_cast<std::size_t>(image.Elements()), 9);
  std::vector<std::int8_t> plain(8);
  std::vector<std::int8_t> vectors(8);
  GlobalMean(image, {0, image.Blocks()}, input.data(), -5, 1.0F / 25, {-128, 127}, 0, plain.data(), false);
  GlobalMean(image, {0, image.Blocks()}, input.data(), -5, 1.0F / 25, {-128, 127}, 0, vectors.data(), true);
  plain.resize(6);
  vectors.resize(6);
  CHECK(plain == vectors);
  // As floats; what lies behind the sixth channel is not touched.
  std::vector<float> means(8, 99);
  std::vector<float> same(8, 99);
  GlobalMean(image, {0, image.Blocks()}, input.data(), -5, 1.0F / 25, means.data(), true);
  GlobalMean(image, {0, image.Blocks()}, input.data(), -5, 1.0F / 25, same.data(), false);
  CHECK(means == same);
  CHECK(means[6] == 99);
  for (std::size_t c = 0; c < 6; ++c) CHECK(std::fabs(means[c] - static_cast<float>(plain[c])) <= 0.5F);
}

TEST_CASE("a range is that of the real elements, padding aside, and has 0 in it") {
  const Image image{3, 1, 5};
  std::vector<float> blocked(static_cast<std::size_t>(image.Elements()), 1e9F);  // What padding holds is unspecified.
  for (std::ptrdiff_t c = 0; c < 3; ++c) {
    for (std::ptrdiff_t pixel = 0; pixel < 5; ++pixel)
      blocked[static_cast<std::size_t>(image.Index(c, pixel))] = static_cast<float>(c - 1) * static_cast<float>(pixel);
  }
  const ActivationRange range = RangeOf({.image = image, .count = 0}, blocked.data(), 8);
  CHECK(range.low == -4);
  CHECK(range.high == 4);
  const std::vector<float> row = {2, 7, 3};
  CHECK(RangeOf({.image = std::nullopt, .count = 3}, row.data(), 8).low == 0);
  CHECK(RangeOf({.image = std::nullopt, .count = 3}, row.data(), 8).high == 7);
}

TEST_CASE("elements are quantized where they lie") {
  const Grid grid = MakeGrid({.low = -2, .high = 2, .bits = 8});
  const Image image{6, 2, 3};
  Random random(5);
  std::vector<float> input(static_cast<std::size_t>(image.Elements()));
  for (float& x : input) x = static_cast<float>(random.Uniform()) * 4 - 2;
  std::vector<std::int8_t> blocked(input.size());
  QuantizeElements(grid, {.image = image, .count = 0}, input.data(), blocked.data());
  for (std::ptrdiff_t c = 0; c < 6; ++c) {
    for (std::ptrdiff_t pixel = 0; pixel < 6; ++pixel) {
      const auto i = static_cast<std::size_t>(image.Index(c, pixel));
      CHECK(blocked[i] == Quantize(grid, input[i]));
    }
  }
  std::vector<std::int8_t> row(input.size());
  QuantizeElements(grid, {.image = std::nullopt, .count = std::ssize(input)}, input.data(), row.data());
  for (std::size_t i = 0; i < input.size(); ++i) CHECK(row[i] == Quantize(grid, input[i]));
}

TEST_CASE("channels join an image from any channel on, through a table") {
  const Image part{3, 2, 2};
  const Image whole{9, 2, 2};
  const auto bytes = RandomBytes(static_cast<std::size_t>(part.Elements()), 11);
  ByteTable table;
  for (std::size_t q = 0; q < table.size(); ++q) table[q] = static_cast<std::int8_t>(127 - static_cast<int>(q));
  std::vector<std::int8_t> joined(static_cast<std::size_t>(whole.Elements()), 5);
  JoinChannels(part, table, bytes.data(), whole, 5, joined.data());
  const auto real = RealElements(part, bytes);
  const auto all = RealElements(whole, joined);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bool of_part = i >= 20 && i < 32;
    CHECK(all[i] == (of_part ? -1 - real[i - 20] : 5));
  }
}

TEST_CASE("an image becomes a row in the order of the graph") {
  const Image image{5, 3, 2};
  const auto bytes = RandomBytes(static_cast<std::size_t>(image.Elements()), 12);
  std::vector<std::int8_t> row(30);
  ToRow(image, bytes.data(), row.data());
  CHECK(row == RealElements(image, bytes));
}

}  // namespace kdequant::w4a8
