// kdequant/vision/topk.h
// From logits to answers.
#ifndef KDEQUANT_VISION_TOPK_H_
#define KDEQUANT_VISION_TOPK_H_

#include <cstddef>
#include <span>
#include <vector>

namespace kdequant {

struct Prediction {
  std::size_t class_index = 0;
  double probability = 0;
};

/// Probabilities: the softmax of `logits`, or `logits` themselves where they already are a distribution (all within [0, 1], sum
/// within 1e-3 of 1: the network ends in its own softmax).
std::vector<double> Probabilities(std::span<const float> logits);

/// The k most probable classes, most probable first; ties go to the lower index.
std::vector<Prediction> TopK(std::span<const float> logits, std::size_t k);

}  // namespace kdequant

#endif  // KDEQUANT_VISION_TOPK_H_
