#include <algorithm>
#include <chrono>
#include <cstring>

#include "kernels/relaxed.h"
#include "kernels/w4a8_dense.h"

namespace kdequant::w4a8 {
namespace {

using Clock = std::chrono::steady_clock;

// A 1x1 convolution of 64 pixels, small enough for the first-level cache.
constexpr std::ptrdiff_t kPixels = 64;
constexpr std::ptrdiff_t kChannels = 128;
constexpr std::size_t kRows = 32;
// Browsers' clocks tick every 0.1 ms: a round takes about 0.4 ms, before the optimizing compiler four times as much.
constexpr int kRounds = 3;
constexpr int kRunsARound = 64;

struct Probe {
  std::vector<std::int8_t> input = std::vector<std::int8_t>(kPixels * kChannels);
  std::vector<std::int32_t> start = std::vector<std::int32_t>(kRows + 8, 0);
  std::vector<float> multipliers = std::vector<float>(kRows + 8, 1e-3F);
  IntegerWeights weights;
  Windows windows{
      .blocks = kChannels / 4, .pixels = kPixels, .width = kPixels, .is_plain_3x3 = false, .origins = {}, .taps = {0}};

  Probe() {
    weights.rows = kRows;
    weights.depth = kChannels;
    for (std::size_t i = 0; i < input.size(); ++i) input[i] = static_cast<std::int8_t>((i * 37 + i / 29) % 256);
    for (std::size_t i = 0; i < kRows * kChannels; ++i)
      weights.values.push_back(static_cast<std::int8_t>(static_cast<int>((i * 11 + i / 23) % 127) - 63));
    for (std::int32_t pixel = 0; pixel < kPixels; ++pixel) windows.origins.push_back(4 * pixel);
  }

  struct Outcome {
    std::vector<std::int8_t> bytes;
    double seconds = 1e9;
  };

  // Fails (no bytes) without memory.
  Outcome Run(Arithmetic arithmetic, int rounds, int runs_a_round) const {
    Outcome outcome;
    const auto dense = Dense::Create(weights, 0, kRows, kChannels, 1, arithmetic);
    if (!dense) return outcome;
    Buffer<std::byte> scratch(dense->ScratchBytes(windows, 4 * kPixels, 1));
    if (scratch.size() == 0) return outcome;
    outcome.bytes.resize(kPixels * kRows);
    const ByteOutput output{.rows = {start.data(), multipliers.data()},
                            .bounds = {-128, 127},
                            .zero_point = 0,
                            .bytes = outcome.bytes.data()};
    for (int round = 0; round < rounds; ++round) {
      const auto begin = Clock::now();
      for (int i = 0; i < runs_a_round; ++i)
        dense->Run({input.data(), 4 * kPixels}, windows, 0, 4 * kPixels, output, scratch.data(), Threads{});
      outcome.seconds = std::min(outcome.seconds, std::chrono::duration<double>(Clock::now() - begin).count());
    }
    return outcome;
  }
};

Arithmetic Choose() {
  const Probe probe;
  const auto expected = probe.Run(Arithmetic::kPairs, 1, 1);
  const auto pairs = probe.Run(Arithmetic::kRelaxedPairs, kRounds, kRunsARound);
  const auto add = probe.Run(Arithmetic::kRelaxedAdd, kRounds, kRunsARound);
  const bool pairs_right = pairs.bytes == expected.bytes;
  const bool add_right = add.bytes == expected.bytes;
  // One instruction where it is fast at all, and twice as fast then; else browsers make it of the same instructions,
  // and which seems the faster is chance.
  constexpr double kClearly = 1.3;
  if (add_right && (!pairs_right || kClearly * add.seconds < pairs.seconds)) return Arithmetic::kRelaxedAdd;
  return pairs_right ? Arithmetic::kRelaxedPairs : Arithmetic::kPairs;
}

}  // namespace

Arithmetic FastestArithmetic() {
  static const Arithmetic fastest = KDEQUANT_HAS_RELAXED ? Choose() : Arithmetic::kPairs;
  return fastest;
}

}  // namespace kdequant::w4a8
