// kernels/conv_f32.h
// Convolutions of float images: a plain reference, and a direct kernel on C4 images with weights packed in panels.
//
// Both add in one order, so that they agree bit for bit: start from the bias, then kernel rows, kernel columns, and the
// group's input channels innermost; a multiplication and an addition, rounded separately. Padding adds nothing or
// zeros: that is the same, because a sum that does not start at -0 never becomes -0 (biases of -0 are made +0).
// With `fused` the kernels may round once for the two (relaxed SIMD: what is faster on the machine), which no two
// machines need do alike.
#ifndef KDEQUANT_RUNTIME_KERNELS_CONV_F32_H_
#define KDEQUANT_RUNTIME_KERNELS_CONV_F32_H_

#include <vector>

#include "kdequant/model/operators.h"
#include "kernels/activation_f32.h"
#include "plan.h"

namespace kdequant::runtime {

/// A Conv with everything resolved.
struct ConvGeometry {
  Image input;
  Image output;
  std::ptrdiff_t batch = 1;
  std::ptrdiff_t groups = 1;
  std::ptrdiff_t kernel[2] = {1, 1};
  std::ptrdiff_t strides[2] = {1, 1};
  std::ptrdiff_t dilations[2] = {1, 1};
  std::ptrdiff_t pads[4] = {0, 0, 0, 0};  ///< top, left, bottom, right; negative: crops

  std::ptrdiff_t GroupInputs() const { return input.channels / groups; }
  std::ptrdiff_t GroupOutputs() const { return output.channels / groups; }
  std::ptrdiff_t Taps() const { return kernel[0] * kernel[1]; }
  bool HasPadding() const { return pads[0] != 0 || pads[1] != 0 || pads[2] != 0 || pads[3] != 0; }
  bool IsDepthwise() const { return groups == input.channels && groups == output.channels; }
  /// 3 x 3, neither strides nor dilation.
  bool IsPlain3x3() const {
    return kernel[0] == 3 && kernel[1] == 3 && strides[0] == 1 && strides[1] == 1 && dilations[0] == 1 &&
           dilations[1] == 1;
  }
};

/// Whether threads share out a layer's pixels rather than its output channels: each then reads what it wrote a layer
/// before, and that all of them read and decode all weights is little of the work.
inline bool AreManyPixels(std::ptrdiff_t pixels, const Threads& threads) { return pixels >= 128 * threads.count(); }
ConvGeometry MakeConvGeometry(const Window& window, std::int64_t groups, const Shape& input, const Shape& output);

/// Row-major [N, C, H, W], weights [OC, C / groups, kh, kw], bias [OC] or null.
void ConvReference(const ConvGeometry& geometry, const float* weights, const float* bias, const float* input,
                   float* output);

/// `weights` ([OC, C / groups, kh, kw]) as [groups][panels of 8 channels][taps][C / groups][8], and `bias` ([OC] or
/// null) as [groups][panels][8]; zeros beyond the last channel. Throw std::bad_alloc.
Buffer<float> PackPanels(const ConvGeometry& geometry, const float* weights);
Buffer<float> PackBias(const ConvGeometry& geometry, const float* bias);

/// The direct kernel for any groups, window and channel count.
class ConvC4 {
 public:
  /// Packs `weights` ([OC, C / groups, kh, kw]) and `bias` ([OC] or null).
  ConvC4(const ConvGeometry& geometry, const float* weights, const float* bias, const Epilogue& epilogue,
         bool fused = false);

  /// What Run wants as `scratch`, for that many threads.
  std::size_t ScratchBytes(int threads) const { return static_cast<std::size_t>(threads) * ThreadBytes(); }
  std::size_t WeightBytes() const { return (weights_.size() + bias_.size()) * sizeof(float); }

  /// The activation's interval is applied; its rest is not.
  void Run(const float* input, float* output, std::byte* scratch, const Threads& threads) const;

 private:
  /// Flat output pixels whose inputs stay in the second-level cache while all panels pass over them.
  using Band = Stretch;
  std::size_t ThreadBytes() const;
  // What one thread computes: some panels (of each group) of some pixels.
  void Compute(const float* input, Stretch panels, Stretch pixels, float* output, std::byte* scratch) const;
  const float* FillBand(const Band& band, const float* input, float* padded, std::int32_t* origins) const;
  template <bool kFused>
  void RunPanel(std::ptrdiff_t group, std::ptrdiff_t panel, const Band& band, const float* source,
                std::ptrdiff_t block_stride, const std::int32_t* origins, float* output) const;

  ConvGeometry geometry_;
  Epilogue epilogue_;
  bool fused_ = false;
  bool copies_ = false;                     // Whether a band is copied into scratch, with its padding.
  std::ptrdiff_t band_rows_ = 0;            // Output rows in a band if it is copied.
  std::ptrdiff_t band_pixels_ = 0;          // Output pixels in a band, at most.
  std::ptrdiff_t source_width_ = 0;         // Pixels from one row to the next of what the taps read.
  std::ptrdiff_t source_block_stride_ = 0;  // Floats from one block of channels to the next.
  std::ptrdiff_t panels_per_group_ = 0;
  std::vector<std::int32_t> taps_;  // Floats from an output pixel's origin to each tap.
  Buffer<float> weights_;           // PackPanels
  Buffer<float> bias_;              // PackBias
};

/// groups == C == OC: every channel by itself, lanes over channels.
class DepthwiseC4 {
 public:
  DepthwiseC4(const ConvGeometry& geometry, const float* weights, const float* bias, const Epilogue& epilogue,
              bool fused = false);
  std::size_t WeightBytes() const { return (weights_.size() + bias_.size()) * sizeof(float); }
  void Run(const float* input, float* output, const Threads& threads) const;

 private:
  template <bool kFused>
  void RunRow(const float* input, const float* weights, const float* bias, std::ptrdiff_t row, float* output) const;

  ConvGeometry geometry_;
  Epilogue epilogue_;
  bool fused_ = false;
  std::ptrdiff_t inner_begin_ = 0;  // Output columns whose taps all lie inside the image.
  std::ptrdiff_t inner_end_ = 0;
  Buffer<float> weights_;  // [C / 4][taps][4]
  Buffer<float> bias_;     // [C / 4][4]
};

}  // namespace kdequant::runtime

#endif  // KDEQUANT_RUNTIME_KERNELS_CONV_F32_H_
