#include "kernels/conv_f32.h"

namespace kdequant::runtime {

ConvGeometry MakeConvGeometry(const Window& window, std::int64_t groups, const Shape& input, const Shape& output) {
  ConvGeometry geometry{.input = ImageOf(input),
                        .output = ImageOf(output),
                        .batch = static_cast<std::ptrdiff_t>(input[0]),
                        .groups = static_cast<std::ptrdiff_t>(groups)};
  for (std::size_t i = 0; i < 2; ++i) {
    geometry.kernel[i] = static_cast<std::ptrdiff_t>(window.kernel[i]);
    geometry.strides[i] = static_cast<std::ptrdiff_t>(window.strides[i]);
    geometry.dilations[i] = static_cast<std::ptrdiff_t>(window.dilations[i]);
  }
  for (std::size_t i = 0; i < 4; ++i) geometry.pads[i] = static_cast<std::ptrdiff_t>(window.pads[i]);
  return geometry;
}

namespace {

// One output element. `input` is the group's first channel, `weights` the output channel's [C / groups][kh][kw].
float ConvolveAt(const ConvGeometry& g, const float* input, const float* weights, float bias, std::ptrdiff_t oy,
                 std::ptrdiff_t ox) {
  float sum = bias;
  for (std::ptrdiff_t ky = 0; ky < g.kernel[0]; ++ky) {
    const std::ptrdiff_t y = oy * g.strides[0] + ky * g.dilations[0] - g.pads[0];
    if (y < 0 || y >= g.input.height) continue;
    for (std::ptrdiff_t kx = 0; kx < g.kernel[1]; ++kx) {
      const std::ptrdiff_t x = ox * g.strides[1] + kx * g.dilations[1] - g.pads[1];
      if (x < 0 || x >= g.input.width) continue;
      const float* pixel = input + y * g.input.width + x;
      const float* weight = weights + ky * g.kernel[1] + kx;
      for (std::ptrdiff_t c = 0; c < g.GroupInputs(); ++c) sum += pixel[c * g.input.Pixels()] * weight[c * g.Taps()];
    }
  }
  return sum;
}

}  // namespace

void ConvReference(const ConvGeometry& g, const float* weights, const float* bias, const float* input, float* output) {
  for (std::ptrdiff_t n = 0; n < g.batch; ++n) {
    for (std::ptrdiff_t oc = 0; oc < g.output.channels; ++oc) {
      const std::ptrdiff_t first = n * g.input.channels + oc / g.GroupOutputs() * g.GroupInputs();
      const float start = bias ? bias[oc] + 0.0F : 0.0F;
      for (std::ptrdiff_t oy = 0; oy < g.output.height; ++oy) {
        for (std::ptrdiff_t ox = 0; ox < g.output.width; ++ox) {
          *output++ =
              ConvolveAt(g, input + first * g.input.Pixels(), weights + oc * g.GroupInputs() * g.Taps(), start, oy, ox);
        }
      }
    }
  }
}

}  // namespace kdequant::runtime
