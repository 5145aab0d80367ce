// kernels/w4a8_elementwise.h
// What happens to byte images between the layers with weights. Every function has plain loops (`vectors` false) and
// vectors, which give the same bytes, and computes a stretch of its output: threads share those out.
#ifndef KDEQUANT_RUNTIME_KERNELS_W4A8_ELEMENTWISE_H_
#define KDEQUANT_RUNTIME_KERNELS_W4A8_ELEMENTWISE_H_

#include <cstddef>
#include <cstdint>

#include "kdequant/base/parallel.h"
#include "kernels/pool_f32.h"
#include "kernels/w4a8_grid.h"
#include "plan.h"

namespace kdequant::w4a8 {

using runtime::Image;
using runtime::PoolGeometry;

/// Row-major float32 [C, H, W] to a C4 image on the grid: the pixels of a stretch.
void QuantizeImage(const Grid& grid, const Image& image, Stretch pixels, const float* input, std::int8_t* output,
                   bool vectors);

/// An operand of a sum: its bytes, their zero point, and its scale over the output's.
struct Addend {
  const std::int8_t* bytes = nullptr;
  std::int32_t zero_point = 0;
  float ratio = 1;
};
/// a + b: the bytes of a stretch between multiples of 16.
void Add(const Addend& a, const Addend& b, Bounds bounds, std::int32_t zero_point, Stretch bytes, std::int8_t* output,
         bool vectors);

/// Largest bytes of windows, on the input's grid: a stretch of blocks of four channels.
void MaxPool(const PoolGeometry& geometry, Stretch blocks, const std::int8_t* input, std::int8_t* output, bool vectors);

/// A mean over all pixels of every channel: nearest((sum - zero points) * multiplier). Writes channels from 0 to the
/// next multiple of 4: a stretch of blocks of them.
void GlobalMean(const Image& image, Stretch blocks, const std::int8_t* input, std::int32_t input_zero_point,
                float multiplier, Bounds bounds, std::int32_t zero_point, std::int8_t* output, bool vectors);

}  // namespace kdequant::w4a8

#endif  // KDEQUANT_RUNTIME_KERNELS_W4A8_ELEMENTWISE_H_
