// kernels/layout_f32.h
// Between row-major images and images channel-blocked by four.
#ifndef KDEQUANT_RUNTIME_KERNELS_LAYOUT_F32_H_
#define KDEQUANT_RUNTIME_KERNELS_LAYOUT_F32_H_

#include "plan.h"

namespace kdequant::runtime {

/// [C][H W] to C4; the padding becomes zero.
void PlainToC4(const Image& image, const float* plain, float* blocked);

/// C4 to [C][H W].
void C4ToPlain(const Image& image, const float* blocked, float* plain);

}  // namespace kdequant::runtime

#endif  // KDEQUANT_RUNTIME_KERNELS_LAYOUT_F32_H_
