#include "kdequant/classify/evaluation_counts.h"

#include <doctest/doctest.h>

#include <vector>

#include "interval.h"

namespace kdequant {
namespace {

TEST_CASE("A picture counts by the place of its class among the answers") {
  const std::vector<float> logits{6, 5, 4, 3, 2, 1, 0};
  EvaluationCounts counts;
  Count(logits, {}, 0, counts);  // first
  Count(logits, {}, 4, counts);  // fifth
  Count(logits, {}, 5, counts);  // sixth
  Count(logits, {}, std::nullopt, counts);
  CHECK(counts.n == 4);
  CHECK(counts.labelled == 3);
  CHECK(counts.top1 == 1);
  CHECK(counts.top5 == 2);
  CHECK(counts.compared == 0);
}

TEST_CASE("Against a reference, agreement, lost and gained answers and the divergence are counted") {
  const std::vector<float> first{2, 1};
  const std::vector<float> second{1, 2};
  EvaluationCounts counts;
  Count(first, first, 0, counts);    // both right
  Count(first, second, 0, counts);   // gained
  Count(first, second, 1, counts);   // lost
  Count(second, second, 0, counts);  // both wrong
  CHECK(counts.agreement == 2);
  CHECK(counts.lost == 1);
  CHECK(counts.gained == 1);
  CHECK(counts.reference_top1 == 2);
  // Logits (they do not add up to 1). KL between (e, 1) / (e + 1) and its mirror image: 2 sigmoid(1) - 1 = 0.462117157.
  CHECK(counts.kl_nano == 2 * 462'117'157);
}

TEST_CASE("Parts add up to the whole, whatever the order") {
  EvaluationCounts parts[3];
  EvaluationCounts whole;
  for (int i = 0; i < 30; ++i) {
    const std::vector<float> logits{static_cast<float>(i % 7), 3, static_cast<float>(i % 5)};
    const std::vector<float> reference{static_cast<float>(i % 6), 2.5F, static_cast<float>(i % 4)};
    Count(logits, reference, static_cast<std::size_t>(i % 3), parts[i % 3]);
    Count(logits, reference, static_cast<std::size_t>(i % 3), whole);
  }
  EvaluationCounts sum = parts[2];
  sum += parts[0];
  sum += parts[1];
  CHECK(sum == whole);
}

TEST_CASE("The 95 % interval is that of the paired differences") {
  EvaluationCounts counts;
  counts.n = counts.labelled = counts.compared = 500;
  counts.reference_top1 = 400;
  counts.top1 = 394;
  counts.lost = 16;
  counts.gained = 10;
  counts.agreement = 460;
  const EvaluationFigures figures = FiguresOf(counts);
  CHECK(*figures.top1 == doctest::Approx(78.8));
  CHECK(*figures.agreement == doctest::Approx(92));
  CHECK(*figures.loss == doctest::Approx(1.2));
  // d = 16 ones, 10 minus ones, 474 zeros: s = sqrt((26 - 36/500) / 499) = 0.227947, 1.959964 s / sqrt(500) = 1.99799
  // points.
  CHECK(*figures.loss_low == doctest::Approx(1.2 - 1.99799).epsilon(1e-4));
  CHECK(*figures.loss_high == doctest::Approx(1.2 + 1.99799).epsilon(1e-4));
}

TEST_CASE("What was not counted has no figure") {
  EvaluationCounts counts;
  CHECK(!FiguresOf(counts).ms_per_image.has_value());
  counts.n = 3;
  CHECK(!FiguresOf(counts).top1.has_value());
  CHECK(!FiguresOf(counts).kl.has_value());
  counts.compared = 3;
  CHECK(FiguresOf(counts).kl.has_value());
  CHECK(!FiguresOf(counts).loss_low.has_value());
}

}  // namespace
}  // namespace kdequant
