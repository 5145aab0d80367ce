// kernels/winograd_f32.h
// 3x3 convolutions of float C4 images by tiles of 2x2 (kernels/winograd_plan.h): up to 2.25 times fewer products. Sums
// are not those of the plain loops to the last bit (within some 1e-6 of the largest); without fused multiply-adds they
// are the same on every build.
#ifndef KDEQUANT_RUNTIME_KERNELS_WINOGRAD_F32_H_
#define KDEQUANT_RUNTIME_KERNELS_WINOGRAD_F32_H_

#include "kernels/conv_f32.h"
#include "kernels/winograd_plan.h"

namespace kdequant::runtime {

class WinogradC4 {
 public:
  /// Whether the geometry is one of those, and the transforms pay.
  static bool Pays(const ConvGeometry& geometry);

  /// As ConvC4, one group.
  WinogradC4(const ConvGeometry& geometry, const float* weights, const float* bias, const Epilogue& epilogue,
             bool fused);

  std::size_t ScratchBytes(int threads) const { return PlanFor(threads).ScratchBytes(); }
  std::size_t WeightBytes() const { return (weights_.size() + bias_.size()) * sizeof(float); }

  /// The activation's interval is applied; its rest is not.
  void Run(const float* input, float* output, std::byte* scratch, const Threads& threads) const;

 private:
  template <bool kFused>
  struct Layer;

  WinogradPlan PlanFor(int threads) const {
    return {geometry_.output.width,
            geometry_.output.height,
            geometry_.input.Blocks(),
            geometry_.output.channels,
            4,
            threads};
  }

  ConvGeometry geometry_;
  Epilogue epilogue_;
  bool fused_;
  Buffer<float> weights_;  // [panels][taps][C][8]
  Buffer<float> bias_;     // [panels][8]
};

}  // namespace kdequant::runtime

#endif  // KDEQUANT_RUNTIME_KERNELS_WINOGRAD_F32_H_
