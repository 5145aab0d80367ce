// kernels/elementwise_f32.h
// Add, Sub, Mul and Div of two tensors, and PRelu.
#ifndef KDEQUANT_RUNTIME_KERNELS_ELEMENTWISE_F32_H_
#define KDEQUANT_RUNTIME_KERNELS_ELEMENTWISE_F32_H_

#include "kdequant/model/operators.h"
#include "kernels/activation_f32.h"
#include "kernels/strided.h"
#include "plan.h"

namespace kdequant::runtime {

/// Row-major with any broadcasting. The loop's operands: a, b, output.
void ElementwiseStrided(Elementwise::Kind kind, const StridedLoop<3>& loop, const float* a, const float* b,
                        float* output);
/// x >= 0 ? x : slope x. The loop's operands: x, slope, output.
void PReluStrided(const StridedLoop<3>& loop, const float* x, const float* slopes, float* output);

/// One operand of an operation on C4 images.
struct ImageOperand {
  const float* data = nullptr;
  /// False: one value a channel, [4 Blocks()], for all pixels.
  bool per_pixel = true;
};

/// A stretch of blocks of four channels. The epilogue's interval is applied. `output` may be one of the operands.
void ElementwiseC4(Elementwise::Kind kind, const Image& image, Stretch blocks, const ImageOperand& a,
                   const ImageOperand& b, const Epilogue& epilogue, float* output);

}  // namespace kdequant::runtime

#endif  // KDEQUANT_RUNTIME_KERNELS_ELEMENTWISE_F32_H_
