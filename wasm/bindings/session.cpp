#include "session.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "kdequant/vision/topk.h"
#include "threads.h"

namespace kdequant::wasm {
namespace {

using Clock = std::chrono::steady_clock;
using emscripten::val;

double MillisecondsSince(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

Result<Precision> ParsePrecision(const std::string& name) {
  if (name == "f32") return Precision::kF32;
  if (name == "w4a8") return Precision::kW4A8;
  return Fail(ErrorCode::kUsage, "unknown precision \"" + name + "\"; it is f32 or w4a8");
}

Result<KernelSet> ParseKernels(const std::string& name) {
  if (name == "best") return KernelSet::kBest;
  for (const auto kernels : {KernelSet::kReference, KernelSet::kSimd128, KernelSet::kRelaxed}) {
    if (name == KernelSetName(kernels)) return kernels;
  }
  return Fail(ErrorCode::kUsage, "unknown kernels \"" + name + "\"; they are best, reference, simd128 or relaxed");
}

// What the kernels' copies of the weights take, about: nibbles stay nibbles.
double PackedBytes(const Graph& graph, Precision precision) {
  double bytes = 1;
  for (const Value& value : graph.values) {
    if (!value.constant) continue;
    const auto* codebook = std::get_if<CodebookTensor>(&*value.constant);
    const bool nibbles = codebook != nullptr && codebook->bits <= 4;
    const auto count = static_cast<double>(ElementCount(ShapeOf(*value.constant)).value_or(0));
    bytes += count * (precision == Precision::kF32 ? sizeof(float) : nibbles ? 0.5 : 1.0);
  }
  return bytes;
}

}  // namespace

val InferenceSession::Create(const Model& model, const std::string& precision, const std::string& kernels,
                             bool dynamic_ranges, int threads) {
  return Guard([&]() -> Result<std::shared_ptr<InferenceSession>> {
    auto arithmetic = ParsePrecision(precision);
    if (!arithmetic) return Forward(arithmetic);
    auto kernel_set = ParseKernels(kernels);
    if (!kernel_set) return Forward(kernel_set);
    // Kernels pack a layer each, the largest ones in pieces of about this size or, in 4 bits, of little more.
    constexpr double kPiece = 1 << 24;
    if (auto enough = CheckMemory(PackedBytes(*model.graph(), *arithmetic), kPiece); !enough) return Forward(enough);
    auto session = Session::Create(*model.graph(), {.precision = *arithmetic,
                                                    .kernels = *kernel_set,
                                                    .dynamic_ranges = dynamic_ranges,
                                                    .threads = threads,
                                                    .pool = ModulePool()});
    if (!session) return Forward(session);
    return std::make_shared<InferenceSession>(*std::move(session), *model.graph(), model.preprocess());
  });
}

std::string InferenceSession::Info() const {
  const SessionInfo& info = session_.info();
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  const auto text = [&](const char* key, std::string_view value) {
    writer.Key(key);
    writer.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
  };
  const auto shape = [&](const char* key, const Shape& value) {
    writer.Key(key);
    writer.StartArray();
    for (const auto dimension : value) writer.Int64(dimension);
    writer.EndArray();
  };
  writer.StartObject();
  text("precision", info.precision == Precision::kF32 ? "f32" : "w4a8");
  text("kernels", KernelSetName(info.kernels));
  writer.Key("threads");
  writer.Int(info.threads);
  shape("inputShape", session_.input_shape());
  shape("outputShape", session_.output_shape());
  writer.Key("arenaBytes");
  writer.Uint64(info.arena_bytes);
  writer.Key("weightBytes");
  writer.Uint64(info.weight_bytes);
  writer.Key("floatLayers");
  writer.StartArray();
  for (const auto& layer : info.float_layers) writer.String(layer.c_str());
  writer.EndArray();
  text("preprocess", FormatPreprocess(preprocess_));
  writer.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

Result<std::vector<float>> InferenceSession::Tensor() {
  auto image = pixels_.Take();
  if (!image) return Forward(image);
  const Shape& shape = session_.input_shape();
  const Shape wanted = layout_ == TensorLayout::kNchw ? Shape{1, 3, preprocess_.size, preprocess_.size}
                                                      : Shape{1, preprocess_.size, preprocess_.size, 3};
  if (shape != wanted) {
    return Fail(ErrorCode::kUsage, "the network's input is " + ShapeToString(shape) + " and preprocessing makes " +
                                       ShapeToString(wanted) +
                                       "; give a preprocess with the right size, or run it on a tensor of your own");
  }
  return ToTensor(*image, preprocess_, layout_);
}

val InferenceSession::Classify(int top) {
  return Guard([&]() -> Result<val> {
    if (top < 1) return Fail(ErrorCode::kUsage, "top must be at least 1");
    const auto start = Clock::now();
    auto tensor = Tensor();
    if (!tensor) return Forward(tensor);
    const double preprocess_milliseconds = MillisecondsSince(start);
    const auto run_start = Clock::now();
    auto output = session_.Run(*tensor);
    if (!output) return Forward(output);
    const double milliseconds = MillisecondsSince(run_start);
    answers_.clear();
    for (const Prediction& prediction : TopK(*output, static_cast<std::size_t>(top))) {
      answers_.push_back(static_cast<double>(prediction.class_index));
      answers_.push_back(prediction.probability);
    }
    val result = val::object();
    result.set("milliseconds", milliseconds);
    result.set("preprocessMilliseconds", preprocess_milliseconds);
    result.set("answers", ViewOf(std::span<const double>(answers_)));
    return result;
  });
}

val InferenceSession::Logits() {
  return Guard([&]() -> Result<val> {
    auto tensor = Tensor();
    if (!tensor) return Forward(tensor);
    auto output = session_.Run(*tensor);
    if (!output) return Forward(output);
    return ViewOf(*output);
  });
}

val InferenceSession::Crop() {
  return Guard([&]() -> Result<val> {
    auto image = pixels_.Take();
    if (!image) return Forward(image);
    crop_ = ToRgba(kdequant::Crop(*image, preprocess_));
    return ViewOf(std::span<const std::uint8_t>(crop_));
  });
}

val InferenceSession::Input() {
  return Guard([&]() -> Result<val> {
    auto count = ElementCount(session_.input_shape());
    if (!count) return Forward(count);
    input_.resize(*count);
    return ViewOf(std::span<float>(input_));
  });
}

val InferenceSession::Run() {
  return Guard([&]() -> Result<val> {
    auto output = session_.Run(input_);
    if (!output) return Forward(output);
    return ViewOf(*output);
  });
}

}  // namespace kdequant::wasm
