// A loaded network, as JavaScript holds it.
#ifndef KDEQUANT_WASM_MODEL_H_
#define KDEQUANT_WASM_MODEL_H_

#include <emscripten/val.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "interop.h"
#include "kdequant/density/histogram.h"
#include "kdequant/density/sample.h"
#include "kdequant/density/scaled_weights.h"
#include "kdequant/model/graph.h"
#include "kdequant/quantize/quantize.h"
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
  /// How a layer's weights are distributed, without the weights: { low, step, min, max, weights, moments }, `moments` a
  /// Float64Array view of count, sum and sum of squares of each bin. `options`: JSON of QuantizeOptions, of which
  /// `granularity` counts. Returns a failure if there is no such layer, or for granularity `channel`.
  emscripten::val LayerHistogram(const std::string& layer, int bins, const std::string& options);
  /// A few of the weights, chosen as a quantization with these options chooses them: { values, importances, weights,
  /// scanned, min, max }, the first two Float64Array views. `options` and failures as above; `sampling`, `samples` and
  /// `seed` count too.
  emscripten::val LayerSample(const std::string& layer, const std::string& options);

 private:
  /// The index of its node. kUsage if there is no such layer with weights.
  Result<std::size_t> FindLayer(const std::string& layer) const;
  /// The weights that the levels of layer `node` are designed on, valid until the next call.
  Result<ScaledWeights> DesignWeights(std::size_t node, Granularity granularity);

  std::shared_ptr<const Graph> graph_;
  Preprocess preprocess_;
  std::size_t file_bytes_;
  std::vector<std::uint8_t> onnx_;  // Kept once written: a 4-bit file is small.
  std::vector<float> weights_;      // What LayerWeights' view shows.

  // The last answer of DesignWeights, because a slider that asks for one sample after another wants them at once.
  struct {
    std::size_t node = 0;
    Granularity granularity = Granularity::kChannel;  // nothing yet
    FloatTensor dequantized;                          // of a layer that is not kept in floats anyway
    std::vector<float> scales;                        // by channel; empty: none
  } design_weights_;
  MomentHistogram histogram_;
  Sample sample_;
};

}  // namespace kdequant::wasm

#endif  // KDEQUANT_WASM_MODEL_H_
