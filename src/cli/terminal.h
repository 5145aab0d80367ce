// Text for people: tables, bars, numbers.
#ifndef KDEQUANT_CLI_TERMINAL_H_
#define KDEQUANT_CLI_TERMINAL_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kdequant {

bool StandardOutputIsTerminal();
bool StandardErrorIsTerminal();

/// Whether the locale's characters are UTF-8.
bool LocaleIsUtf8();

/// A bar of `fraction` (0 to 1) of `width` characters: eighths of block characters, or '#' where the terminal has no
/// UTF-8.
std::string Bar(double fraction, int width, bool utf8);

std::string Fixed(double value, int decimals);         ///< "12.35"
std::string FormatBytes(std::uint64_t bytes);          ///< "18.54 MB": powers of 1,000, as files are advertised
std::string FormatCount(std::uint64_t count);          ///< "4,652,008"
std::string FormatPercent(double part, double whole);  ///< "14.6 %"
std::string Plural(std::uint64_t count, std::string_view noun);  ///< "1 layer", "2,000 layers"

/// Rows of cells in aligned columns, two spaces apart. Numbers go to the right: columns whose header begins with '>'.
class Table {
 public:
  explicit Table(std::vector<std::string> header);
  void Add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  std::string text() const;

 private:
  std::vector<bool> right_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace kdequant

#endif  // KDEQUANT_CLI_TERMINAL_H_
