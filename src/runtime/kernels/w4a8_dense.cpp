#include "kernels/w4a8_dense.h"

#include <algorithm>
#include <chrono>

#include "kernels/conv_f32.h"
#include "kernels/relaxed.h"
#include "kernels/w4a8_winograd.h"

namespace kdequant::w4a8 {
namespace {

constexpr std::int32_t kShift = 64;  // Of relaxed weights, into 0..127.

// Decoded weights that are kept at once while a band of pixels stays in the first-level cache, both in bytes.
constexpr std::size_t kDecodedLimit = 256 * 1024;
constexpr std::ptrdiff_t kBandBytes = 64 * 1024;

constexpr auto kRows = static_cast<std::ptrdiff_t>(kPanelRows);

bool HasRelaxedCodes(const IntegerWeights& weights) {
  const auto fits = [](std::int8_t code) { return code >= -kShift && code < kShift; };
  return std::ranges::all_of(weights.table, fits) && (weights.has_table || std::ranges::all_of(weights.values, fits));
}

// Four channels of output, four pixels; twice.
struct Tile {
  v128_t low[4];
  v128_t high[4];
};

// Four pixels by 8 channels; Spacing as of SpacingOf. Four loads that spread 4 bytes to all lanes cost less than one
// load and four shuffles: the multiplications need the ports that shuffles would take.
template <typename Arithmetic, int Spacing>
void MultiplyStep(Tile& tile, const std::int8_t* const* pixels, std::ptrdiff_t offset, const std::int8_t* step) {
  const v128_t low = wasm_v128_load(step);
  const v128_t high = wasm_v128_load(step + 16);
  for (int p = 0; p < 4; ++p) {
    const v128_t x = wasm_v128_load32_splat(Spacing > 0 ? pixels[0] + offset + Spacing * p : pixels[p] + offset);
    tile.low[p] = Arithmetic::Dot(x, low, tile.low[p]);
    tile.high[p] = Arithmetic::Dot(x, high, tile.high[p]);
  }
}

// How a step (4 depths of 8 channels) is decoded, and how it is multiplied: in kParts parts of 32 bytes, each of which
// meets 4 bytes of a pixel.
struct PairArithmetic {
  static constexpr bool kShifted = false;
  static constexpr std::ptrdiff_t kParts = 2;
  static constexpr std::ptrdiff_t kStepBytes = 64;

  // 16-bit pairs: depths 0 1 of rows 0..3 and of rows 4..7, then depths 2 3.
  static void Decode(StepBytes bytes, std::int8_t* step) {
    const DepthPairs first = PairsOfBytes(bytes.first);
    const DepthPairs second = PairsOfBytes(bytes.second);
    wasm_v128_store(step, first.even);
    wasm_v128_store(step + 16, second.even);
    wasm_v128_store(step + 32, first.odd);
    wasm_v128_store(step + 48, second.odd);
  }

  static v128_t Dot(v128_t x, v128_t weights, v128_t sum) {
    return wasm_i32x4_add(sum, wasm_i32x4_dot_i16x8(x, weights));
  }

  // One pixel. Each of the four accumulators holds two channels, each in two halves.
  struct Vector {
    v128_t sums[4] = {wasm_i32x4_splat(0), wasm_i32x4_splat(0), wasm_i32x4_splat(0), wasm_i32x4_splat(0)};

