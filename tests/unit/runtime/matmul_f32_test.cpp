#include "kernels/matmul_f32.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "kdequant/base/random.h"

namespace kdequant::runtime {
namespace {

std::vector<float> RandomVector(std::ptrdiff_t count, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) value = static_cast<float>(random.Below(2001)) / 1000 - 1;
  return values;
}

void CheckEqualsPlain(std::ptrdiff_t rows, std::ptrdiff_t k, std::ptrdiff_t n, const Tensor& weights,
                      std::size_t weight_bytes) {
  const std::vector<float> bias = RandomVector(n, 2);
  const std::vector<float> input = RandomVector(rows * k, 3);
  std::vector<float> expected(static_cast<std::size_t>(rows * n));
  FullyConnectedReference(rows, k, n, Dequantize(weights)->values.data(), bias.data(), input.data(), expected.data());
  Epilogue epilogue;
  epilogue.low = -0.25F;
  for (float& y : expected) y = std::max(y, epilogue.low);

  const FullyConnected kernel(k, n, weights, bias.data(), epilogue);
  CHECK(kernel.WeightBytes() == weight_bytes);
  std::vector<float> output(expected.size());
  ThreadPool pool(2);
  kernel.Run(rows, input.data(), output.data(), Threads(pool, 2));
  CHECK(output == expected);
}

TEST_CASE(
    "a packed fully connected layer gives what the plain loops give, bit for bit, also with weights in several "
    "pieces") {
  struct Size {
    std::ptrdiff_t rows, k, n;
  };
  // Of the last two one has a panel larger than a piece, the other three pieces, and its outputs end within a panel.
  for (const auto& [rows, k, n] : {Size{1, 1, 1}, {3, 17, 16}, {2, 64, 45}, {2, 300'000, 16}, {1, 100'000, 70}}) {
    CAPTURE(k);
    CAPTURE(n);
    const auto panels = static_cast<std::size_t>((n + 15) / 16);
    const FloatTensor weights{.shape = {n, k}, .values = RandomVector(n * k, 1)};
    CheckEqualsPlain(rows, k, n, weights, 64 * panels * static_cast<std::size_t>(k + 1));
  }
}

TEST_CASE("a fully connected layer unpacks weights of 4 and 8 bits as it packs them") {
  const std::ptrdiff_t k = 33;
  const std::ptrdiff_t n = 19;
  Random random(5);
  CodebookTensor codebook{.shape = {n, k},
                          .bits = 4,
                          .indices = std::vector<std::uint8_t>((n * k + 1) / 2),
                          .codes = std::vector<std::int8_t>(16),
                          .steps = {0.125F},
                          .scales = std::vector<float>(n)};
  for (std::size_t i = 0; i < static_cast<std::size_t>(n * k); ++i)
    codebook.SetIndexAt(i, static_cast<std::uint8_t>(random.Below(16)));
  for (std::size_t i = 0; i < 16; ++i) codebook.codes[i] = static_cast<std::int8_t>(8 * i - 60);
  for (std::size_t o = 0; o < codebook.scales.size(); ++o) codebook.scales[o] = 0.0625F * static_cast<float>(o + 1);
  CheckEqualsPlain(2, k, n, codebook, 64 * 2 * (k + 1));

  Int8Tensor bytes{.shape = {n, k}, .values = std::vector<std::int8_t>(n * k), .scales = codebook.scales};
  for (auto& value : bytes.values) value = static_cast<std::int8_t>(static_cast<int>(random.Below(255)) - 127);
  CheckEqualsPlain(2, k, n, bytes, 64 * 2 * (k + 1));
}

}  // namespace
}  // namespace kdequant::runtime
