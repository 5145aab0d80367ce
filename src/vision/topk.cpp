#include "kdequant/vision/topk.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "kdequant/base/math.h"

namespace kdequant {
namespace {

constexpr double kSumTolerance = 1e-3;
constexpr double kLowestProbability = 1e-30;

// An infinite logit would make the softmax 0/0.
double Finite(float logit) {
  constexpr auto kMax = static_cast<double>(std::numeric_limits<float>::max());
  return std::isnan(logit) ? -kMax : std::clamp(static_cast<double>(logit), -kMax, kMax);
}

bool IsDistribution(std::span<const float> logits) {
  double sum = 0;
  for (const float x : logits) {
    const bool probability = x >= 0 && x <= 1;
    if (!probability) return false;
    sum += static_cast<double>(x);
  }
  return std::fabs(sum - 1) <= kSumTolerance;
}

double Largest(std::span<const float> logits) {
  double largest = -std::numeric_limits<double>::infinity();
  for (const float x : logits) largest = std::max(largest, Finite(x));
  return largest;
}

}  // namespace

std::vector<double> Probabilities(std::span<const float> logits) {
  if (IsDistribution(logits)) return {logits.begin(), logits.end()};
  std::vector<double> result(logits.size());
  const double largest = Largest(logits);
  double sum = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    result[i] = Exp(Finite(logits[i]) - largest);
    sum += result[i];
  }
  for (double& p : result) p /= sum;
  return result;
}

std::vector<double> LogProbabilities(std::span<const float> logits) {
  std::vector<double> result(logits.size());
  if (IsDistribution(logits)) {
    std::ranges::transform(logits, result.begin(),
                           [](float p) { return Log(std::max(static_cast<double>(p), kLowestProbability)); });
    return result;
  }
  const double largest = Largest(logits);
  double sum = 0;
  for (const float x : logits) sum += Exp(Finite(x) - largest);
  const double log_sum = Log(sum);
  std::ranges::transform(logits, result.begin(), [&](float x) { return Finite(x) - largest - log_sum; });
  return result;
}

std::vector<Prediction> TopK(std::span<const float> logits, std::size_t k) {
  std::vector<std::size_t> order(logits.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto middle = order.begin() + static_cast<std::ptrdiff_t>(std::min(k, order.size()));
  // By logit, not by probability: far below the largest logit, different logits have the same probability 0.
  std::partial_sort(order.begin(), middle, order.end(), [&](std::size_t a, std::size_t b) {
    const double x = Finite(logits[a]);
    const double y = Finite(logits[b]);
    return x != y ? x > y : a < b;
  });
  const std::vector<double> probabilities = Probabilities(logits);
  std::vector<Prediction> result;
  for (auto i = order.begin(); i != middle; ++i)
    result.push_back({.class_index = *i, .probability = probabilities[*i]});
  return result;
}

}  // namespace kdequant
