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

/// Probabilities: the softmax of `logits`, or `logits` themselves where they already are a distribution (all within [0,
/// 1], sum within 1e-3 of 1: the network ends in its own softmax). Computed with this project's own Exp and summed in
/// index order: the same bits on every build. A NaN counts as the lowest logit.
std::vector<double> Probabilities(std::span<const float> logits);

/// Natural logarithms of Probabilities, without its underflow: finite for every finite logit. For comparing two
/// networks by Kullback-Leibler divergence. A stored probability of 0 counts as 1e-30.
std::vector<double> LogProbabilities(std::span<const float> logits);

/// The k most probable classes (all if there are fewer), most probable first; ties go to the lower index.
std::vector<Prediction> TopK(std::span<const float> logits, std::size_t k);

}  // namespace kdequant

#endif  // KDEQUANT_VISION_TOPK_H_
