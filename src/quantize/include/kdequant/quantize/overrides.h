// kdequant/quantize/overrides.h
// Options for some layers only.
#ifndef KDEQUANT_QUANTIZE_OVERRIDES_H_
#define KDEQUANT_QUANTIZE_OVERRIDES_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kdequant/quantize/quantize.h"

namespace kdequant {

/// Reads "GLOB=option:value,...", such as "classifier=bits:8" or "block1.*=granularity:channel,compensation:off".
/// Options: bits (2 to 8), method, granularity, samples (a number or all), compensation (on or off). Errors: kUsage.
Result<LayerOverride> ParseLayerOverride(std::string_view text);

/// The same as text.
std::string FormatLayerOverride(const LayerOverride& override);

/// `options` as they are for the layer of that name: of several overrides that match, the last one wins, option by
/// option.
QuantizeOptions OptionsForLayer(const QuantizeOptions& options, std::string_view layer);

/// Which layers to give 8 bits so that a 4-bit file of `base_bytes` grows to at most `target_bytes`: those that take
/// the most rounding noise (relative to their weights) away for each byte. `report` is of the 4-bit network. Errors:
/// kUsage if the 4-bit file is larger than the target.
///
/// Noise relative to the weights is a crude measure of what a layer's error does to the answers, but needs no picture;
/// as every layer has about the same, narrow layers come first.
Result<std::vector<LayerOverride>> WidenLayers(const QuantizeReport& report, std::size_t base_bytes,
                                               std::size_t target_bytes);

}  // namespace kdequant

#endif  // KDEQUANT_QUANTIZE_OVERRIDES_H_
