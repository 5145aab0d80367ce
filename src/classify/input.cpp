#include "kdequant/classify/input.h"

#include <string>

namespace kdequant {
namespace {

constexpr const char* kPreprocessKey = "kdequant.preprocess";

// The file's own settings laid over `base`.
Result<Preprocess> Stored(const Graph& graph, const Preprocess& base) {
  const auto found = graph.metadata.find(kPreprocessKey);
  if (found == graph.metadata.end()) return base;
  auto stored = ParsePreprocess(found->second, base);
  if (!stored) {
    return Fail(ErrorCode::kBadInput,
                "the file's metadata \"" + std::string(kPreprocessKey) + "\": " + stored.error().message);
  }
  return stored;
}

}  // namespace

Result<ImageInput> ImageInputOf(const Graph& graph) {
  if (graph.inputs.size() != 1) {
    return Fail(ErrorCode::kUnsupported,
                "the network takes " + std::to_string(graph.inputs.size()) + " inputs, and pictures need one");
  }
  const Value& input = graph.value(graph.inputs[0]);
  const Shape shape = input.shape.value_or(Shape{});
  if (shape.size() == 4 && shape[0] == 1) {
    const bool nchw = shape[1] == 3 && shape[2] == shape[3];
    const bool nhwc = shape[3] == 3 && shape[1] == shape[2];
    const std::int64_t size = shape[2];
    if ((nchw || nhwc) && size >= 1 && size <= kMaxCropSize) {
      return ImageInput{.size = static_cast<int>(size), .layout = nchw ? TensorLayout::kNchw : TensorLayout::kNhwc};
    }
  }
  return Fail(ErrorCode::kUnsupported, "the network's input \"" + input.name + "\" is " + ShapeToString(shape) +
                                           ", not a square colour picture (1x3xSxS or 1xSxSx3)");
}

Result<int> OpenInputSize(const Graph& graph, std::string_view spec) {
  auto stored = Stored(graph, {});
  if (!stored) return Forward(stored);
  auto wanted = ParsePreprocess(spec, *stored);
  if (!wanted) return Forward(wanted);
  return wanted->size;
}

Result<Preprocess> PreprocessFor(const Graph& graph, std::string_view spec) {
  auto input = ImageInputOf(graph);
  if (!input) return Forward(input);
  auto stored = Stored(graph, DefaultPreprocess(input->size));
  if (!stored) return Forward(stored);
  stored->size = 0;  // no SPEC can say 0: what is 0 afterwards was not said
  auto settings = ParsePreprocess(spec, *stored);
  if (!settings) return Forward(settings);
  if (settings->size == 0) settings->size = input->size;
  if (settings->size != input->size) {
    const std::string size = std::to_string(input->size);
    return Fail(ErrorCode::kUsage, "preprocessing asks for size=" + std::to_string(settings->size) +
                                       ", but the network takes pictures of " + size + " x " + size +
                                       "; leave size= out");
  }
  return settings;
}

}  // namespace kdequant
