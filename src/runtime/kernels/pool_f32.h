// kernels/pool_f32.h
// Maxima and means over windows and over whole images.
#ifndef KDEQUANT_RUNTIME_KERNELS_POOL_F32_H_
#define KDEQUANT_RUNTIME_KERNELS_POOL_F32_H_

#include "kdequant/model/operators.h"
#include "kernels/activation_f32.h"
#include "plan.h"

namespace kdequant::runtime {

/// A Pool with everything resolved. Windows are clipped to the image; a mean adds row by row and divides by the number
/// of taps inside the image or, with `count_include_pad`, inside the image and its padding (what ceil_mode adds beyond
/// is never counted).
struct PoolGeometry {
  Image input;
  Image output;
  std::ptrdiff_t batch = 1;
  Pool::Kind kind = Pool::Kind::kMax;
  bool count_include_pad = false;
  std::ptrdiff_t kernel[2] = {1, 1};
  std::ptrdiff_t strides[2] = {1, 1};
  std::ptrdiff_t dilations[2] = {1, 1};
  std::ptrdiff_t pads[4] = {0, 0, 0, 0};
};
PoolGeometry MakePoolGeometry(const Pool& pool, const Shape& input, const Shape& output);

/// Row-major [N, C, H, W].
void PoolReference(const PoolGeometry& geometry, const float* input, float* output);

/// C4, a stretch of blocks of four channels. The epilogue's interval is applied.
void PoolC4(const PoolGeometry& geometry, Stretch blocks, const Epilogue& epilogue, const float* input, float* output);

/// Row-major [planes, elements] to [planes]: the maximum, or the sum in order divided by the count.
void GlobalPoolReference(Pool::Kind kind, std::ptrdiff_t planes, std::ptrdiff_t elements, const float* input,
                         float* output);

/// C4 to one pixel, a stretch of blocks.
void GlobalPoolC4(Pool::Kind kind, const Image& image, Stretch blocks, const Epilogue& epilogue, const float* input,
                  float* output);

}  // namespace kdequant::runtime

#endif  // KDEQUANT_RUNTIME_KERNELS_POOL_F32_H_
