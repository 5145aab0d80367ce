// Small networks and pictures for the tests.
#ifndef KDEQUANT_TESTS_CLASSIFY_NETWORKS_H_
#define KDEQUANT_TESTS_CLASSIFY_NETWORKS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kdequant/model/graph.h"
#include "kdequant/vision/image.h"

namespace kdequant {

/// One input of that shape and one output, connected by nothing.
inline Graph GraphWithInput(Shape shape) {
  Graph graph;
  graph.inputs = {graph.AddValue({.name = "x", .shape = std::move(shape)})};
  return graph;
}

/// A prepared network of `classes` (at most 3) whose logits are the mean red, green and blue of a size x size picture,
/// each times its entry in `gains`.
inline Graph ColourNetwork(int size, std::vector<float> gains) {
  const auto classes = static_cast<std::int64_t>(gains.size());
  Graph graph = GraphWithInput({1, 3, size, size});
  const ValueId pooled = graph.AddValue({.name = "pooled", .shape = Shape{1, 3, 1, 1}});
  const ValueId flat = graph.AddValue({.name = "flat", .shape = Shape{1, 3}});
  FloatTensor weights{.shape = {classes, 3}, .values = std::vector<float>(gains.size() * 3)};
  for (std::size_t i = 0; i < gains.size(); ++i) weights.values[i * 3 + i % 3] = gains[i];
  const ValueId weight = graph.AddValue(
      {.name = "w", .shape = weights.shape, .constant = std::make_shared<const Tensor>(std::move(weights))});
  const ValueId logits = graph.AddValue({.name = "logits", .shape = Shape{1, classes}});
  graph.nodes.push_back({.name = "pool", .op = GlobalPool{}, .inputs = {graph.inputs[0]}, .outputs = {pooled}});
  graph.nodes.push_back({.name = "flatten", .op = Reshape{}, .inputs = {pooled}, .outputs = {flat}});
  graph.nodes.push_back({.name = "fc", .op = Gemm{.trans_b = true}, .inputs = {flat, weight}, .outputs = {logits}});
  graph.outputs = {logits};
  graph.metadata["kdequant.preprocess"] = "scale=1/255,resize=0";
  return graph;
}

inline Image Plain(int width, int height, std::uint8_t red, std::uint8_t green, std::uint8_t blue) {
  Image image{.width = width, .height = height, .rgb = {}};
  for (int i = 0; i < width * height; ++i) image.rgb.insert(image.rgb.end(), {red, green, blue});
  return image;
}

}  // namespace kdequant

#endif  // KDEQUANT_TESTS_CLASSIFY_NETWORKS_H_
