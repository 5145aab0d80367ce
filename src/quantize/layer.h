// One layer's weights to 4 bits (or 8).
#ifndef KDEQUANT_QUANTIZE_LAYER_H_
#define KDEQUANT_QUANTIZE_LAYER_H_

#include <cstdint>
#include <string>

#include "kdequant/model/tensor.h"
#include "kdequant/quantize/quantize.h"

namespace kdequant {

struct QuantizedWeights {
  Tensor tensor;  ///< CodebookTensor
  std::size_t scanned = 0;
  std::size_t sampled = 0;
  double bandwidth = 0;
  std::vector<float> levels;  ///< for the report
};

/// Designs the levels on `weights` ([out_channels, ...]) and gives every weight the index of its nearest one. `seed` is
/// the layer's own. Errors: those of DesignCodebook.
Result<QuantizedWeights> QuantizeToCodebook(const FloatTensor& weights, const QuantizeOptions& options,
                                            std::uint64_t seed);

/// Rounds to signed 8 bits with the scale max|w| / 127 of each output channel (1 for a channel of zeros). For depthwise
/// kernels, whose 9 to 25 weights a channel are too few for a table and make 1 to 4 % of a network.
Int8Tensor QuantizeToInt8(const FloatTensor& weights);

}  // namespace kdequant

#endif  // KDEQUANT_QUANTIZE_LAYER_H_
