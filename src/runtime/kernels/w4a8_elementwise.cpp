#include "kernels/w4a8_elementwise.h"

#include <algorithm>
#include <array>
#include <limits>

#include "kernels/w4a8_vector.h"

namespace kdequant::w4a8 {
namespace {

constexpr std::int8_t kSmallest = std::numeric_limits<std::int8_t>::min();

// Where a window meets the image along one axis: the positions begin, begin + step, ... below end.
struct Reach {
  std::ptrdiff_t begin;
  std::ptrdiff_t end;

  Reach(const PoolGeometry& g, std::size_t axis, std::ptrdiff_t output) {
    const std::ptrdiff_t size = axis == 0 ? g.input.height : g.input.width;
    begin = output * g.strides[axis] - g.pads[axis];
    end = std::min(size, begin + (g.kernel[axis] - 1) * g.dilations[axis] + 1);
    while (begin < 0) begin += g.dilations[axis];
  }
};

// The largest bytes of each column [first, last) over the rows of a window.
void ColumnMaxima(const PoolGeometry& g, const Reach& rows, const std::int8_t* block, std::ptrdiff_t first,
                  std::ptrdiff_t last, std::int8_t* maxima) {
  for (std::ptrdiff_t x = first; x < last; x += 4, maxima += 16) {
    v128_t best = wasm_i8x16_splat(kSmallest);
    for (std::ptrdiff_t y = rows.begin; y < rows.end; y += g.dilations[0])
      best = wasm_i8x16_max(best, LoadFour(block + 4 * (y * g.input.width + x), last - x));
    wasm_v128_store(maxima, best);
  }
}

// A row of outputs: windows share the largest bytes of columns.
void MaximaOfRow(const PoolGeometry& g, const Reach& rows, const std::int8_t* block, std::int8_t* to) {
  constexpr std::ptrdiff_t kColumns = 256;  // At once; a window of more columns is alone.
  alignas(16) std::array<std::int8_t, 4 * kColumns> maxima;
  const std::ptrdiff_t span = (g.kernel[1] - 1) * g.dilations[1] + 1;
  const std::ptrdiff_t at_once = std::max<std::ptrdiff_t>(1, (kColumns - span) / g.strides[1] + 1);
  for (std::ptrdiff_t begin = 0; begin < g.output.width; begin += at_once) {
    const std::ptrdiff_t end = std::min(begin + at_once, g.output.width);
    const std::ptrdiff_t first = std::max<std::ptrdiff_t>(0, begin * g.strides[1] - g.pads[1]);
    const std::ptrdiff_t last = Reach(g, 1, end - 1).end;
    std::ptrdiff_t from = first;
    do {
      const std::ptrdiff_t until = std::min(from + kColumns, last);
      ColumnMaxima(g, rows, block, from, until, maxima.data());
      for (std::ptrdiff_t ox = begin; ox < end; ++ox) {
        const Reach columns(g, 1, ox);
        v128_t best = from == first ? wasm_i8x16_splat(kSmallest) : wasm_v128_load32_zero(to + 4 * ox);
        std::ptrdiff_t x = columns.begin;
        while (x < from) x += g.dilations[1];
        for (; x < std::min(columns.end, until); x += g.dilations[1])
          best = wasm_i8x16_max(best, wasm_v128_load32_zero(maxima.data() + 4 * (x - from)));
        wasm_v128_store32_lane(to + 4 * ox, best, 0);
      }
      from += kColumns;
    } while (from < last);
  }
}

void WindowMaximumPlain(const PoolGeometry& g, const Reach& rows, const Reach& columns, const std::int8_t* block,
                        std::int8_t* best) {
  std::fill_n(best, 4, kSmallest);
  for (std::ptrdiff_t y = rows.begin; y < rows.end; y += g.dilations[0]) {
    for (std::ptrdiff_t x = columns.begin; x < columns.end; x += g.dilations[1]) {
      for (std::ptrdiff_t lane = 0; lane < 4; ++lane)
        best[lane] = std::max(best[lane], block[4 * (y * g.input.width + x) + lane]);
    }
  }
}

// In the order of the memory.
template <typename Function>
void ForEach(const Elements& elements, Function function) {
  if (!elements.image) {
    for (std::ptrdiff_t i = 0; i < elements.count; ++i) function(i);
    return;
  }
  const Image& image = *elements.image;
  for (std::ptrdiff_t block = 0; block < image.Blocks(); ++block) {
    const std::ptrdiff_t lanes = std::min<std::ptrdiff_t>(4, image.channels - 4 * block);
    const std::ptrdiff_t base = block * image.BlockStride();
    if (lanes == 4) {
      for (std::ptrdiff_t i = 0; i < 4 * image.Pixels(); ++i) function(base + i);
      continue;
    }
    for (std::ptrdiff_t pixel = 0; pixel < image.Pixels(); ++pixel) {
      for (std::ptrdiff_t lane = 0; lane < lanes; ++lane) function(base + 4 * pixel + lane);
    }
  }
}

// The sums of four channels over all pixels.
std::array<std::int32_t, 4> SumPixels(const std::int8_t* from, std::ptrdiff_t pixels, std::int32_t start,
                                      bool vectors) {
  std::array<std::int32_t, 4> result = {start, start, start, start};
  if (vectors) {
    v128_t sums = wasm_i32x4_splat(start);
    for (std::ptrdiff_t pixel = 0; pixel < pixels; ++pixel) {
      const v128_t bytes = wasm_i16x8_extend_low_i8x16(wasm_v128_load32_zero(from + 4 * pixel));
      sums = wasm_i32x4_add(sums, wasm_i32x4_extend_low_i16x8(bytes));
    }
    wasm_v128_store(result.data(), sums);
    return result;
  }
  for (std::ptrdiff_t pixel = 0; pixel < pixels; ++pixel) {
    for (std::size_t lane = 0; lane < 4; ++lane) result[lane] += *from++;
  }
  return result;
}

}  // namespace

void QuantizeImage(const Grid& grid, const Image& image, Stretch stretch, const float* input, std::int8_t* output,
                   bool vectors) {
  const std::ptrdiff_t pixels = image.Pixels();
  const v128_t inverse = wasm_f32x4_splat(1.0F / grid.scale);
  const VectorBounds bounds(BoundsOf(grid), grid.zero_point);
  for (std::ptrdiff_t block = 0; block < image.Blocks(); ++block) {
    const std::ptrdiff_t channels = std::min<std::ptrdiff_t>(4, image.channels - 4 * block);
    const float* const planes = input + 4 * block * pixels;
    std::int8_t* const target = output + block * image.BlockStride();
    std::ptrdiff_t pixel = stretch.begin;
    for (; vectors && pixel + 4 <= stretch.end; pixel += 4) {
      v128_t lanes[4];
      for (std::ptrdiff_t c = 0; c < 4; ++c) {
        const float* const plane = planes + std::min(c, channels - 1) * pixels;
        lanes[c] = ToGrid(wasm_f32x4_mul(wasm_v128_load(plane + pixel), inverse), bounds);
      }
      const v128_t by_channel = NarrowToBytes(lanes[0], lanes[1], lanes[2], lanes[3]);
      wasm_v128_store(target + 4 * pixel,
                      wasm_i8x16_shuffle(by_channel, by_channel, 0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
    }
    for (; pixel < stretch.end; ++pixel) {
      for (std::ptrdiff_t c = 0; c < channels; ++c) target[4 * pixel + c] = Quantize(grid, planes[c * pixels + pixel]);
    }
  }
}

ActivationRange RangeOf(const Elements& elements, const float* input, int bits) {
  ActivationRange range{.low = 0, .high = 0, .bits = bits};
  ForEach(elements, [&](std::ptrdiff_t i) {
    range.low = input[i] < range.low ? input[i] : range.low;
    range.high = range.high < input[i] ? input[i] : range.high;
  });
  return range;
}

void QuantizeElements(const Grid& grid, const Elements& elements, const float* input, std::int8_t* output) {
  ForEach(elements, [&](std::ptrdiff_t i) { output[i] = Quantize(grid, input[i]); });
}

void Add(const Addend& a, const Addend& b, Bounds bounds, std::int32_t zero_point, Stretch bytes, std::int8_t* output,
         bool vectors) {
  if (!vectors) {
    for (std::ptrdiff_t i = bytes.begin; i < bytes.end; ++i) {
      const float sum = static_cast<float>(a.bytes[i] - a.zero_point) * a.ratio +
                        static_cast<float>(b.bytes[i] - b.zero_point) * b.ratio;
      output[i] = ToByte(sum, bounds, zero_point);
    }
    return;
  }
  const VectorBounds spread(bounds, zero_point);
  const v128_t zero_a = wasm_i16x8_splat(static_cast<std::int16_t>(a.zero_point));
  const v128_t zero_b = wasm_i16x8_splat(static_cast<std::int16_t>(b.zero_point));
  const v128_t ratio_a = wasm_f32x4_splat(a.ratio);
  const v128_t ratio_b = wasm_f32x4_splat(b.ratio);
  for (std::ptrdiff_t i = bytes.begin; i < bytes.end; i += 16) {
    v128_t x[4];
    v128_t y[4];
    Widen(wasm_v128_load(a.bytes + i), zero_a, x);
    Widen(wasm_v128_load(b.bytes + i), zero_b, y);
    for (int j = 0; j < 4; ++j)
      x[j] = ToGrid(wasm_f32x4_add(wasm_f32x4_mul(x[j], ratio_a), wasm_f32x4_mul(y[j], ratio_b)), spread);
    wasm_v128_store(output + i, NarrowToBytes(x[0], x[1], x[2], x[3]));
  }
}

void MaxPool(const PoolGeometry& g, Stretch blocks, const std::int8_t* input, std::int8_t* output, bool vectors) {
  for (std::ptrdiff_t block = blocks.begin; block < blocks.end; ++block) {
    const std::int8_t* const from = input + block * g.input.BlockStride();
    std::int8_t* to = output + block * g.output.BlockStride();
    for (std::ptrdiff_t oy = 0; oy < g.output.height; ++oy, to += 4 * g.output.width) {
      const Reach rows(g, 0, oy);
      if (vectors) {
        MaximaOfRow(g, rows, from, to);
        continue;
      }
      for (std::ptrdiff_t ox = 0; ox < g.output.width; ++ox)
        WindowMaximumPlain(g, rows, Reach(g, 1, ox), from, to + 4 * ox);
    }
  }
}

void GlobalMean(const Image& image, Stretch blocks, const std::int8_t* input, std::int32_t input_zero_point,
                float multiplier, Bounds bounds, std::int32_t zero_point, std::int8_t* output, bool vectors) {
  const auto start = static_cast<std::int32_t>(-input_zero_point * image.Pixels());
  for (std::ptrdiff_t block = blocks.begin; block < blocks.end; ++block) {
    std::int8_t* to = output + 4 * block;
    for (const std::int32_t sum : SumPixels(input + block * image.BlockStride(), image.Pixels(), start, vectors))
      *to++ = Requantize(sum, multiplier, bounds, zero_point);
  }
}

void GlobalMean(const Image& image, Stretch blocks, const std::int8_t* input, std::int32_t input_zero_point,
                float multiplier, float* output, bool vectors) {
  const auto start = static_cast<std::int32_t>(-input_zero_point * image.Pixels());
  for (std::ptrdiff_t block = blocks.begin; block < blocks.end; ++block) {
    std::ptrdiff_t channel = 4 * block;
    for (const std::int32_t sum : SumPixels(input + block * image.BlockStride(), image.Pixels(), start, vectors)) {
      if (channel < image.channels) output[channel] = static_cast<float>(sum) * multiplier;
      ++channel;
    }
  }
}

void JoinChannels(const Image& image, const ByteTable& table, const std::int8_t* input, const Image& target,
                  std::ptrdiff_t channel, std::int8_t* output) {
  for (std::ptrdiff_t c = 0; c < image.channels; ++c) {
    for (std::ptrdiff_t pixel = 0; pixel < image.Pixels(); ++pixel) {
      output[target.Index(channel + c, pixel)] = table[static_cast<std::size_t>(input[image.Index(c, pixel)] + 128)];
    }
  }
}

void ToRow(const Image& image, const std::int8_t* input, std::int8_t* output) {
  for (std::ptrdiff_t c = 0; c < image.channels; ++c) {
    for (std::ptrdiff_t pixel = 0; pixel < image.Pixels(); ++pixel)
      output[c * image.Pixels() + pixel] = input[image.Index(c, pixel)];
  }
}

}  // namespace kdequant::w4a8
