// A quantization under way, as JavaScript holds it.
#ifndef KDEQUANT_WASM_QUANTIZATION_H_
#define KDEQUANT_WASM_QUANTIZATION_H_

#include <emscripten/val.h>

#include <chrono>
#include <memory>
#include <string>

#include "kdequant/quantize/quantize.h"
#include "model.h"
#include "pixels.h"

namespace kdequant::wasm {

/// Create; for each calibration picture Reserve, fill and AddPicture; Step until done; Finish. Deleting it cancels it.
class Quantization {
 public:
  Quantization(std::shared_ptr<const Graph> graph, double bytes_in, QuantizeOptions options)
      : graph_(std::move(graph)), bytes_in_(bytes_in), preprocess_(options.preprocess), options_(std::move(options)) {}

  /// `options`: JSON of TypeScript's QuantizeOptions without its functions and pictures. Returns a Quantization or a
  /// failure.
  static emscripten::val Create(const Model& model, const std::string& options);

  emscripten::val Reserve(int width, int height, int channels) { return pixels_.Reserve(width, height, channels); }
  /// Keeps only the crop that the network sees.
  emscripten::val AddPicture();

  /// { done, fraction, stage, layer, layers: number of layers finished }, or a failure.
  emscripten::val Step(double budget_ms);
  /// The report of the finished layers from number `first` on, as JSON.
  std::string ReportFrom(int first) const;
  /// { model, report: JSON }, or a failure. Once, after Step said done.
  emscripten::val Finish();

 private:
  std::shared_ptr<const Graph> graph_;
  double bytes_in_;
  Preprocess preprocess_;
  QuantizeOptions options_;
  PixelBuffer pixels_;
  std::unique_ptr<QuantizeJob> job_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// Reads the JSON over the defaults. kUsage names the option and lists what is allowed.
Result<QuantizeOptions> ParseQuantizeOptions(const std::string& json, const Preprocess& preprocess);

}  // namespace kdequant::wasm

#endif  // KDEQUANT_WASM_QUANTIZATION_H_
