#include "kdequant/compensation/response.h"

#include <algorithm>
#include <cstddef>

namespace kdequant {

void Response::Add(std::span<const float> weights, std::span<const float> quantized, bool nonnegative) {
  for (std::size_t k = 0; k < weights.size(); ++k) {
    const auto w = static_cast<double>(weights[k]);
    const double a = nonnegative ? std::max(w, 0.0) : w;
    wanted_ += w * a;
    given_ += static_cast<double>(quantized[k]) * a;
  }
}

void Response::Add(const Response& other) {
  wanted_ += other.wanted_;
  given_ += other.given_;
}

double Response::Gain() const { return wanted_ > 0 && given_ > 0 ? std::clamp(wanted_ / given_, 0.5, 2.0) : 1; }

}  // namespace kdequant
