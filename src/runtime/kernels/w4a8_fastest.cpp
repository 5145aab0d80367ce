#include <algorithm>
#include <chrono>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

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
// That compiler takes its time, and other work comes between: so there are several rounds, and both take turns.
constexpr int kRounds = 8;
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

  struct Candidate {
    std::optional<Dense> dense;  // Empty without memory.
    Buffer<std::byte> scratch;
    std::vector<std::int8_t> bytes;
    double seconds = 1e9;  // Of the fastest round.
  };

  Candidate Prepare(Arithmetic arithmetic) const {
    Candidate candidate;
    auto dense = Dense::Create(weights, 0, kRows, kChannels, 1, arithmetic);
    if (!dense) return candidate;
    candidate.scratch = Buffer<std::byte>(dense->ScratchBytes(windows, 4 * kPixels, 1));
    if (candidate.scratch.size() == 0) return candidate;
    candidate.bytes.resize(kPixels * kRows);
    candidate.dense = std::move(*dense);
    return candidate;
  }

  void Run(Candidate& candidate, int runs) const {
    if (!candidate.dense) return;
    const ByteOutput output{.rows = {start.data(), multipliers.data()},
                            .bounds = {-128, 127},
                            .zero_point = 0,
                            .bytes = candidate.bytes.data()};
    const auto begin = Clock::now();
    for (int i = 0; i < runs; ++i) {
      candidate.dense->Run({input.data(), 4 * kPixels}, windows, 0, 4 * kPixels, output, candidate.scratch.data(),
                           Threads{});
    }
    candidate.seconds = std::min(candidate.seconds, std::chrono::duration<double>(Clock::now() - begin).count());
  }
};

Arithmetic Choose() {
  const Probe probe;
  auto expected = probe.Prepare(Arithmetic::kPairs);
  auto pairs = probe.Prepare(Arithmetic::kRelaxedPairs);
  auto add = probe.Prepare(Arithmetic::kRelaxedAdd);
  probe.Run(expected, 1);
  for (int round = 0; round < kRounds; ++round) {
    probe.Run(pairs, kRunsARound);
    probe.Run(add, kRunsARound);
  }
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
