// kdequant/quantize/channel_scales.h
// Output channels of different strength on one scale, so that they can share a codebook.
#ifndef KDEQUANT_QUANTIZE_CHANNEL_SCALES_H_
#define KDEQUANT_QUANTIZE_CHANNEL_SCALES_H_

#include <vector>

#include "kdequant/model/tensor.h"

namespace kdequant {

struct NormalizedWeights {
  std::vector<float> values = {};  ///< In the order of the weights, each divided by its channel's scale.
  std::vector<float> scales = {};  ///< Of each output channel; 0 for a channel of zeros, whose values stay zeros.
};

/// Divides `weights` ([out_channels, ...]) by the root mean square of each output channel. A channel of zeros (real
/// models have some) says nothing about the density of the others, but its zeros are among the weights.
NormalizedWeights NormalizeChannels(const FloatTensor& weights);

}  // namespace kdequant

#endif  // KDEQUANT_QUANTIZE_CHANNEL_SCALES_H_