    void Step(const std::int8_t* pixel, StepBytes bytes) {
      const v128_t x = wasm_i16x8_extend_low_i8x16(wasm_v128_load32_splat(pixel));
      sums[0] = wasm_i32x4_add(sums[0], wasm_i32x4_dot_i16x8(x, wasm_i16x8_extend_low_i8x16(bytes.first)));
      sums[1] = wasm_i32x4_add(sums[1], wasm_i32x4_dot_i16x8(x, wasm_i16x8_extend_high_i8x16(bytes.first)));
      sums[2] = wasm_i32x4_add(sums[2], wasm_i32x4_dot_i16x8(x, wasm_i16x8_extend_low_i8x16(bytes.second)));
      sums[3] = wasm_i32x4_add(sums[3], wasm_i32x4_dot_i16x8(x, wasm_i16x8_extend_high_i8x16(bytes.second)));
    }
    v128_t Low() const { return Join(sums[0], sums[1]); }
    v128_t High() const { return Join(sums[2], sums[3]); }
    static v128_t Join(v128_t a, v128_t b) {
      return wasm_i32x4_add(wasm_i32x4_shuffle(a, b, 0, 2, 4, 6), wasm_i32x4_shuffle(a, b, 1, 3, 5, 7));
    }
  };
  static v128_t Lookup(v128_t table, v128_t indices) { return wasm_i8x16_swizzle(table, indices); }
};

#if KDEQUANT_HAS_RELAXED
template <bool Add>
struct RelaxedArithmetic {
  static constexpr bool kShifted = true;
  static constexpr std::ptrdiff_t kParts = 1;
  static constexpr std::ptrdiff_t kStepBytes = 32;

  static void Decode(StepBytes bytes, std::int8_t* step) {
    wasm_v128_store(step, bytes.first);
    wasm_v128_store(step + 16, bytes.second);
  }

  static v128_t Dot(v128_t x, v128_t weights, v128_t sum) {
    if constexpr (Add) return relaxed::DotAdd(x, weights, sum);
    return wasm_i32x4_add(sum, wasm_i32x4_dot_i16x8(relaxed::DotPairs(x, weights), wasm_i16x8_splat(1)));
  }

  struct Vector {
    v128_t low = wasm_i32x4_splat(0);
    v128_t high = wasm_i32x4_splat(0);

