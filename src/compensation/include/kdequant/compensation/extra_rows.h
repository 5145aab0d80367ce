// kdequant/compensation/extra_rows.h
// Rows beside those that pictures give: what later layers make of errors, and what no drawn picture shows.
#ifndef KDEQUANT_COMPENSATION_EXTRA_ROWS_H_
#define KDEQUANT_COMPENSATION_EXTRA_ROWS_H_

#include <cstddef>
#include <span>
#include <vector>

#include "kdequant/compensation/im2col.h"

namespace kdequant {

/// Appends to one picture's `rows`, [n, columns], their mean times sqrt(share * n), so that the sum of x x^T grows by
/// share * n times that of the mean. Nothing is appended to fewer than two rows.
///
/// The error of a layer at one position and at its neighbour are not alike to the layers after it: they add up windows,
/// and the last of them all positions, so what a whole picture's positions have in common stays and the rest averages
/// out. Bias correction only takes away what all pictures have in common.
void AppendMeanRow(std::size_t columns, double share, std::vector<float>& rows);

/// Columns `range` of the weights of a network's last layer, [channels, row_columns], as rows that it may be given,
/// with negative weights 0 if its inputs are `nonnegative`; scaled, so that their squares add up to `energy`. All 0 if
/// the weights are.
///
/// A picture of a class is one whose features agree with the weights of that class, and errors of its answer are what
/// counts. Drawn pictures show no class, and give the last layer one row each, where it has thousands of columns.
std::vector<float> AnswerRows(std::span<const float> weights, std::size_t row_columns, ColumnRange range,
                              bool nonnegative, double energy);

}  // namespace kdequant

#endif  // KDEQUANT_COMPENSATION_EXTRA_ROWS_H_
