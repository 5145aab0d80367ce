#include "kdequant/base/math.h"

#include <bit>
#include <cstdint>
#include <initializer_list>
#include <limits>

namespace kdequant {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
// ln 2 and pi / 2 in two parts: the high part has trailing zero bits, so that n times it is exact for the n that occur.
constexpr double kLn2High = 6.93147180369123816490e-01;
constexpr double kLn2Low = 1.90821492927058770002e-10;
constexpr double kHalfPiHigh = 1.57079632673412561417e+00;
constexpr double kHalfPiLow = 6.07710050650619224932e-11;

// x * 2^n, n in [-1080, 1030], with one rounding at most.
double ScaleByPowerOfTwo(double x, int n) {
  const auto power = [](int e) { return std::bit_cast<double>(static_cast<std::uint64_t>(e + 1023) << 52); };
  if (n > 1023) return x * power(1023) * power(n - 1023);
  if (n < -1022) return x * power(n + 200) * power(-200);
  return x * power(n);
}

// sin and cos of r in [-pi/4, pi/4] by Taylor series: the first omitted terms are below 1e-18.
double SinKernel(double r) {
  const double z = r * r;
  double s = 1.0 / 355687428096000.0;  // 1/17!
  s = s * z - 1.0 / 1307674368000.0;
  s = s * z + 1.0 / 6227020800.0;
  s = s * z - 1.0 / 39916800.0;
  s = s * z + 1.0 / 362880.0;
  s = s * z - 1.0 / 5040.0;
  s = s * z + 1.0 / 120.0;
  s = s * z - 1.0 / 6.0;
  return r + r * z * s;
}

double CosKernel(double r) {
  const double z = r * r;
  double c = 1.0 / 20922789888000.0;  // 1/16!
  c = c * z - 1.0 / 87178291200.0;
  c = c * z + 1.0 / 479001600.0;
  c = c * z - 1.0 / 3628800.0;
  c = c * z + 1.0 / 40320.0;
  c = c * z - 1.0 / 720.0;
  c = c * z + 1.0 / 24.0;
  c = c * z - 0.5;
  return 1.0 + z * c;
}

// Which quarter turn x is in, and what remains.
struct Reduced {
  std::int64_t quarter;
  double rest;
};

Reduced ReduceToQuarter(double x) {
  const double n = std::nearbyint(x / (kPi / 2));
  return {static_cast<std::int64_t>(n), (x - n * kHalfPiHigh) - n * kHalfPiLow};
}

}  // namespace

double Exp(double x) {
  if (std::isnan(x)) return x;
  if (x > 709.782712893384) return kInfinity;
  if (x < -745.2) return 0;
  // e^x = 2^n e^r with |r| <= ln 2 / 2; e^r by its series, whose 14th term is below 1e-17.
  const double n = std::nearbyint(x * 1.44269504088896338700);
  const double r = (x - n * kLn2High) - n * kLn2Low;
  double sum = 1.0 / 6227020800.0;
  for (const double reciprocal_factorial :
       {1.0 / 479001600.0, 1.0 / 39916800.0, 1.0 / 3628800.0, 1.0 / 362880.0, 1.0 / 40320.0, 1.0 / 5040.0, 1.0 / 720.0,
        1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5}) {
    sum = sum * r + reciprocal_factorial;
  }
  return ScaleByPowerOfTwo(1.0 + (r + r * r * sum), static_cast<int>(n));
}

double Log(double x) {
  if (std::isnan(x) || x < 0) return std::numeric_limits<double>::quiet_NaN();
  if (x == 0) return -kInfinity;
  if (x == kInfinity) return x;
  int exponent = 0;
  if (x < std::numeric_limits<double>::min()) {  // subnormal
    x *= 0x1.0p54;
    exponent = -54;
  }
  const auto bits = std::bit_cast<std::uint64_t>(x);
  exponent += static_cast<int>(bits >> 52) - 1023;
  double mantissa = std::bit_cast<double>((bits & 0x000fffffffffffffU) | 0x3ff0000000000000U);
  if (mantissa > 1.41421356237309504880) {
    mantissa /= 2;
    ++exponent;
  }
  // log m = 2 atanh(s), s = (m - 1) / (m + 1), |s| <= 0.1716.
  const double f = mantissa - 1;
  const double s = f / (2 + f);
  const double z = s * s;
  double sum = 1.0 / 23;
  for (const double term :
       {1.0 / 21, 1.0 / 19, 1.0 / 17, 1.0 / 15, 1.0 / 13, 1.0 / 11, 1.0 / 9, 1.0 / 7, 1.0 / 5, 1.0 / 3}) {
    sum = sum * z + term;
  }
  const double e = exponent;
  return e * kLn2High + (2 * s + (2 * s * z * sum + e * kLn2Low));
}

double Pow(double base, double exponent) {
  if (exponent == 0) return 1;
  if (base == 0) return exponent > 0 ? 0 : kInfinity;
  return Exp(exponent * Log(base));
}

double Sin(double x) {
  const auto [quarter, rest] = ReduceToQuarter(x);
  switch (quarter & 3) {
    case 0: return SinKernel(rest);
    case 1: return CosKernel(rest);
    case 2: return -SinKernel(rest);
    default: return -CosKernel(rest);
  }
}

double Cos(double x) {
  const auto [quarter, rest] = ReduceToQuarter(x);
  switch (quarter & 3) {
    case 0: return CosKernel(rest);
    case 1: return -SinKernel(rest);
    case 2: return -CosKernel(rest);
    default: return SinKernel(rest);
  }
}

double Tanh(double x) {
  if (std::isnan(x)) return x;
  const double a = std::fabs(x);
  double t = 1;
  if (a < 0.02) {
    // The series avoids the cancellation of 1 - 2 / (e^2a + 1) near zero.
    const double z = a * a;
    t = a * (1 + z * (-1.0 / 3 + z * (2.0 / 15 + z * (-17.0 / 315 + z * (62.0 / 2835)))));
  } else if (a < 20) {
    t = 1 - 2 / (Exp(2 * a) + 1);
  }
  return x < 0 ? -t : t;
}

double Sigmoid(double x) { return 1 / (1 + Exp(-x)); }

}  // namespace kdequant
