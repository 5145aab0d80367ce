// A small network with everything that calibration has to take apart: a convolution, a depthwise one, a residual
// connection, groups, and a fully connected layer.
#ifndef KDEQUANT_TESTS_SUPPORT_SMALL_NETWORK_H_
#define KDEQUANT_TESTS_SUPPORT_SMALL_NETWORK_H_

#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kdequant/base/random.h"
#include "kdequant/model/graph.h"

namespace kdequant {

class SmallNetworkBuilder {
 public:
  explicit SmallNetworkBuilder(std::uint64_t seed) : random_(seed) {}

  ValueId Constant(const std::string& name, Shape shape, double deviation) {
    FloatTensor tensor{.shape = std::move(shape), .values = {}};
    tensor.values.resize(ElementCount(tensor.shape).value());
    for (auto& value : tensor.values) value = static_cast<float>(deviation * random_.Normal());
    return graph.AddValue(
        {.name = name, .shape = tensor.shape, .constant = std::make_shared<const Tensor>(std::move(tensor))});
  }

  /// Adds a convolution with ReLU that keeps the picture's size, and gives its output.
  ValueId Convolve(const std::string& name, ValueId input, std::int64_t channels, std::int64_t kernel,
                   std::int64_t groups) {
    const Shape in = *graph.value(input).shape;
    const std::int64_t depth = in[1] / groups;
    const double deviation = std::sqrt(2.0 / static_cast<double>(depth * kernel * kernel));
    const ValueId weight = Constant(name + ".weight", {channels, depth, kernel, kernel}, deviation);
    const ValueId bias = Constant(name + ".bias", {channels}, 0.1);
    const ValueId output = graph.AddValue({.name = name + ".y", .shape = Shape{1, channels, in[2], in[3]}});
    const std::int64_t pad = kernel / 2;
    graph.nodes.push_back(
        {.name = name,
         .op = Conv{.window = {.kernel = {kernel, kernel}, .pads = {pad, pad, pad, pad}}, .groups = groups},
         .inputs = {input, weight, bias},
         .outputs = {output},
         .activation = Activation{.kind = Activation::Kind::kRelu}});
    return output;
  }

  Graph graph;

 private:
  Random random_;
};

/// A prepared network on pictures of 3 x 12 x 12 with 4 logits.
inline Graph SmallNetwork(std::uint64_t seed = 1) {
  SmallNetworkBuilder builder(seed);
  Graph& graph = builder.graph;
  const ValueId input = graph.AddValue({.name = "x", .shape = Shape{1, 3, 12, 12}});
  graph.inputs = {input};
  const ValueId stem = builder.Convolve("stem", input, 16, 3, 1);
  const ValueId depthwise = builder.Convolve("depthwise", stem, 16, 3, 16);
  const ValueId project = builder.Convolve("project", depthwise, 16, 1, 1);
  const ValueId sum = graph.AddValue({.name = "sum", .shape = Shape{1, 16, 12, 12}});
  graph.nodes.push_back(
      {.name = "add", .op = Elementwise{.kind = Elementwise::Kind::kAdd}, .inputs = {stem, project}, .outputs = {sum}});
  const ValueId grouped = builder.Convolve("grouped", sum, 24, 3, 2);
  const ValueId pooled = graph.AddValue({.name = "pooled", .shape = Shape{1, 24, 1, 1}});
  graph.nodes.push_back({.name = "pool", .op = GlobalPool{}, .inputs = {grouped}, .outputs = {pooled}});
  const ValueId flat = graph.AddValue({.name = "flat", .shape = Shape{1, 24}});
  graph.nodes.push_back({.name = "flatten", .op = Reshape{}, .inputs = {pooled}, .outputs = {flat}});
  const ValueId weight = builder.Constant("fc.weight", {4, 24}, 0.3);
  const ValueId logits = graph.AddValue({.name = "logits", .shape = Shape{1, 4}});
  graph.nodes.push_back({.name = "fc", .op = Gemm{.trans_b = true}, .inputs = {flat, weight}, .outputs = {logits}});
  graph.outputs = {logits};
  graph.metadata["kdequant.preprocess"] = "scale=1/255,resize=0,size=12";
  return std::move(graph);
}

/// A normally distributed picture for it.
inline std::vector<float> RandomInput(std::uint64_t seed) {
  Random random(seed);
  std::vector<float> input(std::size_t{3} * 12 * 12);
  for (auto& x : input) x = static_cast<float>(random.Normal());
  return input;
}

}  // namespace kdequant

#endif  // KDEQUANT_TESTS_SUPPORT_SMALL_NETWORK_H_
