// A session, as JavaScript holds it.
#ifndef KDEQUANT_WASM_SESSION_H_
#define KDEQUANT_WASM_SESSION_H_

#include <emscripten/val.h>

#include <string>
#include <vector>

#include "kdequant/calibration/statistics.h"
#include "kdequant/runtime/observe.h"
#include "kdequant/runtime/session.h"
#include "kdequant/vision/preprocess.h"
#include "model.h"
#include "pixels.h"

namespace kdequant::wasm {

/// Answers from pixels (Reserve, fill, then Classify, Logits, Crop, Profile, FeatureMaps or CompareOutputs) or from a
/// tensor (Input, fill, then Run). Views are valid until the next call.
class InferenceSession {
 public:
  InferenceSession(Session session, const Graph& graph, Preprocess preprocess)
      : session_(std::move(session)),
        preprocess_(preprocess),
        layout_(InputLayout(graph)),
        outputs_(LayerOutputs(graph)) {}

  /// `precision`: "f32" or "w4a8"; `kernels`: "best" or a KernelSetName; `threads`: at most those of the
  /// module. Returns an InferenceSession or a failure.
  static emscripten::val Create(const Model& model, const std::string& precision, const std::string& kernels,
                                bool dynamic_ranges, int threads);

  /// What TypeScript calls SessionInfo, without `build`, as JSON.
  std::string Info() const;

  emscripten::val Reserve(int width, int height, int channels) { return pixels_.Reserve(width, height, channels); }
  /// { milliseconds, preprocessMilliseconds, answers: [class, probability, class, probability...] }
  emscripten::val Classify(int top);
  emscripten::val Logits();
  /// The square RGBA picture that the network sees, as a view of bytes.
  emscripten::val Crop();
  /// [{ layer, op, milliseconds }...]
  emscripten::val Profile();

  /// { channels, width, height, pixels, ranges: [low, high, low, high...] }; `ranges` may be given as such an array of
  /// another session, or be empty.
  emscripten::val FeatureMaps(const std::string& layer, double first, double count, const emscripten::val& ranges);
  /// [{ layer, op, signal, error }...]
  emscripten::val CompareOutputs(InferenceSession& reference);

  emscripten::val Input();
  emscripten::val Run();

  /// The reserved pixels as the network's input.
  Result<std::vector<float>> Tensor();
  Session& session() { return session_; }

 private:
  Session session_;
  Preprocess preprocess_;
  TensorLayout layout_;
  std::vector<LayerOutput> outputs_;
  kdequant::FeatureMaps maps_;
  PixelBuffer pixels_;
  std::vector<float> input_;
  std::vector<double> answers_;
  std::vector<std::uint8_t> crop_;
};

}  // namespace kdequant::wasm

#endif  // KDEQUANT_WASM_SESSION_H_
