// A loaded network, as JavaScript holds it.
#ifndef KDEQUANT_WASM_MODEL_H_
#define KDEQUANT_WASM_MODEL_H_

#include <emscripten/val.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "interop.h"
#include "kdequant/model/graph.h"
#include "kdequant/vision/preprocess.h"

namespace kdequant::wasm {

class Model {
 public:
  Model(std::shared_ptr<const Graph> graph, Preprocess preprocess, std::size_t file_bytes)
      : graph_(std::move(graph)), preprocess_(preprocess), file_bytes_(file_bytes) {}

  /// Reads and prepares an ONNX file, the first `length` bytes of `file`. `preprocess` is a SPEC laid over the file's;
  /// `labels`, newline-joined, or else `label_set` replace the file's unless empty. All are kept in the graph's
  /// metadata, so that they go into files written from it. Returns a Model or a failure.
  static emscripten::val Load(const Bytes& file, double length, const std::string& preprocess,
                              const std::string& labels, const std::string& label_set);

  /// A model made here: writes it once, for its size and for ToOnnx. kLimit or whatever WriteOnnx says.
  static Result<std::shared_ptr<Model>> FromGraph(Graph graph, Preprocess preprocess);

  const std::shared_ptr<const Graph>& graph() const { return graph_; }
  const Preprocess& preprocess() const { return preprocess_; }

  double FileBytes() const { return static_cast<double>(file_bytes_); }
  /// What TypeScript calls ModelSummary, as JSON.
  std::string Summary() const;
  /// A Uint8Array view of the ONNX file, or a failure.
  emscripten::val ToOnnx();
  /// A Float32Array view of a layer's weights, valid until the next call, or a failure.
  emscripten::val LayerWeights(const std::string& layer);

 private:
  std::shared_ptr<const Graph> graph_;
  Preprocess preprocess_;
  std::size_t file_bytes_;
  std::vector<std::uint8_t> onnx_;  // Kept once written: a 4-bit file is small.
  std::vector<float> weights_;      // What LayerWeights' view shows.
};

}  // namespace kdequant::wasm

#endif  // KDEQUANT_WASM_MODEL_H_
