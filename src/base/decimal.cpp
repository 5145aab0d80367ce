#include "kdequant/base/decimal.h"

#include <charconv>
#include <cmath>
#include <cstdint>

namespace kdequant {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// A power of 22 at most: those are exact in a double.
double PowerOfTen(int exponent) {
  double power = 1;
  for (int i = 0; i < exponent; ++i) power *= 10;
  return power;
}

double Scaled(double value, int exponent) {
  constexpr int kExact = 22;
  for (; exponent > kExact; exponent -= kExact) value *= PowerOfTen(kExact);
  for (; exponent < -kExact; exponent += kExact) value /= PowerOfTen(kExact);
  return exponent < 0 ? value / PowerOfTen(-exponent) : value * PowerOfTen(exponent);
}

}  // namespace

std::string FormatFloat(float value) {
  char text[64];
  const auto [end, error] = std::to_chars(text, text + sizeof(text), value);
  return {text, end};
}

std::optional<float> ParseFloat(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  constexpr std::uint64_t kMost =
      1'000'000'000'000'000'000;  // Another digit fits; what follows is below a double's last bit.
  std::uint64_t digits = 0;
  int exponent = 0;
  bool any = false;
  bool point = false;
  for (; !text.empty() && (IsDigit(text[0]) || (text[0] == '.' && !point)); text.remove_prefix(1)) {
    if (text[0] == '.') {
      point = true;
      continue;
    }
    any = true;
    if (digits < kMost) {
      digits = digits * 10 + static_cast<std::uint64_t>(text[0] - '0');
      exponent -= point ? 1 : 0;
    } else {
      exponent += point ? 0 : 1;
    }
  }
  if (!any) return std::nullopt;
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(text.substr(1).starts_with('+') && !text.substr(2).starts_with('-') ? 2 : 1);
    int given = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), given);
    // Beyond a thousand it is 0 or too large whatever the digits are.
    if (error != std::errc{} || given < -1000 || given > 1000) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    exponent += given;
  }
  const auto value = static_cast<float>(Scaled(static_cast<double>(digits), exponent));
  if (!text.empty() || !std::isfinite(value)) return std::nullopt;
  return negative ? -value : value;
}

}  // namespace kdequant
