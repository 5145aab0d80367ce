// kdequant/classify/label_table.h
// Which class each picture file shows: a CSV table.
#ifndef KDEQUANT_CLASSIFY_LABEL_TABLE_H_
#define KDEQUANT_CLASSIFY_LABEL_TABLE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kdequant/base/result.h"

namespace kdequant {

struct LabelRow {
  std::string file = {};
  std::int64_t class_index = 0;
  std::size_t line = 0;  ///< Where it stands in the table, from 1.
};

/// Reads a CSV table with a header that has the columns `file` and `class_index`, in any order and among others. Fields
/// may be quoted; a byte order mark, carriage returns and empty lines do no harm. Errors: kBadInput (a column is
/// missing, a row is short, a class is no whole number from 0, no rows), with the line.
Result<std::vector<LabelRow>> ParseLabelTable(std::string_view csv);

}  // namespace kdequant

#endif  // KDEQUANT_CLASSIFY_LABEL_TABLE_H_