    void Step(const std::int8_t* pixel, StepBytes bytes) {
      const v128_t x = wasm_v128_load32_splat(pixel);
      low = Dot(x, bytes.first, low);
      high = Dot(x, bytes.second, high);
    }
    v128_t Low() const { return low; }
    v128_t High() const { return high; }
  };
  static v128_t Lookup(v128_t table, v128_t indices) { return relaxed::Lookup(table, indices); }
};
#endif

// The two vectors of a packed step, as codes or (shifted) as codes + 64.
template <typename A, bool Nibbles>
StepBytes Unpack(const std::uint8_t* step, v128_t table) {
  if constexpr (Nibbles) {
    const v128_t pairs = wasm_v128_load(step);
    return {A::Lookup(table, wasm_v128_and(pairs, wasm_i8x16_splat(0x0f))), A::Lookup(table, wasm_u8x16_shr(pairs, 4))};
  } else {
    const v128_t shift = wasm_i8x16_splat(A::kShifted ? kShift : 0);
    return {wasm_i8x16_add(wasm_v128_load(step), shift), wasm_i8x16_add(wasm_v128_load(step + 16), shift)};
  }
}

template <typename A>
v128_t Table(const PackedWeights& weights) {
  return wasm_i8x16_add(wasm_v128_load(weights.table.data()), wasm_i8x16_splat(A::kShifted ? kShift : 0));
}

template <typename A, bool Nibbles>
void DecodePanel(const PackedWeights& weights, std::size_t panel, std::int8_t* decoded) {
  const std::uint8_t* step = weights.Panel(panel);
  const v128_t table = Table<A>(weights);
  KDEQUANT_NO_UNROLL
  for (std::size_t i = 0; i < weights.steps; ++i, decoded += A::kStepBytes, step += Nibbles ? 16 : 32) {
    A::Decode(Unpack<A, Nibbles>(step, table), decoded);
  }
}

// The four bytes of each of four pixels.
template <bool Adjacent>
v128_t LoadPixels(const std::int8_t* const* pixels, std::ptrdiff_t offset) {
  if constexpr (Adjacent) return wasm_v128_load(pixels[0] + offset);
  v128_t bytes = wasm_v128_load32_zero(pixels[0] + offset);
  bytes = wasm_v128_load32_lane(pixels[1] + offset, bytes, 1);
  bytes = wasm_v128_load32_lane(pixels[2] + offset, bytes, 2);
  return wasm_v128_load32_lane(pixels[3] + offset, bytes, 3);
}

// Calls visit(pixels, offset) for every tap and block of the windows at four origins. `blocks`: of 4 bytes a pixel.
template <typename Visit>
void ForEachStep(const Source& source, const Windows& windows, std::ptrdiff_t blocks, const std::int32_t* origins,
                 Visit visit) {
  const auto at_tap = [&](std::int32_t tap, auto then) {
    const std::int8_t* const first = source.pixels + tap;
    const std::int8_t* const pixels[4] = {first + origins[0], first + origins[1], first + origins[2],
                                          first + origins[3]};
    then(pixels);
  };
  if (blocks == 1) {  // First layers: no loop in the loop.
    KDEQUANT_NO_UNROLL
    for (const std::int32_t tap : windows.taps) at_tap(tap, [&](const auto& pixels) { visit(pixels, 0); });
    return;
  }
  for (const std::int32_t tap : windows.taps) {
    at_tap(tap, [&](const auto& pixels) {
      std::ptrdiff_t offset = 0;
      KDEQUANT_NO_UNROLL
      for (std::ptrdiff_t block = 0; block < blocks; ++block, offset += source.block_stride) {
        visit(pixels, offset);
      }
    });
  }
}

// -64 times the sums of the windows at four origins. (Builds without relaxed arithmetic need none.)
[[maybe_unused]] v128_t SumWindows(const Source& source, const Windows& windows, const std::int32_t* origins) {
  v128_t sums = wasm_i32x4_splat(0);
  const auto add = [&](v128_t bytes) {
    sums = wasm_i32x4_add(sums, wasm_i32x4_extadd_pairwise_i16x8(wasm_i16x8_extadd_pairwise_i8x16(bytes)));
  };
  if (SpacingOf(origins) == 4) {
    ForEachStep(source, windows, windows.blocks, origins,
                [&](const auto& p, std::ptrdiff_t at) { add(LoadPixels<true>(p, at)); });
  } else {
    ForEachStep(source, windows, windows.blocks, origins,
                [&](const auto& p, std::ptrdiff_t at) { add(LoadPixels<false>(p, at)); });
  }
  return wasm_i32x4_mul(sums, wasm_i32x4_splat(-kShift));
}

// The source as 16-bit pairs of channels, 4 bytes a pixel as before: twice as many blocks. `blocks`: of the source.
Source Widen(const Source& source, std::ptrdiff_t blocks, std::byte* scratch, const Threads& threads) {
  auto* const widened = reinterpret_cast<std::int8_t*>(scratch);
  threads.Cut(blocks, 1, [&](Stretch some, int) {
    for (std::ptrdiff_t block = some.begin; block < some.end; ++block) {
      const std::int8_t* const from = source.pixels + block * source.block_stride;
      std::int8_t* const even = widened + 2 * block * source.block_stride;
      std::int8_t* const odd = even + source.block_stride;
      std::ptrdiff_t at = 0;
      for (; at + 16 <= source.block_stride; at += 16) {
        const DepthPairs pairs = PairsOfBytes(wasm_v128_load(from + at));
        wasm_v128_store(even + at, pairs.even);
        wasm_v128_store(odd + at, pairs.odd);
      }
      for (; at < source.block_stride; at += 4) {
        const v128_t pixel = wasm_i16x8_extend_low_i8x16(wasm_v128_load32_zero(from + at));
        wasm_v128_store32_lane(even + at, pixel, 0);
        wasm_v128_store32_lane(odd + at, pixel, 1);
      }
    }
  });
  return {widened, source.block_stride};
}

std::size_t WidenedBytes(std::ptrdiff_t blocks, std::ptrdiff_t source_stride) {
  // Vector loads of a window may reach 15 bytes past the last pixel.
  return RoundUp(static_cast<std::size_t>(2 * blocks * source_stride) + 16, 16);
}

template <typename A>
struct Run {
  const Source& source;
  const Windows& windows;
  const PackedWeights& weights;
  std::ptrdiff_t channel;       // The group's first.
  std::ptrdiff_t block_stride;  // Of the output.

  std::ptrdiff_t Rows() const { return static_cast<std::ptrdiff_t>(weights.rows); }

