#include "kdequant/classify/label_table.h"

#include <algorithm>
#include <charconv>
#include <cstddef>

namespace kdequant {
namespace {

// The fields of one line; "" inside quotes is a quote. Line breaks inside quotes are not supported: no file name has
// one.
std::vector<std::string> SplitFields(std::string_view line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '"' && quoted && i + 1 < line.size() && line[i + 1] == '"') {
      fields.back() += '"';
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  return fields;
}

std::unexpected<Error> Wrong(std::size_t line, const std::string& what) {
  return Fail(ErrorCode::kBadInput, "line " + std::to_string(line) + ": " + what);
}

}  // namespace

Result<std::vector<LabelRow>> ParseLabelTable(std::string_view csv) {
  if (csv.starts_with("\xef\xbb\xbf")) csv.remove_prefix(3);
  std::vector<LabelRow> rows;
  std::size_t file_column = 0;
  std::size_t class_column = 0;
  std::size_t columns = 0;
  for (std::size_t line_number = 1; !csv.empty(); ++line_number) {
    const auto end = csv.find('\n');
    std::string_view line = csv.substr(0, end);
    csv = end == std::string_view::npos ? std::string_view{} : csv.substr(end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    const std::vector<std::string> fields = SplitFields(line);
    if (columns == 0) {
      columns = fields.size();
      file_column = static_cast<std::size_t>(std::ranges::find(fields, "file") - fields.begin());
      class_column = static_cast<std::size_t>(std::ranges::find(fields, "class_index") - fields.begin());
      if (file_column == columns || class_column == columns) {
        return Wrong(line_number, std::string("there is no column \"") +
                                      (file_column == columns ? "file" : "class_index") +
                                      "\"; the first line must name the columns file and class_index");
      }
      continue;
    }
    if (fields.size() <= std::max(file_column, class_column)) {
      return Wrong(line_number,
                   "has " + std::to_string(fields.size()) + " fields where the header has " + std::to_string(columns));
    }
    LabelRow row{.file = fields[file_column], .line = line_number};
    const std::string& text = fields[class_column];
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), row.class_index);
    if (error != std::errc{} || stop != text.data() + text.size() || row.class_index < 0) {
      return Wrong(line_number, "class_index \"" + text + "\" is not a whole number from 0");
    }
    if (row.file.empty()) return Wrong(line_number, "names no file");
    rows.push_back(std::move(row));
  }
  if (rows.empty())
    return Fail(ErrorCode::kBadInput, "has no rows; it needs a line file,class_index and then one a picture");
  return rows;
}

}  // namespace kdequant
