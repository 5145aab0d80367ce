// kernels/movement_f32.h
// Padding by tables of where each element comes from, and concatenation of C4 images.
#ifndef KDEQUANT_RUNTIME_KERNELS_MOVEMENT_F32_H_
#define KDEQUANT_RUNTIME_KERNELS_MOVEMENT_F32_H_

#include "kdequant/model/operators.h"
#include "kernels/strided.h"
#include "plan.h"

namespace kdequant::runtime {

/// Any mode, any axis, negative pads crop.
class Padding {
 public:
  Padding(const Pad& pad, const Shape& input, const Shape& output);
  void Run(const float* input, float* output) const;

 private:
  std::vector<std::vector<std::ptrdiff_t>>
      sources_;  // By axis and output index: an offset into the input, -1 for the constant.
  float value_ = 0;
};

/// Copies the channels of a C4 image to those from `channel` on of another of the same size.
void CopyChannels(const Image& from, const float* source, const Image& to, std::ptrdiff_t channel, float* target);

}  // namespace kdequant::runtime

#endif  // KDEQUANT_RUNTIME_KERNELS_MOVEMENT_F32_H_
