#include "kernels/normalize_f32.h"

#include <algorithm>

#include "kdequant/base/math.h"

namespace kdequant::runtime {

void SoftmaxRows(bool log, std::ptrdiff_t outer, std::ptrdiff_t length, std::ptrdiff_t inner, const float* input,
                 float* output) {
  for (std::ptrdiff_t o = 0; o < outer; ++o) {
    for (std::ptrdiff_t i = 0; i < inner; ++i) {
      const float* x = input + o * length * inner + i;
      float* y = output + o * length * inner + i;
      float most = x[0];
      for (std::ptrdiff_t k = 1; k < length; ++k) most = std::max(most, x[k * inner]);
      double sum = 0;
      for (std::ptrdiff_t k = 0; k < length; ++k) sum += Exp(static_cast<double>(x[k * inner]) - most);
      const double log_sum = log ? Log(sum) : 0;
      for (std::ptrdiff_t k = 0; k < length; ++k) {
        const double shifted = static_cast<double>(x[k * inner]) - most;
        y[k * inner] = static_cast<float>(log ? shifted - log_sum : Exp(shifted) / sum);
      }
    }
  }
}

void LocalResponse(const Lrn& lrn, std::ptrdiff_t channels, std::ptrdiff_t pixels, const float* input, float* output) {
  const auto size = static_cast<std::ptrdiff_t>(lrn.size);
  const double scale = static_cast<double>(lrn.alpha) / static_cast<double>(size);
  for (std::ptrdiff_t c = 0; c < channels; ++c) {
    const std::ptrdiff_t first = std::max<std::ptrdiff_t>(0, c - (size - 1) / 2);
    const std::ptrdiff_t last = std::min(channels - 1, c + size / 2);
    for (std::ptrdiff_t pixel = 0; pixel < pixels; ++pixel) {
      double sum = 0;
      for (std::ptrdiff_t i = first; i <= last; ++i) {
        const double x = input[i * pixels + pixel];
        sum += x * x;
      }
      const double base = lrn.bias + scale * sum;
      // AlexNet's and GoogLeNet's exponent: two square roots are a tenth of the time of a power.
      const double root = Sqrt(base);
      const double power = lrn.beta == 0.75F ? root * Sqrt(root) : Pow(base, lrn.beta);
      output[c * pixels + pixel] = static_cast<float>(input[c * pixels + pixel] / power);
    }
  }
}

MeanOverAxes::MeanOverAxes(const Shape& input, const std::vector<bool>& reduced) {
  const auto strides = RowMajorStrides(input);
  Shape kept_shape, reduced_shape;
  std::vector<std::ptrdiff_t> kept_strides, reduced_strides;
  for (std::size_t i = 0; i < input.size(); ++i) {
    (reduced[i] ? reduced_shape : kept_shape).push_back(input[i]);
    (reduced[i] ? reduced_strides : kept_strides).push_back(strides[i]);
    if (reduced[i]) count_ *= static_cast<std::ptrdiff_t>(input[i]);
  }
  kept_ = StridedLoop<1>(kept_shape, {kept_strides});
  reduced_ = StridedLoop<1>(reduced_shape, {reduced_strides});
}

void MeanOverAxes::Run(const float* input, float* output) const {
  kept_.ForEachRun([&](const auto& offsets, std::ptrdiff_t count, const auto& steps) {
    for (std::ptrdiff_t i = 0; i < count; ++i) {
      const float* start = input + offsets[0] + i * steps[0];
      float sum = 0;
      reduced_.ForEachRun([&](const auto& inner_offsets, std::ptrdiff_t inner_count, const auto& inner_steps) {
        for (std::ptrdiff_t j = 0; j < inner_count; ++j) sum += start[inner_offsets[0] + j * inner_steps[0]];
      });
      *output++ = sum / static_cast<float>(count_);
    }
  });
}

}  // namespace kdequant::runtime
