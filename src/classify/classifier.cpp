#include "kdequant/classify/classifier.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>

namespace kdequant {
namespace {

// A list of classes may have dimensions of 1 around it ([1, 1000, 1, 1] of a fully convolutional network).
Result<std::size_t> ClassCount(const Shape& shape) {
  const auto long_dimensions = std::ranges::count_if(shape, [](std::int64_t dimension) { return dimension > 1; });
  if (long_dimensions > 1) {
    return Fail(ErrorCode::kUnsupported, "the network's output is " + ShapeToString(shape) +
                                             ", not one number per class; is it a network that classifies pictures?");
  }
  return ElementCount(shape);
}

}  // namespace

bool HasQuantizedWeights(const Graph& graph) {
  return std::ranges::any_of(graph.values, [](const Value& value) {
    return value.constant != nullptr && (std::holds_alternative<CodebookTensor>(*value.constant) ||
                                         std::holds_alternative<Int8Tensor>(*value.constant));
  });
}

Result<Classifier> Classifier::Create(const Graph& graph, const ClassifierOptions& options) {
  const bool quantized = HasQuantizedWeights(graph);
  const Precision precision = options.precision.value_or(quantized ? Precision::kW4A8 : Precision::kF32);
  if (precision == Precision::kW4A8 && !quantized) {
    return Fail(ErrorCode::kUsage,
                "w4a8 needs a quantized network, and this one has float weights only; quantize it first");
  }
  auto input = ImageInputOf(graph);
  if (!input) return Forward(input);
  auto preprocess = PreprocessFor(graph, options.preprocess);
  if (!preprocess) return Forward(preprocess);
  auto session =
      Session::Create(graph, {.precision = precision, .kernels = options.kernels, .threads = options.threads});
  if (!session) return Forward(session);
  auto class_count = ClassCount(session->output_shape());
  if (!class_count) return Forward(class_count);
  return Classifier(std::move(*session), *preprocess, input->layout, *class_count);
}

Result<std::span<const float>> Classifier::Logits(const Image& image) {
  const std::vector<float> tensor = ToTensor(image, preprocess_, layout_);
  const auto start = std::chrono::steady_clock::now();
  auto logits = session_.Run(tensor);
  milliseconds_ = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  return logits;
}

Result<Classification> Classifier::Classify(const Image& image, std::size_t k) {
  auto logits = Logits(image);
  if (!logits) return Forward(logits);
  return Classification{.top = TopK(*logits, k), .milliseconds = milliseconds_};
}

}  // namespace kdequant