  template <typename Output>
  void Put(const Output& output, const VectorBounds& bounds, std::ptrdiff_t row, std::ptrdiff_t pixel,
           const Tile& tile) const {
    const std::ptrdiff_t index = (channel + row) / 4 * block_stride + 4 * pixel;
    Store<4>(output, bounds, channel + row, index, tile.low);
    if (row + 4 < Rows()) Store<4>(output, bounds, channel + row + 4, index + block_stride, tile.high);
  }

  template <int Spacing>
  void Multiply(const std::int32_t* origins, const std::int8_t* decoded, Tile& tile) const {
    ForEachStep(source, windows, windows.blocks * A::kParts, origins, [&](const auto& pixels, std::ptrdiff_t offset) {
      MultiplyStep<A, Spacing>(tile, pixels, offset, decoded);
      decoded += A::kStepBytes / A::kParts;
    });
  }

  // A panel over pixels [begin, end), both multiples of four.
  template <typename Output>
  void Panel(const Output& output, const VectorBounds& bounds, std::ptrdiff_t row, const std::int8_t* decoded,
             const std::int32_t* corrections, std::ptrdiff_t begin, std::ptrdiff_t end) const {
    for (std::ptrdiff_t pixel = begin; pixel < end; pixel += 4) {
      const v128_t low = wasm_v128_load(output.rows.start + channel + row);
      const v128_t high = wasm_v128_load(output.rows.start + channel + row + 4);
      Tile tile;
      for (int p = 0; p < 4; ++p) {
        tile.low[p] = low;
        tile.high[p] = high;
        if constexpr (A::kShifted) {
          const v128_t correction = wasm_v128_load32_splat(corrections + pixel + p);
          tile.low[p] = wasm_i32x4_add(low, correction);
          tile.high[p] = wasm_i32x4_add(high, correction);
        }
      }
      const std::int32_t* const origins = windows.origins.data() + pixel;
      switch (SpacingOf(origins)) {
        case 4: Multiply<4>(origins, decoded, tile); break;
        case 8: Multiply<8>(origins, decoded, tile); break;
        case 16: Multiply<16>(origins, decoded, tile); break;
        default: Multiply<0>(origins, decoded, tile);
      }
      Put(output, bounds, row, pixel, tile);
    }
  }

  std::ptrdiff_t PanelBytes() const { return static_cast<std::ptrdiff_t>(weights.steps) * A::kStepBytes; }

  // What one thread computes: some panels of some pixels (between multiples of four), decoding `at_once` panels into
  // `decoded`.
  template <bool Nibbles, typename Output>
  void Compute(const Output& output, Stretch panels, Stretch pixels, std::ptrdiff_t at_once,
               const std::int32_t* corrections, std::int8_t* decoded) const {
    const VectorBounds bounds = MakeStore(output);
    const std::ptrdiff_t depth = static_cast<std::ptrdiff_t>(weights.steps) * 4;
    const std::ptrdiff_t band =
        at_once > 1 ? std::max<std::ptrdiff_t>(16, kBandBytes / depth / 4 * 4) : pixels.end - pixels.begin;
    for (std::ptrdiff_t first = panels.begin; first < panels.end; first += at_once) {
      const std::ptrdiff_t last = std::min(first + at_once, panels.end);
      for (std::ptrdiff_t panel = first; panel < last; ++panel)
        DecodePanel<A, Nibbles>(weights, static_cast<std::size_t>(panel), decoded + (panel - first) * PanelBytes());
      for (std::ptrdiff_t begin = pixels.begin; begin < pixels.end; begin += band) {
        for (std::ptrdiff_t panel = first; panel < last; ++panel) {
          Panel(output, bounds, panel * kRows, decoded + (panel - first) * PanelBytes(), corrections, begin,
                std::min(begin + band, pixels.end));
        }
      }
    }
  }

