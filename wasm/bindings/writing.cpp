// A model as an ONNX file.
#include <utility>

#include "kdequant/onnx/writer.h"
#include "model.h"

namespace kdequant::wasm {

Result<std::shared_ptr<Model>> Model::FromGraph(Graph graph, Preprocess preprocess) {
  auto onnx = WriteOnnx(graph);
  if (!onnx) return Forward(onnx);
  auto model = std::make_shared<Model>(std::make_shared<const Graph>(std::move(graph)), preprocess, onnx->size());
  model->onnx_ = *std::move(onnx);
  return model;
}

emscripten::val Model::ToOnnx() {
  return Guard([&]() -> Result<emscripten::val> {
    if (onnx_.empty()) {
      auto onnx = WriteOnnx(*graph_);
      if (!onnx) return Forward(onnx);
      onnx_ = *std::move(onnx);
    }
    return ViewOf(std::span<const std::uint8_t>(onnx_));
  });
}

}  // namespace kdequant::wasm
