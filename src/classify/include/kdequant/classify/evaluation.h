// kdequant/classify/evaluation.h
// How often a network is right, and how often it says what its float reference says.
#ifndef KDEQUANT_CLASSIFY_EVALUATION_H_
#define KDEQUANT_CLASSIFY_EVALUATION_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "kdequant/base/job.h"
#include "kdequant/base/result.h"
#include "kdequant/classify/classifier.h"
#include "kdequant/classify/evaluation_counts.h"
#include "kdequant/classify/image_source.h"
#include "kdequant/model/graph.h"

namespace kdequant {

struct EvaluationOptions {
  /// For the model. The reference runs in f32, on pictures prepared as the model's.
  ClassifierOptions classifier = {};
  /// Pictures at once, each on a thread with sessions of its own; 0: as many as the machine has processors. The counts
  /// do not depend on it.
  int threads = 1;
  /// Output index = class of the label + this (1 for networks whose first output is "background").
  std::int64_t label_offset = 0;
  /// Only the first so many pictures; 0: all.
  std::size_t limit = 0;
  /// Only every `shards`-th picture of those, beginning with number `shard` (from 0).
  std::size_t shard = 0;
  std::size_t shards = 1;
};

/// A picture that could not be read.
struct SkippedPicture {
  std::string name = {};
  Error error = {};
};

/// Evaluates picture by picture.
class Evaluation : public Job {
 public:
  /// `model` and `reference` (may be null) must be prepared. Errors: kUsage (shard beyond shards), kBadInput (no
  /// picture; a label that is no class of the network: picture, class and number of classes are named), and what
  /// Classifier::Create says.
  static Result<std::unique_ptr<Evaluation>> Create(const Graph& model, const Graph* reference,
                                                    std::shared_ptr<const ImageSource> images,
                                                    const EvaluationOptions& options = {});

  /// So far. Step fails with kBadInput if no picture at all could be read.
  virtual const EvaluationCounts& counts() const = 0;
  /// In the order of the source.
  virtual const std::vector<SkippedPicture>& skipped() const = 0;
  virtual const SessionInfo& info() const = 0;
};

}  // namespace kdequant

#endif  // KDEQUANT_CLASSIFY_EVALUATION_H_
