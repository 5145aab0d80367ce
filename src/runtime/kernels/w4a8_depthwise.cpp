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

KDEQUANT_SMALL Result<DepthwisePairs> DepthwisePairs::Create(const IntegerWeights& weights, std::ptrdiff_t channels,
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
  const ByteBounds bounds = MakeStore(output);
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
    const bool adjacent = AreSideBySide(origins);
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
  return g.IsDepthwise() && g.dilations[0] == 1 && g.dilations[1] == 1 &&
         std::ranges::all_of(g.pads, [](std::ptrdiff_t pad) { return pad >= 0; });
}

KDEQUANT_SMALL Result<DepthwiseRows> DepthwiseRows::Create(const ConvGeometry& geometry, const IntegerWeights& weights,
                                                           bool seven_bits, Arithmetic arithmetic) {
  DepthwiseRows made;
  const ConvGeometry& g = geometry;
  made.geometry_ = g;
  made.four_rows_ = KDEQUANT_HAS_RELAXED && seven_bits && arithmetic == Arithmetic::kRelaxedAdd;
  const std::ptrdiff_t line_rows = made.four_rows_ ? 4 : 2;
  made.rows_ = g.strides[0] == 1 && g.strides[1] == 1 ? 2 : 1;
  made.lines_ = ((made.rows_ - 1) * g.strides[0] + g.kernel[0] + line_rows - 1) / line_rows;
  made.line_width_ = std::max(g.input.width + g.pads[1] + g.pads[3],
                              (std::max<std::ptrdiff_t>(g.output.width, 4) - 1) * g.strides[1] + g.kernel[1]);
  auto packed = Zeros<std::int8_t>(g.input.Blocks() * made.lines_ * g.kernel[1] * made.rows_ * 16);
  if (!packed) return Forward(packed);
  made.weights_ = std::move(*packed);
  for (std::ptrdiff_t c = 0; c < g.input.channels; ++c) {
    for (std::ptrdiff_t row = 0; row < made.rows_; ++row) {
      for (std::ptrdiff_t ky = 0; ky < g.kernel[0]; ++ky) {
        const std::ptrdiff_t input_row = row * g.strides[0] + ky;
        for (std::ptrdiff_t kx = 0; kx < g.kernel[1]; ++kx) {
          const std::ptrdiff_t column = (c / 4 * made.lines_ + input_row / line_rows) * g.kernel[1] + kx;
          std::int8_t* const vector = made.weights_.data() + (column * made.rows_ + row) * 16;
          const std::ptrdiff_t lane = c % 4 * line_rows + input_row % line_rows;
          const std::int8_t weight =
              weights.values[static_cast<std::size_t>((c * g.kernel[0] + ky) * g.kernel[1] + kx)];
          if (made.four_rows_) {
            vector[lane] = weight;
          } else {
            const std::int16_t wide{weight};
            std::memcpy(vector + 2 * lane, &wide, sizeof(wide));
          }
        }
      }
    }
  }
  return made;
}

std::size_t DepthwiseRows::LineBytes() const {
  // The lines, and a row of zero points.
  return static_cast<std::size_t>(lines_ * line_width_ * 16 + (geometry_.input.width + 3) / 4 * 16);
}

