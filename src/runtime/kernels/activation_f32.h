// kernels/activation_f32.h
// Activations over runs of floats, alone or behind another operator.
#ifndef KDEQUANT_RUNTIME_KERNELS_ACTIVATION_F32_H_
#define KDEQUANT_RUNTIME_KERNELS_ACTIVATION_F32_H_

#include <limits>
#include <optional>

#include "kdequant/model/operators.h"
#include "plan.h"

namespace kdequant::runtime {

/// What follows a kernel's sums: an interval that the kernel itself clamps to (Relu, Clip, nothing at all), and
/// whatever function is left for a second pass.
struct Epilogue {
  float low = -std::numeric_limits<float>::infinity();
  float high = std::numeric_limits<float>::infinity();
  std::optional<Activation> rest;
};
Epilogue EpilogueOf(const std::optional<Activation>& activation);

/// target[i] = Apply(activation, source[i]), with the same bits; `source` may be `target`.
void ApplyToRun(const Activation& activation, const float* source, float* target, std::ptrdiff_t count);

/// The same on the real elements of a C4 image.
void ApplyToImage(const Activation& activation, const Image& image, const float* source, float* target,
                  const Threads& threads);

/// PRelu with one slope a channel: slopes are [4 Blocks()], x >= 0 ? x : slope x. `source` may be `target`.
void PReluImage(const Image& image, const float* slopes, const float* source, float* target);

}  // namespace kdequant::runtime

#endif  // KDEQUANT_RUNTIME_KERNELS_ACTIVATION_F32_H_
