#include "quantization.h"

#include <utility>

namespace kdequant::wasm {

using emscripten::val;

val Quantization::Create(const Model& model, const std::string& options) {
  return Guard([&]() -> Result<std::shared_ptr<Quantization>> {
    auto parsed = ParseQuantizeOptions(options, model.preprocess());
    if (!parsed) return Forward(parsed);
    return std::make_shared<Quantization>(model.graph(), model.FileBytes(), *std::move(parsed));
  });
}

val Quantization::AddPicture() {
  return Guard([&]() -> Result<void> {
    auto image = pixels_.Take();
    if (!image) return Forward(image);
    options_.pictures.push_back(Crop(*image, options_.preprocess));
    return {};
  });
}

val Quantization::Step(double budget_ms) {
  return Guard([&]() -> Result<val> {
    if (!job_) {
      auto job = QuantizeJob::Create(graph_, std::move(options_));
      if (!job) return Forward(job);
      job_ = *std::move(job);
    }
    auto done = job_->Step(budget_ms);
    if (!done) return Forward(done);
    const Progress progress = job_->progress();
    val result = val::object();
    result.set("done", *done);
    result.set("fraction", progress.fraction);
    result.set("stage", progress.stage);
    result.set("layer", progress.layer);
    result.set("layers", static_cast<double>(job_->report().layers.size()));
    return result;
  });
}

std::string Quantization::ReportFrom(int first) const {
  const QuantizeReport& report = job_->report();
  QuantizeReport part;
  part.layers.assign(report.layers.begin() + first, report.layers.end());
  return ReportToJson(part, 0, 0, 0);
}

val Quantization::Finish() {
  return Guard([&]() -> Result<val> {
    Graph graph = job_->TakeGraph();
    auto model = Model::FromGraph(std::move(graph), preprocess_);
    if (!model) return Forward(model);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    val result = val::object();
    result.set("report", ReportToJson(job_->report(), static_cast<std::size_t>(bytes_in_),
                                      static_cast<std::size_t>((*model)->FileBytes()), seconds));
    result.set("model", *std::move(model));
    return result;
  });
}

}  // namespace kdequant::wasm
