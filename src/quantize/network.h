// The 4-bit network as it grows, layer by layer, beside the float one.
#ifndef KDEQUANT_QUANTIZE_NETWORK_H_
#define KDEQUANT_QUANTIZE_NETWORK_H_

#include <cstddef>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "kdequant/calibration/statistics.h"
#include "kdequant/model/graph.h"
#include "kdequant/quantize/quantize.h"

namespace kdequant {

class GrowingNetwork {
 public:
  GrowingNetwork(std::shared_ptr<const Graph> graph, const QuantizeOptions& options);

  const Graph& float_graph() const { return *graph_; }
  const Graph& graph() const { return result_; }
  /// The layers to quantize or leave: node indices, in order.
  const std::vector<std::size_t>& layers() const { return layers_; }
  bool Excluded(std::size_t node) const;
  /// Whether the layer becomes a codebook: neither excluded nor depthwise.
  bool GetsCodebook(std::size_t node) const;
  /// Whether its errors are compensated, too.
  bool IsCompensated(std::size_t node) const;
  const FloatTensor& Weights(std::size_t node) const;

  /// The layer with every weight at its nearest level, or in 8 bits (depthwise); the report says what it took. Nothing
  /// is installed. Errors: those of DesignCodebook, the layer named.
  Result<Tensor> Round(std::size_t node, LayerReport& report) const;

  /// Puts the layer into the network: its weights, and a bias with W E[x] - Q E[xq] added, so that the mean of the
  /// output stays what it is in the float network. `float_means` are E[x] and `quantized_means` E[xq] by column, or
  /// both empty: the bias stays. The report's sqnr_db and bytes are set.
  void Install(std::size_t node, Tensor quantized, std::span<const double> float_means,
               std::span<const double> quantized_means, LayerReport& report);

  /// Static ranges for the values that `extents` names (outputs of the network excepted), and metadata.
  void Complete(const ValueExtents& extents);
  Graph Take() { return std::move(result_); }

 private:
  void AddToBias(std::size_t node, std::span<const double> shifts);
  std::size_t Uses(ValueId id) const;
  bool FeedsOnlyDepthwise(ValueId id) const;
  // What two values are added to, and those two.
  std::set<ValueId> ValuesOfSums() const;
  // The network's outputs, and what they are but another shape or the softmax of.
  std::set<ValueId> ValuesOfAnswers() const;
  // Means of whole images that layers read. However deep, they reach as far on drawn pictures as on photographs
  // (ResNet-50 17.7 and 17.8, EfficientNet-Lite0 4.8 and 4.7): features that only these excite are at few positions.
  std::set<ValueId> ValuesOfFeatureMeans() const;
  std::string FreshName(std::string name) const;

  std::shared_ptr<const Graph> graph_;
  const QuantizeOptions& options_;
  Graph result_;
  std::vector<std::size_t> layers_;
};

}  // namespace kdequant

#endif  // KDEQUANT_QUANTIZE_NETWORK_H_
