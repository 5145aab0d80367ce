// kdequant/classify/classifier.h
// A picture in, answers out.
#ifndef KDEQUANT_CLASSIFY_CLASSIFIER_H_
#define KDEQUANT_CLASSIFY_CLASSIFIER_H_

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "kdequant/base/result.h"
#include "kdequant/classify/input.h"
#include "kdequant/model/graph.h"
#include "kdequant/runtime/session.h"
#include "kdequant/vision/image.h"
#include "kdequant/vision/preprocess.h"
#include "kdequant/vision/topk.h"

namespace kdequant {

/// Whether any layer's weights are quantized, so that the network can run in w4a8.
bool HasQuantizedWeights(const Graph& graph);

struct ClassifierOptions {
  /// Absent: w4a8 where the graph has quantized weights, f32 where it has not.
  std::optional<Precision> precision = {};
  KernelSet kernels = KernelSet::kBest;
  int threads = 1;
  /// A preprocessing SPEC laid over what the file says.
  std::string preprocess = {};
};

struct Classification {
  std::vector<Prediction> top;  ///< Most probable first.
  double milliseconds = 0;      ///< Of the network alone: decoding and preprocessing are not in it.
};

/// A network with everything that it takes to ask it about a picture. Not thread-safe: one a thread.
class Classifier {
 public:
  /// `graph` must be prepared; large constants are shared with it, and it need not live on. Errors: kUsage (w4a8
  /// without quantized weights, a wrong SPEC), kUnsupported (the input is no picture, the output no list of classes, or
  /// what Session::Create says).
  static Result<Classifier> Create(const Graph& graph, const ClassifierOptions& options = {});

  Result<Classification> Classify(const Image& image, std::size_t k);

  /// The network's output as it is, valid until the next call. Errors: as Session::Run.
  Result<std::span<const float>> Logits(const Image& image);

  double milliseconds() const { return milliseconds_; }  ///< Of the last run.
  std::size_t class_count() const { return class_count_; }
  const Preprocess& preprocess() const { return preprocess_; }
  const SessionInfo& info() const { return session_.info(); }

 private:
  Classifier(Session session, const Preprocess& preprocess, TensorLayout layout, std::size_t class_count)
      : session_(std::move(session)), preprocess_(preprocess), layout_(layout), class_count_(class_count) {}

  Session session_;
  Preprocess preprocess_;
  TensorLayout layout_;
  std::size_t class_count_;
  double milliseconds_ = 0;
};

}  // namespace kdequant

#endif  // KDEQUANT_CLASSIFY_CLASSIFIER_H_
