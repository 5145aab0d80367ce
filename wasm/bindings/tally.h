// Counting how often a session is right and agrees with another, as JavaScript holds it.
#ifndef KDEQUANT_WASM_TALLY_H_
#define KDEQUANT_WASM_TALLY_H_

#include <emscripten/val.h>

#include <memory>
#include <string>
#include <vector>

#include "kdequant/classify/evaluation_counts.h"
#include "session.h"

namespace kdequant::wasm {

/// Create; for each picture fill the session's pixels and Add; Figures at any time. JavaScript decodes the pictures and
/// says when to stop, so there is no job here.
class Tally {
 public:
  Tally(std::shared_ptr<InferenceSession> session, std::shared_ptr<InferenceSession> reference)
      : session_(std::move(session)), reference_(std::move(reference)) {}

  /// `reference` may be null. Returns a Tally, or a failure: kUsage (the two take different pictures or have different
  /// classes).
  static emscripten::val Create(const std::shared_ptr<InferenceSession>& session,
                                const std::shared_ptr<InferenceSession>& reference);

  /// Answers the picture in the session's pixels with both and counts it. `label` below 0: unknown. Returns
  /// { milliseconds, answers, referenceMilliseconds, referenceAnswers: [class, probability...] } (without a reference,
  /// no answers), or a failure: kUsage (no such class).
  emscripten::val Add(double label, int top);

  /// What TypeScript calls EvaluationFigures, as JSON.
  std::string Figures() const;

 private:
  std::shared_ptr<InferenceSession> session_, reference_;
  EvaluationCounts counts_;
  std::vector<double> answers_, reference_answers_;
};

/// [{ file, classIndex }...] of a CSV table with the columns file and class_index, or a failure.
emscripten::val LabelTable(const std::string& csv);

}  // namespace kdequant::wasm

#endif  // KDEQUANT_WASM_TALLY_H_
