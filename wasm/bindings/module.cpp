// The classes and functions that the engine's module gives to TypeScript (wasm/ts/engine-module.ts holds their types).
#include <emscripten/bind.h>

#include "interop.h"
#include "model.h"
#include "self_test.h"
#include "session.h"
#include "threads.h"
#include "tools.h"

namespace kdequant::wasm {
EMSCRIPTEN_BINDINGS(kdequant) {
  using emscripten::class_;

  emscripten::function("selfTest", &SelfTest);
  emscripten::function("addTools", &AddTools);
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
      .function("layerWeights", &Model::LayerWeights);

  class_<InferenceSession>("Session")
      .smart_ptr<std::shared_ptr<InferenceSession>>("Session")
      .class_function("create", &InferenceSession::Create)
      .function("info", &InferenceSession::Info)
      .function("reserve", &InferenceSession::Reserve)
      .function("classify", &InferenceSession::Classify)
      .function("logits", &InferenceSession::Logits)
      .function("crop", &InferenceSession::Crop)
      .function("input", &InferenceSession::Input)
      .function("run", &InferenceSession::Run);
}

}  // namespace kdequant::wasm
