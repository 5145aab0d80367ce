#include <algorithm>

#include "kdequant/base/math.h"
#include "kdequant/model/operators.h"

namespace kdequant {

float Apply(const Activation& activation, float x) {
  const double wide = x;
  switch (activation.kind) {
    case Activation::Kind::kRelu: return x < 0 ? 0 : x;
    case Activation::Kind::kClip: return std::min(std::max(x, activation.a), activation.b);
    case Activation::Kind::kLeakyRelu: return x >= 0 ? x : activation.a * x;
    case Activation::Kind::kElu: return x >= 0 ? x : static_cast<float>(activation.a * (Exp(wide) - 1));
    case Activation::Kind::kHardSwish: return x * std::max(0.0F, std::min(1.0F, x / 6 + 0.5F));
    case Activation::Kind::kHardSigmoid: return std::max(0.0F, std::min(1.0F, activation.a * x + activation.b));
    case Activation::Kind::kSigmoid: return static_cast<float>(Sigmoid(wide));
    case Activation::Kind::kTanh: return static_cast<float>(Tanh(wide));
    case Activation::Kind::kSwish: return static_cast<float>(wide * Sigmoid(wide));
  }
  return x;
}

}  // namespace kdequant