  template <bool Nibbles, typename Output>
  void Image(const Output& output, std::ptrdiff_t at_once, std::byte* scratch, const Threads& threads) const {
    const auto pixels = static_cast<std::ptrdiff_t>(windows.origins.size());
    const auto panels = static_cast<std::ptrdiff_t>(weights.Panels());
    auto* const corrections = reinterpret_cast<std::int32_t*>(scratch);
    auto* const decoded = reinterpret_cast<std::int8_t*>(scratch) + 4 * pixels;
    const auto correct = [&](Stretch some_pixels) {
      for (std::ptrdiff_t i = some_pixels.begin; i < some_pixels.end; i += 4)
        wasm_v128_store(corrections + i, SumWindows(source, windows, windows.origins.data() + i));
    };
    const auto compute = [&](Stretch some_panels, Stretch some_pixels, int thread) {
      Compute<Nibbles>(output, some_panels, some_pixels, at_once, corrections,
                       decoded + thread * at_once * PanelBytes());
    };
    // Where pixels are few, decoding all panels for them takes longer: panels, if they can be shared out evenly.
    if (runtime::AreManyPixels(pixels, threads) || !threads.CutWell(panels, pixels / 4)) {
      threads.Cut(pixels, 4, [&](Stretch stretch, int thread) {
        if constexpr (A::kShifted) correct(stretch);
        compute({0, panels}, stretch, thread);
      });
    } else {
      if constexpr (A::kShifted) threads.Cut(pixels, 4, [&](Stretch stretch, int) { correct(stretch); });
      threads.Cut(panels, 1, [&](Stretch stretch, int thread) { compute(stretch, {0, pixels}, thread); });
    }
  }

  // One pixel: every weight is used once, and decoded where it is.
  template <bool Nibbles, typename Output>
  void Vector(const Output& output, std::size_t first_panel, std::size_t last_panel) const {
    const VectorBounds bounds = MakeStore(output);
    const v128_t table = Table<A>(weights);
    v128_t correction = wasm_i32x4_splat(0);
    // The only origin stands four times.
    if constexpr (A::kShifted) correction = SumWindows(source, windows, windows.origins.data());
    constexpr std::ptrdiff_t kStep = Nibbles ? 16 : 32;
    for (std::size_t panel = first_panel; panel < last_panel; panel += 2) {
      // Two panels share the loads of x; the last one may stand twice.
      const std::uint8_t* a = weights.Panel(panel);
      const std::uint8_t* b = weights.Panel(std::min(panel + 1, weights.Panels() - 1));
      typename A::Vector first;
      typename A::Vector second;
      for (const std::int32_t tap : windows.taps) {
        const std::int8_t* pixel = source.pixels + windows.origins[0] + tap;
        KDEQUANT_NO_UNROLL
        for (std::ptrdiff_t block = 0; block < windows.blocks;
             ++block, pixel += source.block_stride, a += kStep, b += kStep) {
          first.Step(pixel, Unpack<A, Nibbles>(a, table));
          second.Step(pixel, Unpack<A, Nibbles>(b, table));
        }
      }
      const v128_t sums[4] = {first.Low(), first.High(), second.Low(), second.High()};
      for (int i = 0; i < 4; ++i) {
        const std::ptrdiff_t row = static_cast<std::ptrdiff_t>(panel * kPanelRows) + 4 * i;
        if (row >= Rows()) break;
        const v128_t start = wasm_i32x4_add(wasm_v128_load(output.rows.start + channel + row), correction);
        const v128_t total = wasm_i32x4_add(start, sums[i]);
        Store<1>(output, bounds, channel + row, (channel + row) / 4 * block_stride, &total);
      }
    }
  }

