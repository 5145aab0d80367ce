#include <algorithm>
#include <optional>
#include <vector>

#include "passes/passes.h"
#include "passes/sweep.h"

namespace kdequant::model {
namespace {

// y = scale x + shift, by output channel, in double so that a chain of them is rounded once a step.
struct Affine {
  std::vector<double> scale;  // empty: 1
  std::vector<double> shift;  // empty: 0
};

// One number per channel of a tensor of `shape`, from a constant that is broadcast to it and differs along axis 1
// alone.
std::optional<std::vector<double>> PerChannel(const FloatTensor& constant, const Shape& shape) {
  if (constant.shape.size() > shape.size()) return std::nullopt;
  const std::size_t offset = shape.size() - constant.shape.size();
  for (std::size_t i = 0; i < constant.shape.size(); ++i) {
    if (constant.shape[i] != 1 && (offset + i != 1 || constant.shape[i] != shape[1])) return std::nullopt;
  }
  const auto channels = static_cast<std::size_t>(shape[1]);
  std::vector<double> numbers(constant.values.begin(), constant.values.end());
  if (numbers.size() == 1) numbers.resize(channels, numbers[0]);
  return numbers;
}

template <typename Function>
std::vector<double> Map(std::vector<double> numbers, Function function) {
  std::ranges::transform(numbers, numbers.begin(), function);
  return numbers;
}

std::optional<Affine> ToAffine(Elementwise::Kind kind, bool constant_first, std::vector<double> numbers) {
  const auto negated = [](double v) { return -v; };
  switch (kind) {
    case Elementwise::Kind::kAdd: return Affine{{}, std::move(numbers)};
    case Elementwise::Kind::kMul: return Affine{std::move(numbers), {}};
    case Elementwise::Kind::kSub:
      if (!constant_first) return Affine{{}, Map(std::move(numbers), negated)};
      return Affine{std::vector<double>(numbers.size(), -1), std::move(numbers)};
    case Elementwise::Kind::kDiv:
      if (constant_first || std::ranges::find(numbers, 0) != numbers.end()) return std::nullopt;
      return Affine{Map(std::move(numbers), [](double v) { return 1 / v; }), {}};
  }
  return std::nullopt;
}

class AffineFolder {
 public:
  AffineFolder(Graph& graph, Work& work) : graph_(graph), work_(work), sweep_(graph) {}

  Result<bool> Run() {
    while (sweep_.Next()) {
      const auto constant = FoldableConstant(sweep_.node());
      auto affine = constant ? MakeAffine(sweep_.node(), *constant) : std::nullopt;
      if (!affine) {
        sweep_.Keep();
        continue;
      }
      if (auto done = Fold(sweep_.node(), 1 - *constant, *affine); !done) return Forward(done);
    }
    return sweep_.changed();
  }

 private:
  // Which input of the node is a constant that the layer behind the other one could take.
  std::optional<std::size_t> FoldableConstant(const Node& node) const {
    if (!std::holds_alternative<Elementwise>(node.op)) return std::nullopt;
    for (const std::size_t i : {1U, 0U}) {
      if (graph_.FloatConstant(node.inputs[i]) == nullptr) continue;
      const ValueId x = node.inputs[1 - i];
      const Node* layer = sweep_.Producer(x);
      const bool is_alone =
          layer != nullptr && HasWeights(graph_, *layer) && !layer->activation && sweep_.OtherUses(x) == 0;
      const bool keeps_shape = *graph_.value(x).shape == *graph_.value(node.outputs[0]).shape;
      if (is_alone && keeps_shape) return i;
    }
    return std::nullopt;
  }

  std::optional<Affine> MakeAffine(const Node& node, std::size_t constant) const {
    const ValueId x = node.inputs[1 - constant];
    const Node& layer = *sweep_.Producer(x);
    auto numbers = PerChannel(*graph_.FloatConstant(node.inputs[constant]), *graph_.value(x).shape);
    if (!numbers) return std::nullopt;
    auto affine = ToAffine(std::get<Elementwise>(node.op).kind, constant == 0, std::move(*numbers));
    if (!affine) return std::nullopt;
    // Quantized weights keep their levels.
    if (!affine->scale.empty() && graph_.FloatConstant(layer.inputs[1]) == nullptr) return std::nullopt;
    const bool has_bias = layer.inputs.size() > 2 && layer.inputs[2] != kNoValue;
    if (has_bias && graph_.FloatConstant(layer.inputs[2]) == nullptr) return std::nullopt;
    return affine;
  }

  Result<void> Fold(const Node& node, std::size_t x, const Affine& affine) {
    Node layer = sweep_.Take(node.inputs[x]);
    if (!affine.scale.empty()) {
      FloatTensor weight = *graph_.FloatConstant(layer.inputs[1]);
      if (auto paid = work_.Spend(weight.values.size(), layer); !paid) return paid;
      const std::size_t row = weight.values.size() / affine.scale.size();
      for (std::size_t i = 0; i < weight.values.size(); ++i) {
        weight.values[i] = static_cast<float>(weight.values[i] * affine.scale[i / row]);
      }
      layer.inputs[1] = sweep_.ChangeConstant(layer.inputs[1], std::move(weight));
    }
    if (auto done = FoldIntoBias(layer, affine, node); !done) return done;
    layer.outputs = node.outputs;
    layer.activation = node.activation;
    sweep_.Emit(std::move(layer));
    return {};
  }

  Result<void> FoldIntoBias(Node& layer, const Affine& affine, const Node& node) {
    const bool has_bias = layer.inputs.size() > 2 && layer.inputs[2] != kNoValue;
    if (!has_bias && affine.shift.empty()) return {};
    const std::size_t channels = std::max(affine.scale.size(), affine.shift.size());
    if (auto paid = work_.Spend(channels, layer); !paid) return paid;
    FloatTensor bias{{static_cast<std::int64_t>(channels)}, std::vector<float>(channels, 0)};
    if (has_bias) bias.values = graph_.FloatConstant(layer.inputs[2])->values;
    for (std::size_t c = 0; c < channels; ++c) {
      const double scaled = affine.scale.empty() ? bias.values[c] : bias.values[c] * affine.scale[c];
      bias.values[c] = static_cast<float>(affine.shift.empty() ? scaled : scaled + affine.shift[c]);
    }
    layer.inputs.resize(3, kNoValue);
    layer.inputs[2] = has_bias ? sweep_.ChangeConstant(layer.inputs[2], std::move(bias))
                               : sweep_.AddConstant(graph_.value(node.outputs[0]).name + "/bias", std::move(bias));
    return {};
  }

  Graph& graph_;
  Work& work_;
  Sweep sweep_;
};

}  // namespace

Result<bool> FoldAffine(Graph& graph, Work& work) { return AffineFolder(graph, work).Run(); }

}  // namespace kdequant::model
