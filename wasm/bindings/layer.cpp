// How the weights of one layer are distributed.
#include <utility>

#include "kdequant/base/random.h"
#include "kdequant/quantize/channel_scales.h"
#include "model.h"
#include "quantization.h"

namespace kdequant::wasm {
namespace {

using emscripten::val;

// The views are over these very structs.
static_assert(sizeof(MomentBin) == 3 * sizeof(double));

}  // namespace

Result<ScaledWeights> Model::DesignWeights(std::size_t node, Granularity granularity) {
  if (granularity == Granularity::kChannel) {
    return Fail(ErrorCode::kUsage,
                "with granularity channel every channel has levels of its own; use channel-scale or tensor");
  }
  const Tensor& tensor = *graph_->value(graph_->nodes[node].inputs[1]).constant;
  const auto* floats = std::get_if<FloatTensor>(&tensor);
  if (design_weights_.granularity != granularity || design_weights_.node != node) {
    design_weights_.granularity = Granularity::kChannel;
    design_weights_.dequantized = {};
    if (floats == nullptr) {
      auto dequantized = Dequantize(tensor);
      if (!dequantized) return Forward(dequantized);
      design_weights_.dequantized = *std::move(dequantized);
    }
    design_weights_.scales = granularity == Granularity::kChannelScale
                                 ? ChannelScales(floats != nullptr ? *floats : design_weights_.dequantized)
                                 : std::vector<float>{};
    design_weights_.node = node;
    design_weights_.granularity = granularity;
  }
  const std::vector<float>& values = floats != nullptr ? floats->values : design_weights_.dequantized.values;
  return design_weights_.scales.empty() ? ScaledWeights(values) : ScaledWeights(values, design_weights_.scales);
}

val Model::LayerHistogram(const std::string& layer, int bins, const std::string& options) {
  return Guard([&]() -> Result<val> {
    if (bins < 1 || bins > 65536) return Fail(ErrorCode::kUsage, "a histogram has 1 to 65,536 bins");
    auto parsed = ParseQuantizeOptions(options, preprocess_);
    if (!parsed) return Forward(parsed);
    auto node = FindLayer(layer);
    if (!node) return Forward(node);
    auto weights = DesignWeights(*node, parsed->granularity);
    if (!weights) return Forward(weights);
    auto histogram = BuildMomentHistogram(*weights, static_cast<std::size_t>(bins));
    if (!histogram) return Forward(histogram);
    histogram_ = *std::move(histogram);
    val result = val::object();
    result.set("low", histogram_.grid.low);
    result.set("step", histogram_.grid.step);
    result.set("min", histogram_.min);
    result.set("max", histogram_.max);
    result.set("weights", static_cast<double>(histogram_.population));
    result.set("moments", ViewOf(std::span<const double>(&histogram_.bins[0].count, 3 * histogram_.bins.size())));
    return result;
  });
}

val Model::LayerSample(const std::string& layer, const std::string& options) {
  return Guard([&]() -> Result<val> {
    auto parsed = ParseQuantizeOptions(options, preprocess_);
    if (!parsed) return Forward(parsed);
    auto node = FindLayer(layer);
    if (!node) return Forward(node);
    auto weights = DesignWeights(*node, parsed->granularity);
    if (!weights) return Forward(weights);
    SamplingOptions sampling = parsed->design.sampling;
    sampling.seed = StreamSeed(parsed->seed, *node);  // the layer's own, as in a quantization
    auto sample = DrawSample(*weights, sampling);
    if (!sample) return Forward(sample);
    sample_ = *std::move(sample);
    val result = val::object();
    result.set("values", ViewOf(std::span<const double>(sample_.values)));
    result.set("importances", ViewOf(std::span<const double>(sample_.weights)));
    result.set("weights", static_cast<double>(sample_.population));
    result.set("scanned", static_cast<double>(sample_.scanned));
    result.set("min", sample_.min);
    result.set("max", sample_.max);
    return result;
  });
}

}  // namespace kdequant::wasm