  template <bool Nibbles, typename Output>
  void Any(const Output& output, std::size_t at_once, std::byte* scratch, const Threads& threads) const {
    if (windows.pixels != 1) return Image<Nibbles>(output, static_cast<std::ptrdiff_t>(at_once), scratch, threads);
    threads.Cut(static_cast<std::ptrdiff_t>(weights.Panels()), 2, [&](Stretch panels, int) {
      Vector<Nibbles>(output, static_cast<std::size_t>(panels.begin), static_cast<std::size_t>(panels.end));
    });
  }
};

std::ptrdiff_t StepBytesOf(Arithmetic arithmetic) { return arithmetic == Arithmetic::kPairs ? 64 : 32; }

// Of a dense group: taps outermost, then blocks of four channels.
std::vector<std::size_t> StepOrder(std::ptrdiff_t channels, std::ptrdiff_t taps) {
  std::vector<std::size_t> order;
  for (std::ptrdiff_t tap = 0; tap < taps; ++tap) {
    for (std::ptrdiff_t c = 0; c < (channels + 3) / 4 * 4; ++c) {
      order.push_back(c < channels ? static_cast<std::size_t>(c * taps + tap) : kNoDepth);
    }
  }
  return order;
}

}  // namespace

Result<Dense> Dense::Create(const IntegerWeights& weights, std::size_t first, std::size_t count,
                            std::ptrdiff_t channels, std::ptrdiff_t taps, Arithmetic arithmetic) {
  Dense made;
  made.arithmetic_ = KDEQUANT_HAS_RELAXED && HasRelaxedCodes(weights) ? arithmetic : Arithmetic::kPairs;
  auto packed = Pack(weights, first, count, StepOrder(channels, taps), {});
  if (!packed) return Forward(packed);
  made.weights_ = std::move(*packed);
  return made;
}

std::size_t Dense::PanelsAtOnce(const Windows& windows) const {
  const std::size_t panel = weights_.steps * static_cast<std::size_t>(StepBytesOf(arithmetic_));
  if (windows.pixels == 1) return 0;
  return weights_.Panels() * panel <= kDecodedLimit ? weights_.Panels() : 1;
}

bool Dense::UsesWinograd(const Windows& windows) const {
  return arithmetic_ != Arithmetic::kRelaxedAdd && WinogradPays(windows, weights_.rows);
}

bool Dense::Widens(const Windows& windows) const { return arithmetic_ == Arithmetic::kPairs && windows.pixels != 1; }

std::size_t Dense::ScratchBytes(const Windows& windows, std::ptrdiff_t source_stride, int threads) const {
  if (UsesWinograd(windows)) return WinogradScratchBytes(windows, weights_.rows, threads);
  return (Widens(windows) ? WidenedBytes(windows.blocks, source_stride) : 0) +
         windows.origins.size() * sizeof(std::int32_t) +
         static_cast<std::size_t>(threads) * PanelsAtOnce(windows) * weights_.steps *
             static_cast<std::size_t>(StepBytesOf(arithmetic_));
}

template <typename Output>
void Dense::RunAny(const Source& source, const Windows& windows, std::ptrdiff_t channel, std::ptrdiff_t block_stride,
                   const Output& output, std::byte* scratch, const Threads& threads) const {
  if (UsesWinograd(windows)) {
    return RunWinograd(source, windows, weights_, channel, block_stride, output, scratch, threads);
  }
  Source read = source;
  if (Widens(windows)) {
    read = Widen(source, windows.blocks, scratch, threads);
    scratch += WidenedBytes(windows.blocks, source.block_stride);
  }
  const auto run = [&]<typename A>(A) {
    const w4a8::Run<A> job{read, windows, weights_, channel, block_stride};
    if (weights_.nibbles) {
      job.template Any<true>(output, PanelsAtOnce(windows), scratch, threads);
    } else {
      job.template Any<false>(output, PanelsAtOnce(windows), scratch, threads);
    }
  };
#if KDEQUANT_HAS_RELAXED
  if (arithmetic_ == Arithmetic::kRelaxedAdd) return run(RelaxedArithmetic<true>{});
  if (arithmetic_ == Arithmetic::kRelaxedPairs) return run(RelaxedArithmetic<false>{});
#endif
  run(PairArithmetic{});
}

void Dense::Run(const Source& source, const Windows& windows, std::ptrdiff_t channel, std::ptrdiff_t block_stride,
                const ByteOutput& output, std::byte* scratch, const Threads& threads) const {
  RunAny(source, windows, channel, block_stride, output, scratch, threads);
}
void Dense::Run(const Source& source, const Windows& windows, std::ptrdiff_t channel, std::ptrdiff_t block_stride,
                const FloatOutput& output, std::byte* scratch, const Threads& threads) const {
  RunAny(source, windows, channel, block_stride, output, scratch, threads);
}

}  // namespace kdequant::w4a8
