// kdequant/classify/evaluation_counts.h
// What an evaluation counts, and the figures that follow.
#ifndef KDEQUANT_CLASSIFY_EVALUATION_COUNTS_H_
#define KDEQUANT_CLASSIFY_EVALUATION_COUNTS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace kdequant {

/// Everything that a set of pictures gave, in whole numbers: the parts of a split evaluation add up to exactly what one
/// run gives, in any order and on any number of threads.
struct EvaluationCounts {
  std::int64_t n = 0;          ///< pictures evaluated
  std::int64_t skipped = 0;    ///< pictures that could not be read
  std::int64_t labelled = 0;   ///< of n, with a known class
  std::int64_t top1 = 0;       ///< of labelled, the first answer is right
  std::int64_t top5 = 0;       ///< of labelled, one of the first five is
  std::int64_t compared = 0;   ///< of n, the reference answered too
  std::int64_t agreement = 0;  ///< of compared, both have the same first answer
  std::int64_t kl_nano = 0;    ///< sum over compared of KL(reference || model), each rounded to a billionth of a nat
  std::int64_t reference_top1 = 0;  ///< of labelled, the reference's first answer is right
  std::int64_t lost = 0;            ///< the reference is right and the model is not
  std::int64_t gained = 0;          ///< the model is right and the reference is not
  std::int64_t microseconds = 0;    ///< that the model ran

  EvaluationCounts& operator+=(const EvaluationCounts& other);
  friend bool operator==(const EvaluationCounts&, const EvaluationCounts&) = default;
};

/// One count and its name in JSON, for those who write and read all of them.
struct NamedCount {
  const char* name;
  std::int64_t EvaluationCounts::* member;
};
std::span<const NamedCount> NamedCounts();

/// Adds what one picture gave. `reference` is empty without a reference model, and then `label` alone counts. Both
/// spans are logits or probabilities of equal length.
void Count(std::span<const float> logits, std::span<const float> reference, std::optional<std::size_t> label,
           EvaluationCounts& counts);

/// Percentages from 0 to 100; absent where nothing was counted.
struct EvaluationFigures {
  std::int64_t n = 0;
  std::optional<double> top1, top5, agreement, reference_top1;
  std::optional<double> kl;  ///< Mean KL(reference || model) of the class probabilities, in nats.
  /// Top-1 points lost against the reference on the same pictures, and the interval that holds the true loss with 95 %
  /// confidence.
  ///
  /// Paired: a picture counts 1 where only the reference is right, -1 where only the model is, 0 otherwise; the
  /// interval is the mean of these d +- 1.96 s / sqrt(n), s their standard deviation (n - 1), by the normal
  /// approximation. That is much narrower than comparing two separate accuracies, because both see the same pictures;
  /// it is too narrow where fewer than about ten pictures differ (and has length 0 where none does). Source: Agresti,
  /// Categorical Data Analysis (2013), 11.1.2.
  std::optional<double> loss, loss_low, loss_high;
  std::optional<double> ms_per_image;
};

EvaluationFigures FiguresOf(const EvaluationCounts& counts);

}  // namespace kdequant

#endif  // KDEQUANT_CLASSIFY_EVALUATION_COUNTS_H_
