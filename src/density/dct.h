// The discrete cosine transform, the same on every build.
#ifndef KDEQUANT_DENSITY_DCT_H_
#define KDEQUANT_DENSITY_DCT_H_

#include <complex>
#include <cstddef>
#include <span>
#include <vector>

namespace kdequant {

/// Transforms of length `size`, a power of two of at least 2. Holds tables and scratch: cheap to use again, about 40 us
/// to make at 4,096.
///
/// Eigen's FFT would take its twiddle factors from the C library's sine and cosine, whose last bits differ between
/// glibc and Emscripten's musl.
class Dct {
 public:
  explicit Dct(std::size_t size);

  /// In place: X_k = sum_i x_i cos(pi (i + 1/2) k / size). Source: Makhoul (1980), "A fast cosine transform in one and
  /// two dimensions".
  void Forward(std::span<double> values);

  /// In place: the inverse of Forward, x_i = (X_0 + 2 sum_{k>0} X_k cos(pi (i + 1/2) k / size)) / size.
  void Inverse(std::span<double> values);

 private:
  void Transform();  // of work_, in place: W_k = sum_i w_i e^(-2 pi j i k / size)

  std::size_t size_;
  std::vector<double> cosines_;  // cos(pi k / (2 size)), k = 0..size
  std::vector<std::complex<double>> work_;
};

}  // namespace kdequant

#endif  // KDEQUANT_DENSITY_DCT_H_
