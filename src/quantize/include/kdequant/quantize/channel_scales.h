// kdequant/quantize/channel_scales.h
// Output channels of different strength on one scale, so that they can share a codebook.
#ifndef KDEQUANT_QUANTIZE_CHANNEL_SCALES_H_
#define KDEQUANT_QUANTIZE_CHANNEL_SCALES_H_

#include <vector>

#include "kdequant/model/tensor.h"

namespace kdequant {

/// The root mean square of each output channel of `weights` ([out_channels, ...]): what ScaledWeights divides them by.
/// 0 for a channel of zeros (real models have some), which says nothing about the density of the others, but its zeros
/// are among the weights.
std::vector<float> ChannelScales(const FloatTensor& weights);

}  // namespace kdequant

#endif  // KDEQUANT_QUANTIZE_CHANNEL_SCALES_H_
