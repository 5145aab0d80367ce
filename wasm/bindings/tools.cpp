#include "tools.h"

#include <emscripten/bind.h>

#include "interop.h"
#include "kdequant/calibration/dead_leaves.h"
#include "kdequant/quantize/quantize.h"
#include "model.h"
#include "pixels.h"
#include "quantization.h"
#include "session.h"
#include "tally.h"

namespace kdequant::wasm {
namespace {

using emscripten::val;

// `index` below 0: the picture of the seed itself; otherwise the one that a quantization with this seed draws.
val DeadLeavesRgba(int size, double seed, int index) {
  return Guard([&]() -> Result<val> {
    if (size < 8 || size > 4096) return Fail(ErrorCode::kUsage, "a synthetic picture has a side of 8 to 4096 pixels");
    const auto number = static_cast<std::uint64_t>(seed);
    const auto rgba = ToRgba(index < 0 ? DeadLeaves(size, number)
                                       : CalibrationPicture(size, number, static_cast<std::size_t>(index)));
    // A copy: the pixels end with this function.
    return val::global("Uint8ClampedArray").new_(ViewOf(std::span<const std::uint8_t>(rgba)));
  });
}

// Classes of the engine get no more methods once they are registered: these are functions of an object.
val ToOnnx(Model& model) { return model.ToOnnx(); }

val LayerHistogram(Model& model, const std::string& layer, int bins, const std::string& options) {
  return model.LayerHistogram(layer, bins, options);
}

val LayerSample(Model& model, const std::string& layer, const std::string& options) {
  return model.LayerSample(layer, options);
}

val Profile(InferenceSession& session) { return session.Profile(); }

val FeatureMapsOf(InferenceSession& session, const std::string& layer, double first, double count, const val& ranges) {
  return session.FeatureMaps(layer, first, count, ranges);
}

val CompareOutputs(InferenceSession& session, InferenceSession& reference) { return session.CompareOutputs(reference); }

}  // namespace

void AddTools() {
  using emscripten::class_;
  using emscripten::function;

  function("deadLeaves", &DeadLeavesRgba);
  function("labelTable", &LabelTable);
  function("toOnnx", &ToOnnx);
  function("layerHistogram", &LayerHistogram);
  function("layerSample", &LayerSample);
  function("profile", &Profile);
  function("featureMaps", &FeatureMapsOf);
  function("compareOutputs", &CompareOutputs);

  class_<Quantization>("Quantization")
      .smart_ptr<std::shared_ptr<Quantization>>("Quantization")
      .class_function("create", &Quantization::Create)
      .function("reserve", &Quantization::Reserve)
      .function("addPicture", &Quantization::AddPicture)
      .function("step", &Quantization::Step)
      .function("reportFrom", &Quantization::ReportFrom)
      .function("finish", &Quantization::Finish);

  class_<Tally>("Tally")
      .smart_ptr<std::shared_ptr<Tally>>("Tally")
      .class_function("create", &Tally::Create)
      .function("add", &Tally::Add)
      .function("figures", &Tally::Figures);
}

}  // namespace kdequant::wasm