namespace {

// Bytes of a and b in turn: of the first two pixels, and of the last two.
v128_t InterleaveFront(v128_t a, v128_t b) {
  return wasm_i8x16_shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}
v128_t InterleaveBack(v128_t a, v128_t b) {
  return wasm_i8x16_shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

// Up to four columns.
void StoreColumns(v128_t a, v128_t b, v128_t c, v128_t d, std::ptrdiff_t count, std::int8_t* line) {
  wasm_v128_store(line, a);
  if (count > 1) wasm_v128_store(line + 16, b);
  if (count > 2) wasm_v128_store(line + 32, c);
  if (count > 3) wasm_v128_store(line + 48, d);
}

// What a line is made of, and how it is multiplied.
struct TwoRows {
  static constexpr int kRows = 2;

  static v128_t Dot(v128_t weights, v128_t x, v128_t sum) {
    return wasm_i32x4_add(sum, wasm_i32x4_dot_i16x8(x, weights));
  }

  // Up to four columns.
  static void Interleave(const std::int8_t* const* rows, std::ptrdiff_t at, std::ptrdiff_t count, std::int8_t* line) {
    const v128_t a = LoadFour(rows[0] + at, count);
    const v128_t b = LoadFour(rows[1] + at, count);
    const v128_t front = InterleaveFront(a, b);
    const v128_t back = InterleaveBack(a, b);
    StoreColumns(wasm_i16x8_extend_low_i8x16(front), wasm_i16x8_extend_high_i8x16(front),
                 wasm_i16x8_extend_low_i8x16(back), wasm_i16x8_extend_high_i8x16(back), count, line);
  }
};

#if KDEQUANT_HAS_RELAXED
struct FourRows {
  static constexpr int kRows = 4;

  static v128_t Dot(v128_t weights, v128_t x, v128_t sum) { return relaxed::DotAdd(weights, x, sum); }

  static void Interleave(const std::int8_t* const* rows, std::ptrdiff_t at, std::ptrdiff_t count, std::int8_t* line) {
    const v128_t a = LoadFour(rows[0] + at, count);
    const v128_t b = LoadFour(rows[1] + at, count);
    const v128_t c = LoadFour(rows[2] + at, count);
    const v128_t d = LoadFour(rows[3] + at, count);
    const v128_t ab = InterleaveFront(a, b);
    const v128_t cd = InterleaveFront(c, d);
    const v128_t ab2 = InterleaveBack(a, b);
    const v128_t cd2 = InterleaveBack(c, d);
    StoreColumns(wasm_i16x8_shuffle(ab, cd, 0, 8, 1, 9, 2, 10, 3, 11),
                 wasm_i16x8_shuffle(ab, cd, 4, 12, 5, 13, 6, 14, 7, 15),
                 wasm_i16x8_shuffle(ab2, cd2, 0, 8, 1, 9, 2, 10, 3, 11),
                 wasm_i16x8_shuffle(ab2, cd2, 4, 12, 5, 13, 6, 14, 7, 15), count, line);
  }
};
#endif

}  // namespace

// The input of one step of output rows, interleaved. Lines stand in a ring: what the next step still needs stays.
struct DepthwiseRows::Lines {
  const ConvGeometry& g;
  std::ptrdiff_t count;
  std::ptrdiff_t width;
  std::int8_t* start;
  const std::int8_t* zeros;  // A row of zero points.
  std::ptrdiff_t first = 0;  // Of the ring.

  std::int8_t* Line(std::ptrdiff_t i) const {
    const std::ptrdiff_t at = first + i;  // Divisions take as long as a pixel.
    return start + (at < count ? at : at - count) * 16 * width;
  }

