#include "tally.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <chrono>
#include <cmath>
#include <optional>

#include "kdequant/classify/label_table.h"
#include "kdequant/vision/topk.h"

namespace kdequant::wasm {
namespace {

using Clock = std::chrono::steady_clock;
using emscripten::val;

std::size_t ClassCount(const Session& session) { return ElementCount(session.output_shape()).value_or(0); }

// A session's answer to `tensor`: most probable classes into `answers`, time into `milliseconds`.
Result<std::span<const float>> Answer(Session& session, std::span<const float> tensor, int top,
                                      std::vector<double>& answers, double& milliseconds) {
  const auto start = Clock::now();
  auto output = session.Run(tensor);
  milliseconds = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
  if (!output) return Forward(output);
  answers.clear();
  for (const Prediction& prediction : TopK(*output, static_cast<std::size_t>(top))) {
    answers.push_back(static_cast<double>(prediction.class_index));
    answers.push_back(prediction.probability);
  }
  return output;
}

}  // namespace

val Tally::Create(const std::shared_ptr<InferenceSession>& session,
                  const std::shared_ptr<InferenceSession>& reference) {
  return Guard([&]() -> Result<std::shared_ptr<Tally>> {
    if (reference != nullptr) {
      const Session& model = session->session();
      const Session& compared = reference->session();
      if (model.input_shape() != compared.input_shape() || ClassCount(model) != ClassCount(compared)) {
        return Fail(ErrorCode::kUsage, "the network takes " + ShapeToString(model.input_shape()) + " and has " +
                                           std::to_string(ClassCount(model)) + " classes, its reference takes " +
                                           ShapeToString(compared.input_shape()) + " and has " +
                                           std::to_string(ClassCount(compared)) +
                                           "; compare a network with the float one that it was made from");
      }
    }
    return std::make_shared<Tally>(session, reference);
  });
}

val Tally::Add(double label, int top) {
  return Guard([&]() -> Result<val> {
    auto tensor = session_->Tensor();
    if (!tensor) return Forward(tensor);
    const std::size_t classes = ClassCount(session_->session());
    if (top < 1) return Fail(ErrorCode::kUsage, "top must be at least 1");
    if (label >= static_cast<double>(classes)) {
      return Fail(ErrorCode::kUsage, "there is no class " + std::to_string(static_cast<std::int64_t>(label)) +
                                         ": the network has " + std::to_string(classes) + ", 0 to " +
                                         std::to_string(classes - 1) + "; the labels are not for this network");
    }
    val result = val::object();
    double milliseconds = 0;
    double reference_milliseconds = 0;
    auto logits = Answer(session_->session(), *tensor, top, answers_, milliseconds);
    if (!logits) return Forward(logits);
    std::span<const float> expected;
    if (reference_ != nullptr) {
      auto reference = Answer(reference_->session(), *tensor, top, reference_answers_, reference_milliseconds);
      if (!reference) return Forward(reference);
      expected = *reference;
    }
    Count(*logits, expected, label >= 0 ? std::optional(static_cast<std::size_t>(label)) : std::nullopt, counts_);
    counts_.microseconds += std::llround(milliseconds * 1000);
    result.set("milliseconds", milliseconds);
    result.set("answers", ViewOf(std::span<const double>(answers_)));
    result.set("referenceMilliseconds", reference_milliseconds);
    result.set("referenceAnswers", ViewOf(std::span<const double>(reference_answers_)));
    return result;
  });
}

std::string Tally::Figures() const {
  const EvaluationFigures figures = FiguresOf(counts_);
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  const auto number = [&](const char* key, const std::optional<double>& value) {
    writer.Key(key);
    if (value) {
      writer.Double(*value);
    } else {
      writer.Null();
    }
  };
  writer.StartObject();
  writer.Key("n");
  writer.Int64(figures.n);
  writer.Key("labelled");
  writer.Int64(counts_.labelled);
  number("top1", figures.top1);
  number("top5", figures.top5);
  number("referenceTop1", figures.reference_top1);
  number("agreement", figures.agreement);
  number("kl", figures.kl);
  number("loss", figures.loss);
  number("lossLow", figures.loss_low);
  number("lossHigh", figures.loss_high);
  number("millisecondsPerPicture", figures.ms_per_image);
  writer.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

val LabelTable(const std::string& csv) {
  return Guard([&]() -> Result<val> {
    auto rows = ParseLabelTable(csv);
    if (!rows) return Forward(rows);
    val result = val::array();
    for (const LabelRow& row : *rows) {
      val entry = val::object();
      entry.set("file", row.file);
      entry.set("classIndex", static_cast<double>(row.class_index));
      result.call<void>("push", entry);
    }
    return result;
  });
}

}  // namespace kdequant::wasm
