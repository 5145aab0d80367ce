#include "kernels/w4a8_depthwise.h"

#include <algorithm>
#include <cstring>

#include "kernels/relaxed.h"

namespace kdequant::w4a8 {
namespace {

template <typename T>
Result<Buffer<T>> Zeros(std::ptrdiff_t count) {
  Buffer<T> buffer(static_cast<std::size_t>(count));
  if (buffer.size() != static_cast<std::size_t>(count))
    return Fail(ErrorCode::kOutOfMemory, "there is no memory for the packed weights");
  std::fill_n(buffer.data(), buffer.size(), T{0});
  return buffer;
}

}  // namespace

Result<DepthwisePairs> DepthwisePairs::Create(const IntegerWeights& weights, std::ptrdiff_t channels,
                                              std::ptrdiff_t taps) {
  DepthwisePairs made;
  const std::ptrdiff_t pairs = (taps + 1) / 2;  // The last one may have a weight of zero.
  auto packed = Zeros<std::int16_t>((channels + 3) / 4 * pairs * 8);
  if (!packed) return Forward(packed);
  made.weights_ = std::move(*packed);
  for (std::ptrdiff_t c = 0; c < channels; ++c) {
    for (std::ptrdiff_t tap = 0; tap < taps; ++tap) {
      made.weights_.data()[(c / 4 * pairs + tap / 2) * 8 + c % 4 * 2 + tap % 2] =
          std::int16_t{weights.values[static_cast<std::size_t>(c * taps + tap)]};
    }
  }
  return made;
}

template <typename Output>
void DepthwisePairs::Run(const Source& source, const Windows& windows, const Image& image, const Output& output,
                         const Threads& threads) const {
  threads.Cut(image.Blocks(), 1, [&](Stretch blocks, int) {
    for (std::ptrdiff_t block = blocks.begin; block < blocks.end; ++block)
      RunBlock(source, windows, image, output, block);
  });
}

template <typename Output>
void DepthwisePairs::RunBlock(const Source& source, const Windows& windows, const Image& image, const Output& output,
                              std::ptrdiff_t block) const {
  const VectorBounds bounds = MakeStore(output);
  const std::size_t pairs = (windows.taps.size() + 1) / 2;
  const std::int8_t* const pixels = source.pixels + block * source.block_stride;
  const v128_t start = wasm_v128_load(output.rows.start + 4 * block);
  for (std::ptrdiff_t pixel = 0; pixel < image.Pixels(); pixel += 4) {
    const std::int32_t* const origins = windows.origins.data() + pixel;
    const auto load = [&](std::int32_t tap) {
      v128_t bytes = wasm_v128_load32_zero(pixels + origins[0] + tap);
      bytes = wasm_v128_load32_lane(pixels + origins[1] + tap, bytes, 1);
      bytes = wasm_v128_load32_lane(pixels + origins[2] + tap, bytes, 2);
      return wasm_v128_load32_lane(pixels + origins[3] + tap, bytes, 3);
    };
    const bool adjacent = AreAdjacent(origins);
    v128_t sums[4] = {start, start, start, start};
    const std::int16_t* weight = weights_.data() + static_cast<std::size_t>(block) * pairs * 8;
    KDEQUANT_NO_UNROLL
    for (std::size_t pair = 0; pair < pairs; ++pair, weight += 8) {
      const std::int32_t a_tap = windows.taps[2 * pair];
      const std::int32_t b_tap = windows.taps[std::min(2 * pair + 1, windows.taps.size() - 1)];
      const v128_t a = adjacent ? wasm_v128_load(pixels + origins[0] + a_tap) : load(a_tap);
      const v128_t b = adjacent ? wasm_v128_load(pixels + origins[0] + b_tap) : load(b_tap);
      const v128_t w = wasm_v128_load(weight);
      const v128_t front = wasm_i8x16_shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      const v128_t back = wasm_i8x16_shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
      sums[0] = wasm_i32x4_add(sums[0], wasm_i32x4_dot_i16x8(wasm_i16x8_extend_low_i8x16(front), w));
      sums[1] = wasm_i32x4_add(sums[1], wasm_i32x4_dot_i16x8(wasm_i16x8_extend_high_i8x16(front), w));
      sums[2] = wasm_i32x4_add(sums[2], wasm_i32x4_dot_i16x8(wasm_i16x8_extend_low_i8x16(back), w));
      sums[3] = wasm_i32x4_add(sums[3], wasm_i32x4_dot_i16x8(wasm_i16x8_extend_high_i8x16(back), w));
    }
    const std::ptrdiff_t index = image.Index(4 * block, pixel);
    if (image.Pixels() == 1) {
      Store<1>(output, bounds, 4 * block, index, sums);
    } else {
      Store<4>(output, bounds, 4 * block, index, sums);
    }
  }
}

template void DepthwisePairs::Run(const Source&, const Windows&, const Image&, const ByteOutput&, const Threads&) const;
template void DepthwisePairs::Run(const Source&, const Windows&, const Image&, const FloatOutput&,
                                  const Threads&) const;

bool DepthwiseRows::Supports(const ConvGeometry& g) {
  return KDEQUANT_HAS_RELAXED && g.IsDepthwise() && g.dilations[0] == 1 && g.dilations[1] == 1 &&
         std::ranges::all_of(g.pads, [](std::ptrdiff_t pad) { return pad >= 0; });
}

Result<DepthwiseRows> DepthwiseRows::Create(const ConvGeometry& geometry, const IntegerWeights& weights,
                                            Arithmetic arithmetic) {
  DepthwiseRows made;
  const ConvGeometry& g = geometry;
  made.geometry_ = g;
  made.arithmetic_ = arithmetic;
  made.rows_ = g.strides[0] == 1 ? 2 : 1;
  made.groups_ = ((made.rows_ - 1) * g.strides[0] + g.kernel[0] + 3) / 4;
  made.line_width_ = std::max(g.input.width + g.pads[1] + g.pads[3],
                              (std::max<std::ptrdiff_t>(g.output.width, 4) - 1) * g.strides[1] + g.kernel[1]);
  auto packed = Zeros<std::int8_t>(g.input.Blocks() * made.rows_ * g.kernel[1] * made.groups_ * 16);
  if (!packed) return Forward(packed);
  made.weights_ = std::move(*packed);
  for (std::ptrdiff_t c = 0; c < g.input.channels; ++c) {
    for (std::ptrdiff_t row = 0; row < made.rows_; ++row) {
      for (std::ptrdiff_t ky = 0; ky < g.kernel[0]; ++ky) {
        const std::ptrdiff_t line = row * g.strides[0] + ky;
        for (std::ptrdiff_t kx = 0; kx < g.kernel[1]; ++kx) {
          const std::ptrdiff_t vector = ((c / 4 * made.rows_ + row) * g.kernel[1] + kx) * made.groups_ + line / 4;
          made.weights_.data()[vector * 16 + c % 4 * 4 + line % 4] =
              weights.values[static_cast<std::size_t>((c * g.kernel[0] + ky) * g.kernel[1] + kx)];
        }
      }
    }
  }
  return made;
}

std::size_t DepthwiseRows::LineBytes() const {
  // The lines, and a row of zero points.
  return static_cast<std::size_t>(groups_ * line_width_ * 16 + (geometry_.input.width + 3) / 4 * 16);
}

#if KDEQUANT_HAS_RELAXED
namespace {

struct AddArithmetic {
  static v128_t Dot(v128_t weights, v128_t x, v128_t sum) { return relaxed::DotAdd(weights, x, sum); }
};
struct PairsArithmetic {
  static v128_t Dot(v128_t weights, v128_t x, v128_t sum) {
    return wasm_i32x4_add(sum, wasm_i32x4_dot_i16x8(relaxed::DotPairs(weights, x), wasm_i16x8_splat(1)));
  }
};

// Up to four pixels; none behind the last is read.
v128_t LoadFour(const std::int8_t* pixels, std::ptrdiff_t count) {
  if (count >= 4) return wasm_v128_load(pixels);
  v128_t bytes = wasm_v128_load32_zero(pixels);
  if (count > 1) bytes = wasm_v128_load32_lane(pixels + 4, bytes, 1);
  if (count > 2) bytes = wasm_v128_load32_lane(pixels + 8, bytes, 2);
  return bytes;
}

// Rows of `width` pixels to a line of columns.
void Interleave(const std::int8_t* const rows[4], std::ptrdiff_t width, std::int8_t* line) {
  for (std::ptrdiff_t x = 0; x < width; x += 4) {
    const std::ptrdiff_t count = width - x;
    const v128_t a = LoadFour(rows[0] + 4 * x, count);
    const v128_t b = LoadFour(rows[1] + 4 * x, count);
    const v128_t c = LoadFour(rows[2] + 4 * x, count);
    const v128_t d = LoadFour(rows[3] + 4 * x, count);
    const v128_t ab = wasm_i8x16_shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    const v128_t cd = wasm_i8x16_shuffle(c, d, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    const v128_t ab2 = wasm_i8x16_shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    const v128_t cd2 = wasm_i8x16_shuffle(c, d, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    const v128_t columns[4] = {wasm_i16x8_shuffle(ab, cd, 0, 8, 1, 9, 2, 10, 3, 11),
                               wasm_i16x8_shuffle(ab, cd, 4, 12, 5, 13, 6, 14, 7, 15),
                               wasm_i16x8_shuffle(ab2, cd2, 0, 8, 1, 9, 2, 10, 3, 11),
                               wasm_i16x8_shuffle(ab2, cd2, 4, 12, 5, 13, 6, 14, 7, 15)};
    for (std::ptrdiff_t i = 0; i < std::min<std::ptrdiff_t>(count, 4); ++i)
      wasm_v128_store(line + 16 * (x + i), columns[i]);
  }
}

}  // namespace

// The input of one step of output rows, interleaved.
struct DepthwiseRows::Lines {
  const ConvGeometry& g;
  std::ptrdiff_t groups;
  std::ptrdiff_t width;
  std::int8_t* lines;
  const std::int8_t* zeros;  // A row of zero points.

  void Fill(const std::int8_t* block, std::ptrdiff_t first_row) const {
    for (std::ptrdiff_t group = 0; group < groups; ++group) {
      const std::int8_t* rows[4];
      for (std::ptrdiff_t i = 0; i < 4; ++i) {
        const std::ptrdiff_t y = first_row + 4 * group + i;
        rows[i] = y < 0 || y >= g.input.height ? zeros : block + 4 * y * g.input.width;
      }
      Interleave(rows, g.input.width, lines + 16 * (group * width + g.pads[1]));
    }
  }
};

// Four output pixels of one row, or of two.
template <typename A, int Rows>
void DepthwiseRows::AddTile(const Lines& lines, const std::int8_t* weights, const std::int8_t* columns,
                            v128_t (&sums)[2][4]) {
  const std::ptrdiff_t step = 16 * lines.g.strides[1];
  const std::ptrdiff_t below = 16 * lines.g.kernel[1] * lines.groups;
  v128_t upper[4] = {sums[0][0], sums[0][1], sums[0][2], sums[0][3]};
  v128_t lower[4] = {sums[1][0], sums[1][1], sums[1][2], sums[1][3]};
  for (std::ptrdiff_t kx = 0; kx < lines.g.kernel[1]; ++kx) {
    const std::int8_t* column = columns + 16 * kx;
    KDEQUANT_NO_UNROLL
    for (std::ptrdiff_t group = 0; group < lines.groups; ++group, weights += 16, column += 16 * lines.width) {
      const v128_t first = wasm_v128_load(weights);
      const v128_t second = Rows == 2 ? wasm_v128_load(weights + below) : first;
      for (int p = 0; p < 4; ++p) {
        const v128_t x = wasm_v128_load(column + p * step);
        upper[p] = A::Dot(first, x, upper[p]);
        if constexpr (Rows == 2) lower[p] = A::Dot(second, x, lower[p]);
      }
    }
  }
  for (int p = 0; p < 4; ++p) {
    sums[0][p] = upper[p];
    sums[1][p] = lower[p];
  }
}

template <typename A, typename Output>
void DepthwiseRows::RunWith(const std::int8_t* input, std::int32_t zero_point, const Output& output, std::byte* scratch,
                            const Threads& threads) const {
  threads.Cut(geometry_.input.Blocks(), 1, [&](Stretch blocks, int thread) {
    auto* const lines = reinterpret_cast<std::int8_t*>(scratch) + static_cast<std::size_t>(thread) * LineBytes();
    // Padding left, right and behind, and rows outside: written once, never overwritten.
    std::memset(lines, zero_point, LineBytes());
    const Lines input_lines{geometry_, groups_, line_width_, lines, lines + groups_ * line_width_ * 16};
    for (std::ptrdiff_t block = blocks.begin; block < blocks.end; ++block)
      RunBlock<A>(input_lines, input, output, block);
  });
}

template <typename A, typename Output>
void DepthwiseRows::RunBlock(const Lines& input_lines, const std::int8_t* input, const Output& output,
                             std::ptrdiff_t block) const {
  const ConvGeometry& g = geometry_;
  const VectorBounds bounds = MakeStore(output);
  const std::int8_t* const lines = input_lines.lines;
  const std::ptrdiff_t column_step = 16 * g.strides[1];
  const std::ptrdiff_t row_vectors = g.kernel[1] * groups_;
  const std::int8_t* const weights = weights_.data() + block * rows_ * row_vectors * 16;
  const v128_t start = wasm_v128_load(output.rows.start + 4 * block);
  for (std::ptrdiff_t oy = 0; oy < g.output.height; oy += rows_) {
    input_lines.Fill(input + block * g.input.BlockStride(), oy * g.strides[0] - g.pads[0]);
    const bool both = rows_ == 2 && oy + 1 < g.output.height;
    for (std::ptrdiff_t tile = 0; tile < g.output.width; tile += 4) {
      // The last tile of a row reaches back over the one before it.
      const std::ptrdiff_t ox = std::max<std::ptrdiff_t>(0, std::min(tile, g.output.width - 4));
      v128_t sums[2][4] = {{start, start, start, start}, {start, start, start, start}};
      if (both) {
        AddTile<A, 2>(input_lines, weights, lines + ox * column_step, sums);
      } else {
        AddTile<A, 1>(input_lines, weights, lines + ox * column_step, sums);
      }
      for (std::ptrdiff_t row = 0; row < (both ? 2 : 1); ++row) {
        const std::ptrdiff_t index = g.output.Index(4 * block, (oy + row) * g.output.width + ox);
        if (g.output.width >= 4) {
          Store<4>(output, bounds, 4 * block, index, sums[row]);
        } else {
          for (std::ptrdiff_t p = 0; p < g.output.width; ++p)
            Store<1>(output, bounds, 4 * block, index + 4 * p, sums[row] + p);
        }
      }
    }
  }
}

template <typename Output>
void DepthwiseRows::Run(const std::int8_t* input, std::int32_t zero_point, const Output& output, std::byte* scratch,
                        const Threads& threads) const {
  if (arithmetic_ == Arithmetic::kRelaxedAdd)
    return RunWith<AddArithmetic>(input, zero_point, output, scratch, threads);
  RunWith<PairsArithmetic>(input, zero_point, output, scratch, threads);
}
#else
template <typename Output>
void DepthwiseRows::Run(const std::int8_t*, std::int32_t, const Output&, std::byte*, const Threads&) const {}
#endif

template void DepthwiseRows::Run(const std::int8_t*, std::int32_t, const ByteOutput&, std::byte*, const Threads&) const;
template void DepthwiseRows::Run(const std::int8_t*, std::int32_t, const FloatOutput&, std::byte*,
                                 const Threads&) const;

}  // namespace kdequant::w4a8