  // Makes the last `fresh` lines; `first_row` is that of the first line.
  template <typename A>
  void Fill(const std::int8_t* block, std::ptrdiff_t first_row, std::ptrdiff_t fresh) const {
    for (std::ptrdiff_t line = count - fresh; line < count; ++line) {
      const std::int8_t* rows[A::kRows];
      for (std::ptrdiff_t i = 0; i < A::kRows; ++i) {
        const std::ptrdiff_t y = first_row + A::kRows * line + i;
        rows[i] = y < 0 || y >= g.input.height ? zeros : block + 4 * y * g.input.width;
      }
      std::int8_t* const columns = Line(line) + 16 * g.pads[1];
      std::ptrdiff_t x = 0;
      for (; x + 4 <= g.input.width; x += 4) A::Interleave(rows, 4 * x, 4, columns + 16 * x);
      if (x < g.input.width) A::Interleave(rows, 4 * x, g.input.width - x, columns + 16 * x);
    }
  }
};

// One output row, or two, four pixels at a time; their sums stay in registers until they are bytes. Stride: 1, or 0
// for any.
template <typename A, int Rows, int Stride, typename Output>
void DepthwiseRows::RunRow(const Lines& lines, const Output& output, std::ptrdiff_t block, std::ptrdiff_t oy) const {
  const ConvGeometry& g = geometry_;
  const ByteBounds bounds = MakeStore(output);
  const std::ptrdiff_t step = 16 * (Stride == 0 ? g.strides[1] : Stride);
  const std::ptrdiff_t columns = g.kernel[1];
  const std::ptrdiff_t weight_step = 16 * rows_;
  const std::ptrdiff_t width = g.output.width;
  const std::int8_t* const first_weights = weights_.data() + block * lines_ * columns * weight_step;
  const v128_t start = wasm_v128_load(output.rows.start + 4 * block);
  for (std::ptrdiff_t tile = 0; tile < width; tile += 4) {
    // The last tile of a row reaches back over the one before it.
    const std::ptrdiff_t ox = std::max<std::ptrdiff_t>(0, std::min(tile, width - 4));
    v128_t upper[4] = {start, start, start, start};
    v128_t lower[4] = {start, start, start, start};
    const std::int8_t* weights = first_weights;
    for (std::ptrdiff_t line = 0; line < lines_; ++line) {
      const std::int8_t* at = lines.Line(line) + ox * step;
      KDEQUANT_NO_UNROLL
      for (std::ptrdiff_t kx = 0; kx < columns; ++kx, at += 16, weights += weight_step) {
        const v128_t first = wasm_v128_load(weights);
        const v128_t second = Rows == 2 ? wasm_v128_load(weights + 16) : first;
        for (int p = 0; p < 4; ++p) {
          const v128_t x = wasm_v128_load(at + p * step);
          upper[p] = A::Dot(first, x, upper[p]);
          if constexpr (Rows == 2) lower[p] = A::Dot(second, x, lower[p]);
        }
      }
    }
    const std::ptrdiff_t index = g.output.Index(4 * block, oy * width + ox);
    if (width >= 4) {
      Store<4>(output, bounds, 4 * block, index, upper);
      if constexpr (Rows == 2) Store<4>(output, bounds, 4 * block, index + 4 * width, lower);
      continue;
    }
    for (std::ptrdiff_t p = 0; p < width; ++p) {
      Store<1>(output, bounds, 4 * block, index + 4 * p, upper + p);
      if constexpr (Rows == 2) Store<1>(output, bounds, 4 * block, index + 4 * (width + p), lower + p);
    }
  }
}

template <typename A, typename Output>
void DepthwiseRows::RunWith(const std::int8_t* input, std::int32_t zero_point, const Output& output, std::byte* scratch,
                            const Threads& threads) const {
  threads.Cut(geometry_.input.Blocks(), 1, [&](Stretch blocks, int thread) {
    auto* const start = reinterpret_cast<std::int8_t*>(scratch) + static_cast<std::size_t>(thread) * LineBytes();
    std::int8_t* const zeros = start + lines_ * line_width_ * 16;
    std::memset(zeros, zero_point, static_cast<std::size_t>((geometry_.input.width + 3) / 4 * 16));
    // Padding left, right and behind: written once, never overwritten.
    if constexpr (A::kRows == 4) {
      std::memset(start, zero_point, static_cast<std::size_t>(zeros - start));
    } else {
      const v128_t wide = wasm_i16x8_splat(static_cast<std::int16_t>(zero_point));
      for (std::int8_t* column = start; column < zeros; column += 16) wasm_v128_store(column, wide);
    }
    Lines lines{geometry_, lines_, line_width_, start, zeros};
    for (std::ptrdiff_t block = blocks.begin; block < blocks.end; ++block) RunBlock<A>(lines, input, output, block);
  });
}

template <typename A, typename Output>
void DepthwiseRows::RunBlock(Lines& lines, const std::int8_t* input, const Output& output, std::ptrdiff_t block) const {
  const ConvGeometry& g = geometry_;
  const std::int8_t* const pixels = input + block * g.input.BlockStride();
  const bool slides = rows_ * g.strides[0] == A::kRows;  // One line on from step to step.
  for (std::ptrdiff_t oy = 0; oy < g.output.height; oy += rows_) {
    const bool keeps = slides && oy > 0;
    if (keeps) lines.first = (lines.first + 1) % lines_;
    lines.template Fill<A>(pixels, oy * g.strides[0] - g.pads[0], keeps ? 1 : lines_);
    const bool both = rows_ == 2 && oy + 1 < g.output.height;
    if (both) {
      RunRow<A, 2, 1>(lines, output, block, oy);
    } else {
      RunRow<A, 1, 0>(lines, output, block, oy);
    }
  }
}

template <typename Output>
void DepthwiseRows::Run(const std::int8_t* input, std::int32_t zero_point, const Output& output, std::byte* scratch,
                        const Threads& threads) const {
#if KDEQUANT_HAS_RELAXED
  if (four_rows_) return RunWith<FourRows>(input, zero_point, output, scratch, threads);
#endif
  RunWith<TwoRows>(input, zero_point, output, scratch, threads);
}

template void DepthwiseRows::Run(const std::int8_t*, std::int32_t, const ByteOutput&, std::byte*, const Threads&) const;
template void DepthwiseRows::Run(const std::int8_t*, std::int32_t, const FloatOutput&, std::byte*,
                                 const Threads&) const;

}  // namespace kdequant::w4a8
