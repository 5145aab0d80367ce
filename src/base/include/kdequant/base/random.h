// kdequant/base/random.h
// Random numbers that are the same on every build: the standard library's distributions are not.
#ifndef KDEQUANT_BASE_RANDOM_H_
#define KDEQUANT_BASE_RANDOM_H_

#include <cstdint>

namespace kdequant {

/// xoshiro256** seeded through SplitMix64. Source: Blackman and Vigna (2021), "Scrambled linear pseudorandom number
/// generators"; the reference code at prng.di.unimi.it is public domain.
class Random {
 public:
  explicit Random(std::uint64_t seed);

  /// 64 uniform bits.
  std::uint64_t Bits();

  /// Uniform in [0, 1), a multiple of 2^-53.
  double Uniform();

  /// Uniform in [0, n), without modulo bias (Lemire 2019). n must be at least 1.
  std::uint32_t Below(std::uint32_t n);

  /// Standard normal, by Box and Muller with this project's own Log, Cos and Sin.
  double Normal();

 private:
  std::uint64_t state_[4];
  double spare_ = 0;
  bool has_spare_ = false;
};

/// A seed for stream `index` of a job seeded with `seed`, so that layer 7 draws the same numbers whether or not layer 6
/// was skipped.
std::uint64_t StreamSeed(std::uint64_t seed, std::uint64_t index);

}  // namespace kdequant

#endif  // KDEQUANT_BASE_RANDOM_H_
