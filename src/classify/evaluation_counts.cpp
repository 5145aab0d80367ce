#include "kdequant/classify/evaluation_counts.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "kdequant/base/math.h"
#include "kdequant/vision/topk.h"

namespace kdequant {
namespace {

using C = EvaluationCounts;

constexpr std::array kNames{NamedCount{"n", &C::n},
                            NamedCount{"skipped", &C::skipped},
                            NamedCount{"labelled", &C::labelled},
                            NamedCount{"top1", &C::top1},
                            NamedCount{"top5", &C::top5},
                            NamedCount{"compared", &C::compared},
                            NamedCount{"agreement", &C::agreement},
                            NamedCount{"kl_nano", &C::kl_nano},
                            NamedCount{"reference_top1", &C::reference_top1},
                            NamedCount{"lost", &C::lost},
                            NamedCount{"gained", &C::gained},
                            NamedCount{"microseconds", &C::microseconds}};

// A picture whose answer the model rules out entirely would otherwise outweigh thousands of others.
constexpr double kMaxDivergence = 1000;

// KL(p || q) in nats; never below 0, which rounding could give.
double Divergence(std::span<const float> p_logits, std::span<const float> q_logits) {
  const std::vector<double> p = LogProbabilities(p_logits);
  const std::vector<double> q = LogProbabilities(q_logits);
  double sum = 0;
  for (std::size_t i = 0; i < p.size(); ++i) sum += Exp(p[i]) * (p[i] - q[i]);
  return std::clamp(sum, 0.0, kMaxDivergence);
}

std::optional<double> Percent(std::int64_t part, std::int64_t whole) {
  if (whole == 0) return std::nullopt;
  return 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

std::span<const NamedCount> NamedCounts() { return kNames; }

EvaluationCounts& EvaluationCounts::operator+=(const EvaluationCounts& other) {
  for (const auto& [name, member] : kNames) this->*member += other.*member;
  return *this;
}

void Count(std::span<const float> logits, std::span<const float> reference, std::optional<std::size_t> label,
           EvaluationCounts& counts) {
  const auto top = TopK(logits, 5);
  if (top.empty()) return;
  ++counts.n;
  const bool right = label && top.front().class_index == *label;
  if (label) {
    ++counts.labelled;
    counts.top1 += right ? 1 : 0;
    counts.top5 += std::ranges::any_of(top, [&](const Prediction& p) { return p.class_index == *label; }) ? 1 : 0;
  }
  if (reference.size() != logits.size()) return;
  ++counts.compared;
  const std::size_t answer = TopK(reference, 1).front().class_index;
  counts.agreement += answer == top.front().class_index ? 1 : 0;
  counts.kl_nano += std::llround(Divergence(reference, logits) * 1e9);
  if (label) {
    const bool reference_right = answer == *label;
    counts.reference_top1 += reference_right ? 1 : 0;
    counts.lost += reference_right && !right ? 1 : 0;
    counts.gained += right && !reference_right ? 1 : 0;
  }
}

EvaluationFigures FiguresOf(const EvaluationCounts& counts) {
  EvaluationFigures figures;
  figures.n = counts.n;
  figures.top1 = Percent(counts.top1, counts.labelled);
  figures.top5 = Percent(counts.top5, counts.labelled);
  figures.agreement = Percent(counts.agreement, counts.compared);
  if (counts.n > 0)
    figures.ms_per_image = static_cast<double>(counts.microseconds) / 1000 / static_cast<double>(counts.n);
  if (counts.compared == 0) return figures;
  figures.kl = static_cast<double>(counts.kl_nano) * 1e-9 / static_cast<double>(counts.compared);
  if (counts.labelled == 0) return figures;
  figures.reference_top1 = Percent(counts.reference_top1, counts.labelled);
  const auto n = static_cast<double>(counts.labelled);
  const double mean = static_cast<double>(counts.lost - counts.gained) / n;
  const double squares = static_cast<double>(counts.lost + counts.gained);
  const double variance = n > 1 ? (squares - n * mean * mean) / (n - 1) : 0;
  const double half = 1.959963984540054 * Sqrt(std::max(0.0, variance) / n);
  figures.loss = 100 * mean;
  figures.loss_low = 100 * (mean - half);
  figures.loss_high = 100 * (mean + half);
  return figures;
}

}  // namespace kdequant
