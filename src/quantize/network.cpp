#include "network.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "assign.h"
#include "glob.h"
#include "kdequant/base/random.h"
#include "kdequant/quantize/overrides.h"
#include "layer.h"
#include "settings.h"

namespace kdequant {
namespace {

constexpr int kRangeBits = 8;
// What only depthwise layers read: their kernel is half again as fast on bytes without a sign.
constexpr int kDepthwiseRangeBits = 7;

// How much further a static range reaches than what calibration saw, at a depth of 0 (the first node) to 1 (the last):
// a value cut off costs more than a coarser step. Drawn pictures have the edges and textures of photographs, so the
// first half of a network is as active on them, but nothing that its last layers look for: there photographs reach up
// to twice as far. Ours; see docs/method.md.
float RangeMargin(double depth, Calibration calibration) {
  return calibration == Calibration::kPictures ? 1.1F : static_cast<float>(1.1 + 0.9 * depth * depth);
}

// What a picture reaches counts up to twice what half of the pictures reach. A few pictures excite a layer many times
// as much as all others (a channel that batch normalization divides by a tiny deviation does, up to 20 times, and the
// more pictures, the more): a step so coarse would cost every picture, a value cut off only those few.
constexpr float kMostOverMedian = 2;

// Sums, and what is added up, reach far in few channels and are otherwise small, so their steps cost most. Of them the
// median alone counts, with the margin of drawn pictures whatever the pictures are: for nearly every one of ResNet-50's
// that is near the range with the smallest squared error on photographs. Layers inside a branch are not like that: cut
// off there, some err several times as much.
constexpr float kMostOverMedianOfSums = 1;

// What an activation can be at most and at least, whatever comes in.
struct Bounds {
  float low = -std::numeric_limits<float>::infinity();
  float high = std::numeric_limits<float>::infinity();
};

Bounds BoundsOf(const Activation& activation) {
  switch (activation.kind) {
    case Activation::Kind::kRelu: return {.low = 0};
    case Activation::Kind::kClip: return {.low = activation.a, .high = activation.b};
    case Activation::Kind::kHardSigmoid:
    case Activation::Kind::kSigmoid: return {.low = 0, .high = 1};
    case Activation::Kind::kTanh: return {.low = -1, .high = 1};
    default: return {};
  }
}

// sum over k of w_k E[x_k] for the weights of one channel.
double MeanOutput(std::span<const float> weights, std::span<const double> means) {
  double sum = 0;
  for (std::size_t k = 0; k < weights.size(); ++k) sum += static_cast<double>(weights[k]) * means[k];
  return sum;
}

}  // namespace

GrowingNetwork::GrowingNetwork(std::shared_ptr<const Graph> graph, const QuantizeOptions& options)
    : graph_(std::move(graph)), options_(options), result_(*graph_) {
  for (std::size_t i = 0; i < graph_->nodes.size(); ++i) {
    const Node& node = graph_->nodes[i];
    if (HasWeights(*graph_, node) && graph_->FloatConstant(node.inputs[1]) != nullptr) layers_.push_back(i);
  }
}

bool GrowingNetwork::Excluded(std::size_t node) const {
  const std::string& name = graph_->nodes[node].name;
  return std::ranges::any_of(options_.exclude, [&](const std::string& glob) { return GlobMatches(glob, name); });
}

bool GrowingNetwork::GetsCodebook(std::size_t node) const {
  return !Excluded(node) && !IsDepthwise(*graph_, graph_->nodes[node]);
}

bool GrowingNetwork::IsCompensated(std::size_t node) const {
  return GetsCodebook(node) && OptionsForLayer(options_, graph_->nodes[node].name).compensation;
}

const FloatTensor& GrowingNetwork::Weights(std::size_t node) const {
  return *graph_->FloatConstant(graph_->nodes[node].inputs[1]);
}

Result<Tensor> GrowingNetwork::Round(std::size_t node, LayerReport& report) const {
  const FloatTensor& weights = Weights(node);
  if (!GetsCodebook(node)) {
    report.bits = 8;
    report.scanned = weights.values.size();
    return QuantizeToInt8(weights);
  }
  auto codebook = QuantizeToCodebook(weights, OptionsForLayer(options_, report.name), StreamSeed(options_.seed, node));
  if (!codebook) {
    Error error = std::move(codebook.error());
    error.message = "layer \"" + report.name + "\" (" + report.op + "): " + error.message;
    error.layer = report.name;
    return std::unexpected(std::move(error));
  }
  const auto& tensor = std::get<CodebookTensor>(codebook->tensor);
  report.bits = tensor.bits;
  report.codebooks = tensor.TableCount();
  report.scanned = codebook->scanned;
  report.samples = codebook->sampled;
  report.bandwidth = codebook->bandwidth;
  report.levels = std::move(codebook->levels);
  return std::move(codebook->tensor);
}

void GrowingNetwork::Install(std::size_t node, Tensor quantized, std::span<const double> float_means,
                             std::span<const double> quantized_means, LayerReport& report) {
  const std::span<const float> weights = Weights(node).values;
  const auto channels = static_cast<std::size_t>(Weights(node).shape[0]);
  const std::size_t columns = weights.size() / channels;
  const std::size_t groups = std::max<std::size_t>(1, float_means.size() / columns);
  SquaredError error;
  std::vector<double> shifts(channels);
  // A channel at a time: the floats of all of them would be the largest layer's second copy.
  std::vector<float> dequantized(columns);
  for (std::size_t o = 0; o < channels; ++o) {
    const auto row = weights.subspan(o * columns, columns);
    DequantizeChannel(quantized, o, dequantized);
    error.Add(row, dequantized);
    if (float_means.empty()) continue;
    const std::size_t first = o / (channels / groups) * columns;  // the means have each group's columns after the other
    shifts[o] = MeanOutput(row, float_means.subspan(first, columns)) -
                MeanOutput(dequantized, quantized_means.subspan(first, columns));
  }
  report.sqnr_db = error.SqnrDb();
  report.bytes = StoredBytes(quantized);
  if (!float_means.empty()) AddToBias(node, shifts);
  result_.value(graph_->nodes[node].inputs[1]).constant = std::make_shared<const Tensor>(std::move(quantized));
}

void GrowingNetwork::AddToBias(std::size_t index, std::span<const double> shifts) {
  Node& node = result_.nodes[index];
  const auto channels = static_cast<std::int64_t>(shifts.size());
  FloatTensor bias{.shape = {channels}, .values = std::vector<float>(shifts.size())};
  const bool has_bias = node.inputs.size() > 2 && node.inputs[2] != kNoValue;
  if (has_bias) {
    const FloatTensor* old = result_.FloatConstant(node.inputs[2]);
    if (old == nullptr || old->values.size() != shifts.size())
      return;  // a computed bias: nothing to add the correction to
    bias.values = old->values;
  }
  for (std::size_t o = 0; o < shifts.size(); ++o)
    bias.values[o] = static_cast<float>(static_cast<double>(bias.values[o]) + shifts[o]);
  Value value{.name = has_bias ? result_.value(node.inputs[2]).name : FreshName(node.name + ".bias"),
              .type = ElementType::kFloat,
              .shape = bias.shape,
              .constant = std::make_shared<const Tensor>(std::move(bias))};
  // A bias that several layers share must not be corrected for all of them.
  if (has_bias && Uses(node.inputs[2]) > 1) value.name = FreshName(value.name + "." + node.name);
  if (has_bias && Uses(node.inputs[2]) == 1) {
    result_.value(node.inputs[2]) = std::move(value);
    return;
  }
  const ValueId id = result_.AddValue(std::move(value));
  node.inputs.resize(3, kNoValue);
  node.inputs[2] = id;
}

std::size_t GrowingNetwork::Uses(ValueId id) const {
  std::size_t uses = 0;
  for (const Node& node : result_.nodes) uses += static_cast<std::size_t>(std::ranges::count(node.inputs, id));
  return uses;
}

bool GrowingNetwork::FeedsOnlyDepthwise(ValueId id) const {
  bool found = false;
  for (const Node& node : result_.nodes) {
    if (std::ranges::find(node.inputs, id) == node.inputs.end()) continue;
    if (!IsDepthwise(*graph_, node)) return false;
    found = true;
  }
  return found;
}

std::string GrowingNetwork::FreshName(std::string name) const {
  while (std::ranges::any_of(result_.values, [&](const Value& value) { return value.name == name; })) name += "_";
  return name;
}

std::set<ValueId> GrowingNetwork::ValuesOfSums() const {
  std::set<ValueId> values;
  for (const Node& node : result_.nodes) {
    const auto* elementwise = std::get_if<Elementwise>(&node.op);
    if (elementwise == nullptr || elementwise->kind != Elementwise::Kind::kAdd) continue;
    if (std::ranges::any_of(node.inputs, [&](ValueId id) { return result_.IsConstant(id); })) continue;
    values.insert(node.inputs.begin(), node.inputs.end());
    values.insert(node.outputs[0]);
  }
  return values;
}

std::set<ValueId> GrowingNetwork::ValuesOfAnswers() const {
  std::set<ValueId> values(result_.outputs.begin(), result_.outputs.end());
  for (std::size_t i = result_.nodes.size(); i-- > 0;) {
    const Node& node = result_.nodes[i];
    const bool passes_on = std::holds_alternative<Reshape>(node.op) || std::holds_alternative<Softmax>(node.op);
    if (passes_on && values.contains(node.outputs[0]) && Uses(node.inputs[0]) == 1) values.insert(node.inputs[0]);
  }
  return values;
}

std::set<ValueId> GrowingNetwork::ValuesOfFeatureMeans() const {
  std::set<ValueId> values;
  for (std::size_t i = result_.nodes.size(); i-- > 0;) {
    const Node& node = result_.nodes[i];
    const bool passes_on = std::holds_alternative<Reshape>(node.op) && values.contains(node.outputs[0]);
    if (passes_on || HasWeights(result_, node)) values.insert(node.inputs[0]);
  }
  std::set<ValueId> means;
  for (const Node& node : result_.nodes) {
    if (IsWholeMean(node) && values.contains(node.outputs[0])) means.insert(node.outputs[0]);
  }
  return means;
}

void GrowingNetwork::Complete(const ValueExtents& extents) {
  const std::set<ValueId> sums = ValuesOfSums();
  const std::set<ValueId> answers = ValuesOfAnswers();
  const std::set<ValueId> means = ValuesOfFeatureMeans();
  std::map<ValueId, Bounds> bounds;
  std::map<ValueId, double> depths;
  for (std::size_t i = 0; i < result_.nodes.size(); ++i) {
    const Node& node = result_.nodes[i];
    for (const ValueId output : node.outputs)
      depths[output] =
          means.contains(output) ? 0 : static_cast<double>(i + 1) / static_cast<double>(result_.nodes.size());
    if (node.activation) bounds[node.outputs[0]] = BoundsOf(*node.activation);
    if (const auto* activate = std::get_if<Activate>(&node.op)) bounds[node.outputs[0]] = BoundsOf(activate->function);
  }
  for (const auto& [id, extent] : extents) {
    if (answers.contains(id)) continue;
    ActivationRange range{
        .low = extent.low, .high = extent.high, .bits = FeedsOnlyDepthwise(id) ? kDepthwiseRangeBits : kRangeBits};
    // The pictures themselves have the extent that their preprocessing gives them.
    if (id != result_.inputs[0]) {
      const Bounds bound = bounds.contains(id) ? bounds[id] : Bounds{};
      const bool of_sum = sums.contains(id);
      const float margin = RangeMargin(depths[id], of_sum ? Calibration::kSynthetic : options_.calibration);
      const float most = (of_sum ? kMostOverMedianOfSums : kMostOverMedian) * MedianPeak(extent);
      if (range.low < 0) range.low = std::max(std::max(range.low, -most) * margin, bound.low);
      if (range.high > 0) range.high = std::min(std::min(range.high, most) * margin, bound.high);
    }
    result_.ranges[result_.value(id).name] = range;
  }
  result_.metadata["kdequant.version"] = Version();
  result_.metadata["kdequant.settings"] = SettingsToJson(options_);
  result_.metadata["kdequant.preprocess"] = FormatPreprocess(options_.preprocess);
}

}  // namespace kdequant
