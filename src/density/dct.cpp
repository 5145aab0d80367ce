#include "dct.h"

#include <utility>

#include "kdequant/base/math.h"

namespace kdequant {
namespace {

using Complex = std::complex<double>;

// std::complex multiplication looks for infinities, in a library call.
Complex Multiply(Complex a, Complex b) {
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

}  // namespace

Dct::Dct(std::size_t size) : size_(size), cosines_(size + 1), work_(size) {
  for (std::size_t k = 0; k <= size; ++k) {
    cosines_[k] = Cos(kPi * static_cast<double>(k) / (2 * static_cast<double>(size)));
  }
  cosines_[size] = 0;
}

void Dct::Transform() {
  // Decimation in time: bit-reversed order first, then butterflies of growing span.
  for (std::size_t i = 1, j = 0; i < size_; ++i) {
    std::size_t bit = size_ >> 1;
    for (; (j & bit) != 0; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) std::swap(work_[i], work_[j]);
  }
  for (std::size_t half = 1; half < size_; half *= 2) {
    // The twiddle factor e^(-j pi k / half): the angle is a multiple `at` of the table's pi / (2 size).
    const std::size_t stride = 2 * size_ / half;
    for (std::size_t k = 0; k < half; ++k) {
      const std::size_t at = k * stride;
      const Complex twiddle = at <= size_ ? Complex(cosines_[at], -cosines_[size_ - at])
                                          : Complex(-cosines_[2 * size_ - at], -cosines_[at - size_]);
      for (std::size_t i = k; i < size_; i += 2 * half) {
        const Complex odd = Multiply(twiddle, work_[i + half]);
        const Complex even = work_[i];
        work_[i] = even + odd;
        work_[i + half] = even - odd;
      }
    }
  }
}

void Dct::Forward(std::span<double> values) {
  for (std::size_t i = 0; i < size_ / 2; ++i) {
    work_[i] = values[2 * i];
    work_[size_ - 1 - i] = values[2 * i + 1];
  }
  Transform();
  for (std::size_t k = 0; k < size_; ++k) {
    values[k] = work_[k].real() * cosines_[k] + work_[k].imag() * cosines_[size_ - k];
  }
}

void Dct::Inverse(std::span<double> values) {
  // The conjugate of the forward transform's spectrum, because the inverse transform is the conjugate of the transform
  // of the conjugate, and its result is real.
  work_[0] = values[0];
  for (std::size_t k = 1; k < size_; ++k) {
    work_[k] = Multiply(Complex(cosines_[k], -cosines_[size_ - k]), Complex(values[k], values[size_ - k]));
  }
  Transform();
  const double scale = 1 / static_cast<double>(size_);
  for (std::size_t i = 0; i < size_ / 2; ++i) {
    values[2 * i] = work_[i].real() * scale;
    values[2 * i + 1] = work_[size_ - 1 - i].real() * scale;
  }
}

}  // namespace kdequant
