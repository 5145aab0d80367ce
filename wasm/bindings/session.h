// A session, as JavaScript holds it.
#ifndef KDEQUANT_WASM_SESSION_H_
#define KDEQUANT_WASM_SESSION_H_

#include <emscripten/val.h>

#include <string>
#include <vector>

#include "kdequant/runtime/session.h"
#include "kdequant/vision/preprocess.h"
#include "model.h"
#include "pixels.h"

namespace kdequant::wasm {

/// Answers from pixels (Reserve, fill, then Classify, Logits, Crop or Profile) or from a tensor (Input, fill, then
/// Run). Views are valid until the next call.
class InferenceSession {
 public:
  InferenceSession(Session session, Preprocess preprocess, TensorLayout layout)
      : session_(std::move(session)), preprocess_(preprocess), layout_(layout) {}

  /// `precision`: "f32" or "w4a8"; `kernels`: "best" or a KernelSetName. Returns an InferenceSession or a failure.
  static emscripten::val Create(const Model& model, const std::string& precision, const std::string& kernels,
                                bool dynamic_ranges);

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

  emscripten::val Input();
  emscripten::val Run();

 private:
  Result<std::vector<float>> Tensor();

  Session session_;
  Preprocess preprocess_;
  TensorLayout layout_;
  PixelBuffer pixels_;
  std::vector<float> input_;
  std::vector<double> answers_;
  std::vector<std::uint8_t> crop_;
};

}  // namespace kdequant::wasm

#endif  // KDEQUANT_WASM_SESSION_H_
