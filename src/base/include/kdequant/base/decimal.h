// kdequant/base/decimal.h
// Floats as decimal text. The C and C++ libraries' own conversions work for every type and format and bring tables of
// 100 KB and software long doubles into a WebAssembly module.
#ifndef KDEQUANT_BASE_DECIMAL_H_
#define KDEQUANT_BASE_DECIMAL_H_

#include <optional>
#include <string>
#include <string_view>

namespace kdequant {

/// The shortest decimal that reads back as `value`: "0.1", "1e-05".
std::string FormatFloat(float value);

/// "0.5", "-2", ".25", "1e-3": the float next to the decimal (computed in doubles, so that one in a billion decimals of
/// more than 15 digits, between two floats, gets the other neighbour). Nothing if `text` is anything else (it may not
/// have spaces or a plus sign) or is beyond the largest float.
std::optional<float> ParseFloat(std::string_view text);

}  // namespace kdequant

#endif  // KDEQUANT_BASE_DECIMAL_H_
