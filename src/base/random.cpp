#include "kdequant/base/random.h"

#include <bit>

#include "kdequant/base/math.h"

namespace kdequant {
namespace {

std::uint64_t SplitMix64(std::uint64_t& state) {
  state += 0x9e3779b97f4a7c15U;
  std::uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31);
}

}  // namespace

Random::Random(std::uint64_t seed) {
  for (auto& word : state_) word = SplitMix64(seed);
}

std::uint64_t Random::Bits() {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

double Random::Uniform() { return static_cast<double>(Bits() >> 11) * 0x1.0p-53; }

std::uint32_t Random::Below(std::uint32_t n) {
  // The high half of a 32 x 32-bit product is the draw; its low half says whether the draw belongs to the excess to
  // reject.
  std::uint64_t product = (Bits() >> 32) * n;
  auto low = static_cast<std::uint32_t>(product);
  if (low < n) {
    const std::uint32_t excess = (0U - n) % n;
    while (low < excess) {
      product = (Bits() >> 32) * n;
      low = static_cast<std::uint32_t>(product);
    }
  }
  return static_cast<std::uint32_t>(product >> 32);
}

double Random::Normal() {
  if (has_spare_) {
    has_spare_ = false;
    return spare_;
  }
  const double u = 1.0 - Uniform();  // in (0, 1]: the logarithm is finite
  const double radius = Sqrt(-2.0 * Log(u));
  const double angle = 2.0 * kPi * Uniform();
  spare_ = radius * Sin(angle);
  has_spare_ = true;
  return radius * Cos(angle);
}

std::uint64_t StreamSeed(std::uint64_t seed, std::uint64_t index) {
  std::uint64_t state = seed ^ (0xd1342543de82ef95U * (index + 1));
  return SplitMix64(state);
}

}  // namespace kdequant
