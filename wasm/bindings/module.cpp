// The classes and functions that the engine's module gives to TypeScript (wasm/ts/engine.ts holds their types).
#include <emscripten/bind.h>

#include "interop.h"
#include "kdequant/calibration/dead_leaves.h"
#include "kdequant/quantize/quantize.h"
#include "model.h"
#include "pixels.h"
#include "quantization.h"
#include "self_test.h"
#include "session.h"
#include "tally.h"
#include "threads.h"

namespace kdequant::wasm {
namespace {

// `index` below 0: the picture of the seed itself; otherwise the one that a quantization with this seed draws.
emscripten::val DeadLeavesRgba(int size, double seed, int index) {
  return Guard([&]() -> Result<emscripten::val> {
    if (size < 8 || size > 4096) return Fail(ErrorCode::kUsage, "a synthetic picture has a side of 8 to 4096 pixels");
    const auto number = static_cast<std::uint64_t>(seed);
    const auto rgba = ToRgba(index < 0 ? DeadLeaves(size, number)
                                       : CalibrationPicture(size, number, static_cast<std::size_t>(index)));
    // A copy: the pixels end with this function.
    return emscripten::val::global("Uint8ClampedArray").new_(ViewOf(std::span<const std::uint8_t>(rgba)));
  });
}

}  // namespace

EMSCRIPTEN_BINDINGS(kdequant) {
  using emscripten::class_;

  emscripten::function("selfTest", &SelfTest);
  emscripten::function("deadLeaves", &DeadLeavesRgba);
  emscripten::function("labelTable", &LabelTable);
#ifdef __wasm_atomics__
  emscripten::function("prepareThread", &PrepareThread);
  emscripten::function("admitThreads", &AdmitThreads);
#endif

  class_<Bytes>("Bytes")
      .smart_ptr<std::shared_ptr<Bytes>>("Bytes")
      .class_function("create", &Bytes::Create)
      .function("view", &Bytes::View);

  class_<Model>("Model")
      .smart_ptr<std::shared_ptr<Model>>("Model")
      .class_function("load", &Model::Load)
      .function("fileBytes", &Model::FileBytes)
      .function("summary", &Model::Summary)
      .function("toOnnx", &Model::ToOnnx)
      .function("layerWeights", &Model::LayerWeights)
      .function("layerHistogram", &Model::LayerHistogram)
      .function("layerSample", &Model::LayerSample);

  class_<Quantization>("Quantization")
      .smart_ptr<std::shared_ptr<Quantization>>("Quantization")
      .class_function("create", &Quantization::Create)
      .function("reserve", &Quantization::Reserve)
      .function("addPicture", &Quantization::AddPicture)
      .function("step", &Quantization::Step)
      .function("reportFrom", &Quantization::ReportFrom)
      .function("finish", &Quantization::Finish);

  class_<InferenceSession>("Session")
      .smart_ptr<std::shared_ptr<InferenceSession>>("Session")
      .class_function("create", &InferenceSession::Create)
      .function("info", &InferenceSession::Info)
      .function("reserve", &InferenceSession::Reserve)
      .function("classify", &InferenceSession::Classify)
      .function("logits", &InferenceSession::Logits)
      .function("crop", &InferenceSession::Crop)
      .function("profile", &InferenceSession::Profile)
      .function("featureMaps", &InferenceSession::FeatureMaps)
      .function("compareOutputs", &InferenceSession::CompareOutputs)
      .function("input", &InferenceSession::Input)
      .function("run", &InferenceSession::Run);

  class_<Tally>("Tally")
      .smart_ptr<std::shared_ptr<Tally>>("Tally")
      .class_function("create", &Tally::Create)
      .function("add", &Tally::Add)
      .function("figures", &Tally::Figures);
}

}  // namespace kdequant::wasm
