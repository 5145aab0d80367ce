// kernels/normalize_f32.h
// Softmax, local response normalization and means over axes: row-major, in fixed order, with this project's own
// functions.
#ifndef KDEQUANT_RUNTIME_KERNELS_NORMALIZE_F32_H_
#define KDEQUANT_RUNTIME_KERNELS_NORMALIZE_F32_H_

#include "kdequant/model/operators.h"
#include "kernels/strided.h"

namespace kdequant::runtime {

/// Over the middle axis of [outer, length, inner]. Exponentials and their sum are in double precision.
void SoftmaxRows(bool log, std::ptrdiff_t outer, std::ptrdiff_t length, std::ptrdiff_t inner, const float* input,
                 float* output);

/// y = x / (bias + alpha / size * sum of squares over the `size` channels around)^beta, on [channels, pixels].
void LocalResponse(const Lrn& lrn, std::ptrdiff_t channels, std::ptrdiff_t pixels, const float* input, float* output);

/// Means over some axes of a row-major tensor.
class MeanOverAxes {
 public:
  /// `reduced[i]`: whether axis i is averaged away.
  MeanOverAxes(const Shape& input, const std::vector<bool>& reduced);
  /// The kept elements in row-major order. Each sum adds in the input's order.
  void Run(const float* input, float* output) const;

 private:
  StridedLoop<1> kept_;
  StridedLoop<1> reduced_;
  std::ptrdiff_t count_ = 1;
};

}  // namespace kdequant::runtime

#endif  // KDEQUANT_RUNTIME_KERNELS_NORMALIZE_F32_H_
