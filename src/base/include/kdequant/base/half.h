// kdequant/base/half.h
// 16-bit floats as bits, for reading and writing files.
#ifndef KDEQUANT_BASE_HALF_H_
#define KDEQUANT_BASE_HALF_H_

#include <cstdint>

namespace kdequant {

/// IEEE binary16, rounded to nearest even; beyond 65504 it becomes infinity.
std::uint16_t FloatToHalf(float value);
float HalfToFloat(std::uint16_t bits);

/// bfloat16 is the upper half of a float.
float BFloat16ToFloat(std::uint16_t bits);

/// `value` as a binary16 can hold it.
inline float RoundToHalf(float value) { return HalfToFloat(FloatToHalf(value)); }

/// Whether a binary16 holds `value` as it is, and it is finite.
inline bool IsExactInHalf(float value) { return RoundToHalf(value) == value && value - value == 0; }

}  // namespace kdequant

#endif  // KDEQUANT_BASE_HALF_H_
