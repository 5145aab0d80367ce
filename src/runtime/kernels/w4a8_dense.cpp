#include "kernels/w4a8_dense.h"

#include <algorithm>
#include <array>
#include <span>

#include "kernels/conv_f32.h"
#include "kernels/w4a8_tile.h"
#include "kernels/w4a8_twins.h"
#include "kernels/w4a8_winograd.h"

namespace kdequant::w4a8 {
namespace {

// Decoded weights that are kept at once while a band of pixels stays in the first-level cache, both in bytes.
constexpr std::size_t kDecodedLimit = 256 * 1024;
constexpr std::ptrdiff_t kBandBytes = 64 * 1024;

constexpr auto kRows = static_cast<std::ptrdiff_t>(kPanelRows);

bool HasRelaxedCodes(const IntegerWeights& weights) {
  const auto fits = [](std::int8_t code) { return code >= -kShift && code < kShift; };
  if (weights.tables.empty()) return std::ranges::all_of(weights.values, fits);
  return std::ranges::all_of(weights.tables, [&](const auto& table) { return std::ranges::all_of(table, fits); });
}

#if KDEQUANT_HAS_RELAXED
// The source with raised bytes. `blocks`: of the source.
Source Raise(const Source& source, std::ptrdiff_t blocks, std::byte* scratch, const Threads& threads) {
  auto* const raised = reinterpret_cast<std::int8_t*>(scratch);
  threads.Cut(blocks * source.block_stride, 16, [&](Stretch bytes, int) {
    std::ptrdiff_t at = bytes.begin;
    for (; at + 16 <= bytes.end; at += 16) wasm_v128_store(raised + at, Raised(wasm_v128_load(source.pixels + at)));
    for (; at < bytes.end; at += 4)
      wasm_v128_store32_lane(raised + at, Raised(wasm_v128_load32_zero(source.pixels + at)), 0);
  });
  return {raised, source.block_stride};
}

// Windows of one tap, raised: tiles of four pixels one after the other, each with 16 bytes a block, so that what is
// multiplied lies as it is read.
void PackTiles(const Source& source, const Windows& windows, Stretch pixels, std::int8_t* tiles) {
  constexpr std::ptrdiff_t kAtOnce = 4;  // Tiles: a line of the cache, where windows lie side by side.
  const std::ptrdiff_t tile_bytes = 16 * windows.blocks;
  for (std::ptrdiff_t first = pixels.begin; first < pixels.end; first += 4 * kAtOnce) {
    const std::ptrdiff_t count = std::min(kAtOnce, (pixels.end - first) / 4);
    const std::int32_t* const origins = windows.origins.data() + first;
    bool adjacent = true;
    for (std::ptrdiff_t tile = 0; tile < count; ++tile) adjacent = adjacent && AreSideBySide(origins + 4 * tile);
    const auto pack = [&]<bool Adjacent>() {
      std::int8_t* target = tiles + first / 4 * tile_bytes;
      const std::int8_t* block = source.pixels + windows.taps[0];
      for (std::ptrdiff_t i = 0; i < windows.blocks; ++i, block += source.block_stride, target += 16) {
        for (std::ptrdiff_t tile = 0; tile < count; ++tile) {
          const std::int32_t* const at = origins + 4 * tile;
          const std::int8_t* const four[4] = {block + at[0], block + at[1], block + at[2], block + at[3]};
          wasm_v128_store(target + tile * tile_bytes, Raised(LoadPixels<Adjacent>(four, 0)));
        }
      }
    };
    if (adjacent) {
      pack.operator()<true>();
    } else {
      pack.operator()<false>();
    }
  }
}
#endif

// -64 times the sums of the windows at four origins, `offsets` from there. (Builds without relaxed arithmetic need
// none.)
[[maybe_unused]] v128_t SumWindows(const Source& source, const std::int32_t* origins,
                                   std::span<const std::int32_t> offsets) {
  const std::int8_t* const pixels[4] = {source.pixels + origins[0], source.pixels + origins[1],
                                        source.pixels + origins[2], source.pixels + origins[3]};
  v128_t sums = wasm_i32x4_splat(0);
  if (AreSideBySide(origins)) {
    for (const std::int32_t offset : offsets) sums = AddUp(sums, LoadPixels<true>(pixels, offset));
  } else {
    for (const std::int32_t offset : offsets) sums = AddUp(sums, LoadPixels<false>(pixels, offset));
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

// The bytes of one pixel in up to four steps, and zeros.
[[gnu::noinline]] v128_t GatherSteps(const std::int8_t* pixel, const std::int32_t* offsets, std::size_t count) {
  v128_t x = wasm_v128_load32_zero(pixel + offsets[0]);
  if (count > 1) x = wasm_v128_load32_lane(pixel + offsets[1], x, 1);
  if (count > 2) x = wasm_v128_load32_lane(pixel + offsets[2], x, 2);
  if (count > 3) x = wasm_v128_load32_lane(pixel + offsets[3], x, 3);
  return x;
}

// In bytes of scratch: a decoded panel; the table of offsets of parts; that of corrections of pixels.
template <typename A>
std::ptrdiff_t PanelBytesOf(std::ptrdiff_t steps) {
#if KDEQUANT_HAS_RELAXED
  if constexpr (A::kRaised) return TwinRoom::Bytes(steps);
#endif
  return steps * 32 * A::kParts;
}
template <typename A>
std::ptrdiff_t OffsetBytesOf(std::size_t steps) {
  return static_cast<std::ptrdiff_t>(RoundUp(steps * A::kParts * sizeof(std::int32_t), 16));
}
template <typename A>
std::ptrdiff_t CorrectionBytesOf(const Windows& windows) {
  return A::kShifted ? static_cast<std::ptrdiff_t>(windows.origins.size() * sizeof(std::int32_t)) : 0;
}

// Windows of one tap are packed for TwinArithmetic, others only raised.
bool PacksTiles(const Windows& windows) { return windows.taps.size() == 1 && windows.pixels != 1; }

// Calls use(A{}) with the type of an arithmetic.
template <typename Use>
auto WithArithmetic([[maybe_unused]] Arithmetic arithmetic, Use use) {
#if KDEQUANT_HAS_RELAXED
  if (arithmetic == Arithmetic::kRelaxedAdd) return use(AddArithmetic{});
  if (arithmetic == Arithmetic::kRelaxedPairs) return use(TwinArithmetic{});
#endif
  return use(PairArithmetic{});
}

// What TwinArithmetic knows of the weights (Dense).
struct Raises {
  const std::vector<bool>& twins;
  const std::vector<std::int32_t>& of_rows;
};

template <typename A>
struct Run {
  const Source& source;  // As `A` wants it: widened or raised.
  const Windows& windows;
  const PackedWeights& weights;
  Raises raises;
  std::ptrdiff_t channel;       // The group's first.
  std::ptrdiff_t block_stride;  // Of the output.
  std::int8_t* tiles;           // Room for PackTiles, or null where windows are read where they lie.

  std::ptrdiff_t Rows() const { return static_cast<std::ptrdiff_t>(weights.rows); }
  std::ptrdiff_t Steps() const { return static_cast<std::ptrdiff_t>(weights.steps); }

  // Where the sums of four rows start.
  template <typename Output>
  v128_t Start(const Output& output, std::ptrdiff_t row) const {
    const v128_t start = wasm_v128_load(output.rows.start + channel + row);
    if constexpr (A::kRaised) return wasm_i32x4_sub(start, wasm_v128_load(raises.of_rows.data() + row));
    return start;
  }

  template <typename Output>
  void Put(const Output& output, const ByteBounds& bounds, std::ptrdiff_t row, std::ptrdiff_t pixel,
           const Tile& tile) const {
    const std::ptrdiff_t index = (channel + row) / 4 * block_stride + 4 * pixel;
    Store<4>(output, bounds, channel + row, index, tile.low);
    if (row + 4 < Rows()) Store<4>(output, bounds, channel + row + 4, index + block_stride, tile.high);
  }

  // What the instructions make of four pixels and a panel.
  template <bool SideBySide>
  [[gnu::always_inline]] static Tile Multiply(FourPixels<SideBySide> pixels, const DecodedPanel& panel,
                                              const Tile& start) {
#if KDEQUANT_HAS_RELAXED
    if constexpr (A::kRaised) return MultiplyTwins(pixels, panel, start);
#endif
    if constexpr (!A::kRaised) return MultiplyParts<A>(pixels, panel, 0, start);
  }

  // Windows where they lie.
  [[gnu::always_inline]] Tile MultiplyWindows(std::ptrdiff_t pixel, const DecodedPanel& panel,
                                              const Tile& start) const {
    const std::int32_t* const origins = windows.origins.data() + pixel;
    if (AreSideBySide(origins)) return Multiply(FourPixels<true>(source.pixels, origins), panel, start);
    return Multiply(FourPixels<false>(source.pixels, origins), panel, start);
  }

  // A panel over pixels [begin, end), both multiples of four.
  template <typename Output>
  [[gnu::noinline]] void Panel(const Output& output, const ByteBounds& bounds, std::ptrdiff_t row,
                               const DecodedPanel& panel, const std::int32_t* corrections, std::ptrdiff_t begin,
                               std::ptrdiff_t end) const {
    const v128_t low = Start(output, row);
    const v128_t high = Start(output, row + 4);
    Tile start{{low, low, low, low}, {high, high, high, high}};
    if constexpr (A::kRaised) {
      if (tiles != nullptr) {
        for (std::ptrdiff_t pixel = begin; pixel < end; pixel += 4) {
          constexpr std::int32_t kFirst[1] = {0};
          const FourPixels<true> pixels(tiles + pixel * 4 * windows.blocks, kFirst);
          Put(output, bounds, row, pixel, Multiply(pixels, panel, start));
        }
        return;
      }
    }
    for (std::ptrdiff_t pixel = begin; pixel < end; pixel += 4) {
      if constexpr (A::kShifted) {
        for (int p = 0; p < 4; ++p) {
          const v128_t correction = wasm_v128_load32_splat(corrections + pixel + p);
          start.low[p] = wasm_i32x4_add(low, correction);
          start.high[p] = wasm_i32x4_add(high, correction);
        }
      }
      Put(output, bounds, row, pixel, MultiplyWindows(pixel, panel, start));
    }
  }

  std::ptrdiff_t PanelBytes() const { return PanelBytesOf<A>(Steps()); }

  void Decode(std::ptrdiff_t panel, [[maybe_unused]] const std::int32_t* offsets, std::int8_t* decoded) const {
    const auto index = static_cast<std::size_t>(panel);
#if KDEQUANT_HAS_RELAXED
    if constexpr (A::kRaised) {
      const TwinRoom room(decoded, Steps());
      DecodeTwins(weights, index, raises.twins.begin() + panel * ((Steps() + 1) / 2), offsets, room);
    }
#endif
    if constexpr (!A::kRaised) DecodePanel<A>(weights, index, decoded);
  }
  DecodedPanel Decoded(std::int8_t* decoded, const std::int32_t* offsets) const {
#if KDEQUANT_HAS_RELAXED
    if constexpr (A::kRaised) return TwinRoom(decoded, Steps()).Panel();
#endif
    return {decoded, offsets, Steps() * A::kParts};
  }

  // What is known before anything is multiplied: where parts are, and -64 times the sum of each pixel's window.
  struct Tables {
    std::int32_t* offsets;
    std::int32_t* corrections;
  };

  // What one thread computes: some panels of some pixels (between multiples of four), decoding `at_once` panels into
  // `decoded`.
  template <typename Output>
  void Compute(const Output& output, Stretch panels, Stretch pixels, std::ptrdiff_t at_once, const Tables& tables,
               std::int8_t* decoded) const {
    const ByteBounds bounds = MakeStore(output);
    const std::ptrdiff_t depth = Steps() * 4;
    const std::ptrdiff_t band =
        at_once > 1 ? std::max<std::ptrdiff_t>(16, kBandBytes / depth / 4 * 4) : pixels.end - pixels.begin;
    for (std::ptrdiff_t first = panels.begin; first < panels.end; first += at_once) {
      const std::ptrdiff_t last = std::min(first + at_once, panels.end);
      const auto room = [&](std::ptrdiff_t panel) { return decoded + (panel - first) * PanelBytes(); };
      for (std::ptrdiff_t panel = first; panel < last; ++panel) Decode(panel, tables.offsets, room(panel));
      for (std::ptrdiff_t begin = pixels.begin; begin < pixels.end; begin += band) {
        for (std::ptrdiff_t panel = first; panel < last; ++panel) {
          Panel(output, bounds, panel * kRows, Decoded(room(panel), tables.offsets), tables.corrections, begin,
                std::min(begin + band, pixels.end));
        }
      }
    }
  }

  // `parts`: of a step, of which each reads a block of the source.
  void FindOffsets(std::int32_t* offsets, std::ptrdiff_t parts) const {
    const bool packed = tiles != nullptr;
    const auto stride = static_cast<std::int32_t>(packed ? 16 : source.block_stride);
    for (const std::int32_t tap : windows.taps) {
      for (std::int32_t block = 0; block < windows.blocks * parts; ++block)
        *offsets++ = (packed ? 0 : tap) + block * stride;
    }
  }

  // What some pixels need before they are multiplied.
  void Prepare(Stretch pixels, const Tables& tables) const {
    if constexpr (A::kShifted) {
      for (std::ptrdiff_t i = pixels.begin; i < pixels.end; i += 4) {
        wasm_v128_store(tables.corrections + i,
                        SumWindows(source, windows.origins.data() + i, {tables.offsets, weights.steps}));
      }
    }
#if KDEQUANT_HAS_RELAXED
    if constexpr (A::kRaised) {
      if (tiles != nullptr) PackTiles(source, windows, pixels, tiles);
    }
#endif
  }

  template <typename Output>
  void Image(const Output& output, std::ptrdiff_t at_once, std::byte* scratch, const Threads& threads) const {
    const auto pixels = static_cast<std::ptrdiff_t>(windows.origins.size());
    const auto panels = static_cast<std::ptrdiff_t>(weights.Panels());
    std::byte* const corrections = scratch + OffsetBytesOf<A>(weights.steps);
    const Tables tables{reinterpret_cast<std::int32_t*>(scratch), reinterpret_cast<std::int32_t*>(corrections)};
    auto* const decoded = reinterpret_cast<std::int8_t*>(corrections) + CorrectionBytesOf<A>(windows);
    FindOffsets(tables.offsets, A::kParts);
    const auto compute = [&](Stretch some_panels, Stretch some_pixels, int thread) {
      Compute(output, some_panels, some_pixels, at_once, tables, decoded + thread * at_once * PanelBytes());
    };
    // Where pixels are few, decoding all panels for them takes longer: panels, if they can be shared out evenly.
    if (runtime::AreManyPixels(pixels, threads) || !threads.CutWell(panels, pixels / 4)) {
      threads.Cut(pixels, 4, [&](Stretch stretch, int thread) {
        Prepare(stretch, tables);
        compute({0, panels}, stretch, thread);
      });
    } else {
      if constexpr (A::kShifted || A::kRaised)
        threads.Cut(pixels, 4, [&](Stretch stretch, int) { Prepare(stretch, tables); });
      threads.Cut(panels, 1, [&](Stretch stretch, int thread) { compute(stretch, {0, pixels}, thread); });
    }
  }

  // One pixel and a panel: the sums of its lower and upper four rows. Not inlined: there once for all outputs.
  // `offsets`: of steps.
  [[gnu::noinline]] void SumPanel(const std::int32_t* offsets, std::size_t panel, v128_t* sums) const {
    const std::int8_t* const pixel = source.pixels + windows.origins[0];
    if (weights.nibbles) return SumRows(pixel, offsets, panel, sums);
    const auto* bytes = reinterpret_cast<const std::int8_t*>(weights.Panel(panel));
    typename A::Vector both;
    KDEQUANT_NO_UNROLL
    for (std::size_t step = 0; step < weights.steps; ++step, bytes += 32)
      both.Step(pixel + offsets[step], Shifted<A>(LoadStep(bytes)));
    sums[0] = both.Low();
    sums[1] = both.High();
  }

  // The same of 4-bit weights, 16 depths of a row at a time, as they are packed.
  [[gnu::always_inline]] void SumRows(const std::int8_t* pixel, const std::int32_t* offsets, std::size_t panel,
                                      v128_t* sums) const {
    const GroupReader groups(weights, panel, A::kShifted ? kShift : 0);
    v128_t parts[kPanelRows];
    for (v128_t& part : parts) part = wasm_i32x4_splat(0);
    // Depths of a fully connected layer lie side by side.
    const bool adjacent = windows.taps.size() == 1 && source.block_stride == 4;
    KDEQUANT_NO_UNROLL
    for (std::size_t step = 0; step < weights.steps; step += kGroupSteps) {
      const std::size_t left = weights.steps - step;
      const v128_t x = adjacent && left >= kGroupSteps ? wasm_v128_load(pixel + offsets[step])
                                                       : GatherSteps(pixel, offsets + step, left);
      for (std::size_t r = 0; r < 4; ++r) {
        const StepBytes rows = groups.Rows(step / kGroupSteps, r);
        parts[r] = A::DotRow(x, rows.first, parts[r]);
        parts[r + 4] = A::DotRow(x, rows.second, parts[r + 4]);
      }
    }
    for (std::size_t half = 0; half < 2; ++half) {
      const v128_t* const of = parts + 4 * half;
      const v128_t a = AddHalves(of[0], of[1]);
      const v128_t b = AddHalves(of[2], of[3]);
      sums[half] = wasm_i32x4_add(wasm_i64x2_shuffle(a, b, 0, 2), wasm_i64x2_shuffle(a, b, 1, 3));
    }
  }

  // a0 + a1, b0 + b1, a2 + a3, b2 + b3.
  static v128_t AddHalves(v128_t a, v128_t b) {
    return wasm_i32x4_add(wasm_i32x4_shuffle(a, b, 0, 4, 2, 6), wasm_i32x4_shuffle(a, b, 1, 5, 3, 7));
  }

  // One pixel: every weight is used once, and decoded where it is.
  template <typename Output>
  void Vector(const Output& output, const std::int32_t* offsets, std::size_t first_panel,
              std::size_t last_panel) const {
    const ByteBounds bounds = MakeStore(output);
    // The only origin stands four times.
    v128_t correction = wasm_i32x4_splat(0);
    if constexpr (A::kShifted) correction = SumWindows(source, windows.origins.data(), {offsets, weights.steps});
    for (std::size_t panel = first_panel; panel < last_panel; ++panel) {
      v128_t sums[2];
      SumPanel(offsets, panel, sums);
      for (int i = 0; i < 2; ++i) {
        const std::ptrdiff_t row = static_cast<std::ptrdiff_t>(panel * kPanelRows) + 4 * i;
        if (row >= Rows()) break;
        const v128_t start = wasm_i32x4_add(Start(output, row), correction);
        const v128_t total = wasm_i32x4_add(start, sums[i]);
        Store<1>(output, bounds, channel + row, (channel + row) / 4 * block_stride, &total);
      }
    }
  }

  template <typename Output>
  void Any(const Output& output, std::size_t at_once, std::byte* scratch, const Threads& threads) const {
    if (windows.pixels != 1) return Image(output, static_cast<std::ptrdiff_t>(at_once), scratch, threads);
    auto* const offsets = reinterpret_cast<std::int32_t*>(scratch);
    FindOffsets(offsets, 1);
    threads.Cut(static_cast<std::ptrdiff_t>(weights.Panels()), 1, [&](Stretch some, int) {
      Vector(output, offsets, static_cast<std::size_t>(some.begin), static_cast<std::size_t>(some.end));
    });
  }
};

// Of a dense group: taps outermost, then blocks of four channels.
KDEQUANT_SMALL std::vector<std::size_t> StepOrder(std::ptrdiff_t channels, std::ptrdiff_t taps) {
  std::vector<std::size_t> order;
  for (std::ptrdiff_t tap = 0; tap < taps; ++tap) {
    for (std::ptrdiff_t c = 0; c < (channels + 3) / 4 * 4; ++c) {
      order.push_back(c < channels ? static_cast<std::size_t>(c * taps + tap) : kNoDepth);
    }
  }
  return order;
}

}  // namespace

KDEQUANT_SMALL Result<Dense> Dense::Create(const IntegerWeights& weights, std::size_t first, std::size_t count,
                                           std::ptrdiff_t channels, std::ptrdiff_t taps, Arithmetic arithmetic) {
  Dense made;
  made.arithmetic_ = KDEQUANT_HAS_RELAXED && HasRelaxedCodes(weights) ? arithmetic : Arithmetic::kPairs;
  auto packed = Pack(weights, first, count, StepOrder(channels, taps), {});
  if (!packed) return Forward(packed);
  made.weights_ = std::move(*packed);
  if (made.arithmetic_ == Arithmetic::kRelaxedPairs) made.FindTwins();
  return made;
}

// Of kRelaxedPairs.
KDEQUANT_SMALL void Dense::FindTwins() {
#if KDEQUANT_HAS_RELAXED
  for (std::size_t panel = 0; panel < weights_.Panels(); ++panel) {
    StepReader reader(weights_, panel);
    std::array<v128_t, 2> sums = {wasm_i32x4_splat(0), wasm_i32x4_splat(0)};
    StepBytes last{};
    for (std::size_t step = 0; step < weights_.steps; ++step) {
      const StepBytes bytes = reader.Next();
      sums[0] = AddUp(sums[0], bytes.first);
      sums[1] = AddUp(sums[1], bytes.second);
      if (step % 2 != 0) twins_.push_back(AreTwins(last, bytes));
      last = bytes;
    }
    if (weights_.steps % 2 != 0) twins_.push_back(false);
    std::array<std::int32_t, kPanelRows> raises;
    for (std::size_t half = 0; half < 2; ++half)
      wasm_v128_store(raises.data() + 4 * half, wasm_i32x4_mul(sums[half], wasm_i32x4_splat(kRaise)));
    raises_.insert(raises_.end(), raises.begin(), raises.end());
  }
#endif
}

std::size_t Dense::PanelsAtOnce(const Windows& windows) const {
  if (windows.pixels == 1) return 0;
  const auto panel = static_cast<std::size_t>(WithArithmetic(
      arithmetic_, [&]<typename A>(A) { return PanelBytesOf<A>(static_cast<std::ptrdiff_t>(weights_.steps)); }));
  return weights_.Panels() * panel <= kDecodedLimit ? weights_.Panels() : 1;
}

bool Dense::UsesWinograd(const Windows& windows) const {
  if (arithmetic_ == Arithmetic::kRelaxedAdd || !WinogradPays(windows, weights_.rows)) return false;
  // Against twins, transforms pay only for many channels and pixels.
  constexpr std::ptrdiff_t kLeastBlocks = 8;
  constexpr std::ptrdiff_t kLeastPixels = 100;
  return arithmetic_ != Arithmetic::kRelaxedPairs || (windows.blocks >= kLeastBlocks && windows.pixels >= kLeastPixels);
}

// Of the copy of the source that is widened, packed or raised.
std::size_t Dense::RearrangedBytes(const Windows& windows, std::ptrdiff_t source_stride) const {
  // Vector loads of a window may reach 15 bytes past the last pixel.
  const auto room = [](std::ptrdiff_t bytes) { return RoundUp(static_cast<std::size_t>(bytes) + 16, 16); };
  if (arithmetic_ == Arithmetic::kRelaxedPairs) {
    return room(windows.blocks *
                (PacksTiles(windows) ? 4 * static_cast<std::ptrdiff_t>(windows.origins.size()) : source_stride));
  }
  return arithmetic_ == Arithmetic::kPairs && windows.pixels != 1 ? room(2 * windows.blocks * source_stride) : 0;
}

std::size_t Dense::ScratchBytes(const Windows& windows, std::ptrdiff_t source_stride, int threads) const {
  if (UsesWinograd(windows)) return WinogradScratchBytes(windows, weights_.rows, threads);
  return WithArithmetic(arithmetic_, [&]<typename A>(A) {
    const std::ptrdiff_t panel = PanelBytesOf<A>(static_cast<std::ptrdiff_t>(weights_.steps));
    return RearrangedBytes(windows, source_stride) +
           static_cast<std::size_t>(OffsetBytesOf<A>(weights_.steps) + CorrectionBytesOf<A>(windows)) +
           static_cast<std::size_t>(threads) * PanelsAtOnce(windows) * static_cast<std::size_t>(panel);
  });
}

template <typename Output>
void Dense::RunAny(const Source& source, const Windows& windows, std::ptrdiff_t channel, std::ptrdiff_t block_stride,
                   const Output& output, std::byte* scratch, const Threads& threads) const {
  if (UsesWinograd(windows)) {
    return RunWinograd(source, windows, weights_, channel, block_stride, output, scratch, threads);
  }
  WithArithmetic(arithmetic_, [&]<typename A>(A) {
    const bool packs = A::kRaised && PacksTiles(windows);
    std::byte* const rearranged = scratch;
    const std::size_t bytes = RearrangedBytes(windows, source.block_stride);
    Source read = source;
#if KDEQUANT_HAS_RELAXED
    if constexpr (A::kRaised) {
      if (!packs) read = Raise(source, windows.blocks, rearranged, threads);
    }
#endif
    if (!A::kRaised && bytes > 0) read = Widen(source, windows.blocks, rearranged, threads);
    auto* const tiles = packs ? reinterpret_cast<std::int8_t*>(rearranged) : nullptr;
    const w4a8::Run<A> job{read, windows, weights_, {twins_, raises_}, channel, block_stride, tiles};
    job.Any(output, PanelsAtOnce(windows), scratch + bytes, threads);
  });
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
