// kdequant/base/math.h
// Elementary functions that give the same bits on every build. The C library's differ between glibc, musl and browsers
// by a unit in the last place, and one flipped index is enough to make two builds write different files.
#ifndef KDEQUANT_BASE_MATH_H_
#define KDEQUANT_BASE_MATH_H_

#include <cmath>

namespace kdequant {

inline constexpr double kPi = 3.14159265358979323846;

/// IEEE 754 demands a correctly rounded square root, so the library's own is the same everywhere.
inline double Sqrt(double x) { return std::sqrt(x); }

/// e^x, within 2 ulp of the true value; 0 below -745, infinity above 709.78.
double Exp(double x);

/// Natural logarithm, within 2 ulp; -infinity at 0, NaN below.
double Log(double x);

/// base^exponent for base >= 0, as Exp(exponent * Log(base)); Pow(0, e > 0) is 0. Relative error about |exponent
/// Log(base)| ulp.
double Pow(double base, double exponent);

/// Sine and cosine for |x| <= 1e5, absolute error below 1e-15 for |x| <= 2 pi.
double Sin(double x);
double Cos(double x);

double Tanh(double x);

/// 1 / (1 + e^-x).
double Sigmoid(double x);

}  // namespace kdequant

#endif  // KDEQUANT_BASE_MATH_H_
