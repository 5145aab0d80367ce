// kernels/w4a8_elementwise.h
// What happens to byte images between the layers with weights. Functions that every network calls have plain loops
// (`vectors` false) and vectors, which give the same bytes, and compute a stretch of their output: threads share those
// out. The others are plain loops over all of it.
#ifndef KDEQUANT_RUNTIME_KERNELS_W4A8_ELEMENTWISE_H_
#define KDEQUANT_RUNTIME_KERNELS_W4A8_ELEMENTWISE_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "kdequant/base/parallel.h"
#include "kernels/pool_f32.h"
#include "kernels/w4a8_output.h"
#include "plan.h"

namespace kdequant::w4a8 {

using runtime::Image;
using runtime::PoolGeometry;

/// Row-major float32 [C, H, W] to a C4 image on the grid: the pixels of a stretch.
void QuantizeImage(const Grid& grid, const Image& image, Stretch pixels, const float* input, std::int8_t* output,
                   bool vectors);

/// The real elements of a value in memory: those of an image in C4, or `count` in a row.
struct Elements {
  std::optional<Image> image;
  std::ptrdiff_t count = 0;
};
/// From the least to the largest of them, 0 included.
ActivationRange RangeOf(const Elements& elements, const float* input, int bits);
/// Float32 to bytes in the same order.
void QuantizeElements(const Grid& grid, const Elements& elements, const float* input, std::int8_t* output);

/// a + b: the bytes of a stretch between multiples of 16.
void Add(const Addend& a, const Addend& b, Bounds bounds, std::int32_t zero_point, Stretch bytes, std::int8_t* output,
         bool vectors);

/// Largest bytes of windows, on the input's grid: a stretch of blocks of four channels.
void MaxPool(const PoolGeometry& geometry, Stretch blocks, const std::int8_t* input, std::int8_t* output, bool vectors);

/// A mean over all pixels of every channel: nearest((sum - zero points) * multiplier). Writes channels from 0 to the
/// next multiple of 4: a stretch of blocks of them.
void GlobalMean(const Image& image, Stretch blocks, const std::int8_t* input, std::int32_t input_zero_point,
                float multiplier, Bounds bounds, std::int32_t zero_point, std::int8_t* output, bool vectors);

/// The same as floats, sum * multiplier, of the image's channels alone.
void GlobalMean(const Image& image, Stretch blocks, const std::int8_t* input, std::int32_t input_zero_point,
                float multiplier, float* output, bool vectors);

/// All channels of `input`, by way of `table`, from `channel` of `target` on.
void JoinChannels(const Image& image, const ByteTable& table, const std::int8_t* input, const Image& target,
                  std::ptrdiff_t channel, std::int8_t* output);

/// A C4 image as a row of [C, H, W].
void ToRow(const Image& image, const std::int8_t* input, std::int8_t* output);

}  // namespace kdequant::w4a8

#endif  // KDEQUANT_RUNTIME_KERNELS_W4A8_ELEMENTWISE_H_
