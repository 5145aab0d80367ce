// Products of 64-row tiles, in float32.
//
// Every element of a product is its own sum over k in ascending order, started at zero and added to (taken from) the
// target at the end, one multiplication and one addition at a time: so the result does not depend on the width of a
// vector, and a sum over thousands of columns is made of sums of 64, which keeps float32 rounding small.
#ifndef KDEQUANT_COMPENSATION_TILE_KERNELS_H_
#define KDEQUANT_COMPENSATION_TILE_KERNELS_H_

#include <cstddef>

#include "kdequant/compensation/tiled_triangle.h"

namespace kdequant {

inline constexpr std::size_t kTile = TiledTriangle<float>::kTile;

/// Output channels that are worked on together: the columns of a strip, [columns of the layer][kStrip].
inline constexpr std::size_t kStrip = 32;

/// c -= a^T b; all three are [kTile][kTile].
void SubtractTransposedProduct(const float* a, const float* b, float* c);

/// c += a b; a is [kTile][kTile], b and c are [kTile][kStrip].
void AddStripProduct(const float* a, const float* b, float* c);

/// c -= a^T b; a is [kTile][kTile], b and c are [kTile][kStrip].
void SubtractTransposedStripProduct(const float* a, const float* b, float* c);

/// c += a b, [rows][kStrip] from a [rows][row stride] and b [depth][kStrip]; rows is a multiple of 4.
void AddRowsProduct(const float* a, std::size_t row_stride, std::size_t rows, std::size_t depth, const float* b,
                    float* c);

/// c += a^T b, [rows][kStrip] from a [depth][row stride], b [depth][kStrip]; rows is a multiple of 4.
void AddTransposedRowsProduct(const float* a, std::size_t row_stride, std::size_t rows, std::size_t depth,
                              const float* b, float* c);

/// Factors the symmetric tile h = g^T g with g lower triangular, from the last row up, in place; the upper half becomes
/// zero. False as soon as the square of a diagonal element is below `least` (or not a number).
bool FactorTile(float* h, float least);

/// b <- g^-T b for a factored tile g; b is [kTile][kTile].
void SolveTile(const float* g, float* b);

}  // namespace kdequant

#endif  // KDEQUANT_COMPENSATION_TILE_KERNELS_H_
