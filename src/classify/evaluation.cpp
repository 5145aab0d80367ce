#include "kdequant/classify/evaluation.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <optional>
#include <utility>

#include "kdequant/base/parallel.h"
#include "kdequant/classify/input.h"

namespace kdequant {
namespace {

// One thread's networks and what its pictures gave.
struct Worker {
  Classifier model;
  std::optional<Classifier> reference;
  EvaluationCounts counts;
  std::vector<std::pair<std::size_t, SkippedPicture>> skipped;  // with the index in the source
  std::optional<std::pair<std::size_t, Error>> failure;
};

class EvaluationImplementation final : public Evaluation {
 public:
  EvaluationImplementation(std::vector<Worker> workers, std::shared_ptr<const ImageSource> images,
                           std::vector<std::size_t> selected, std::int64_t label_offset)
      : workers_(std::move(workers)),
        images_(std::move(images)),
        selected_(std::move(selected)),
        label_offset_(label_offset),
        pool_(static_cast<int>(workers_.size())) {}

  Result<bool> Step(double budget_ms) override {
    if (failure_) return std::unexpected(*failure_);
    const Budget budget(budget_ms);
    pool_.Run(static_cast<int>(workers_.size()), [&](int thread) {
      Worker& worker = workers_[static_cast<std::size_t>(thread)];
      do {
        const std::size_t next = next_++;
        if (next >= selected_.size() || worker.failure) return;
        Evaluate(selected_[next], worker);
      } while (!budget.Spent());
    });
    Gather();
    if (!failure_ && done() && counts_.n == 0) {
      failure_ = skipped_.front().error;
      failure_->message = "no picture could be read; the first: " + failure_->message;
    }
    if (failure_) return std::unexpected(*failure_);
    return done();
  }

  Progress progress() const override {
    const auto finished = static_cast<double>(counts_.n + counts_.skipped);
    return {finished / static_cast<double>(selected_.size()), "evaluating", {}};
  }

  const EvaluationCounts& counts() const override { return counts_; }
  const std::vector<SkippedPicture>& skipped() const override { return skipped_; }
  const SessionInfo& info() const override { return workers_.front().model.info(); }

 private:
  bool done() const { return next_ >= selected_.size(); }

  void Evaluate(std::size_t index, Worker& worker) {
    auto image = images_->Load(index);
    if (!image) {
      if (image.error().code ==
          ErrorCode::kOutOfMemory) {  // not the picture's fault: the next one would be skipped, too
        worker.failure = {index, std::move(image.error())};
        return;
      }
      ++worker.counts.skipped;
      worker.skipped.push_back({index, {.name = images_->Name(index), .error = std::move(image.error())}});
      return;
    }
    auto logits = worker.model.Logits(*image);
    if (!logits) return Stop(index, std::move(logits.error()), worker);
    std::span<const float> expected;
    if (worker.reference) {
      auto reference = worker.reference->Logits(*image);
      if (!reference) return Stop(index, std::move(reference.error()), worker);
      expected = *reference;
    }
    std::optional<std::size_t> label;
    if (const auto stored = images_->Label(index)) label = static_cast<std::size_t>(*stored + label_offset_);
    Count(*logits, expected, label, worker.counts);
    worker.counts.microseconds += std::llround(worker.model.milliseconds() * 1000);
  }

  void Stop(std::size_t index, Error error, Worker& worker) const {
    error.message = images_->Name(index) + ": " + error.message;
    worker.failure = {index, std::move(error)};
  }

  void Gather() {
    counts_ = {};
    std::vector<std::pair<std::size_t, SkippedPicture>> skipped;
    const std::pair<std::size_t, Error>* first = nullptr;
    for (const Worker& worker : workers_) {
      counts_ += worker.counts;
      skipped.insert(skipped.end(), worker.skipped.begin(), worker.skipped.end());
      if (worker.failure && (first == nullptr || worker.failure->first < first->first)) first = &*worker.failure;
    }
    if (first != nullptr) failure_ = first->second;
    std::ranges::sort(skipped, {}, &std::pair<std::size_t, SkippedPicture>::first);
    skipped_.clear();
    for (auto& [index, picture] : skipped) skipped_.push_back(std::move(picture));
  }

  std::vector<Worker> workers_;
  std::shared_ptr<const ImageSource> images_;
  std::vector<std::size_t> selected_;
  std::int64_t label_offset_;
  std::atomic<std::size_t> next_ = 0;
  EvaluationCounts counts_;
  std::vector<SkippedPicture> skipped_;
  std::optional<Error> failure_;
  ThreadPool pool_;
};

std::vector<std::size_t> Select(std::size_t size, const EvaluationOptions& options) {
  const std::size_t end = options.limit > 0 ? std::min(options.limit, size) : size;
  std::vector<std::size_t> selected;
  for (std::size_t i = options.shard; i < end; i += options.shards) selected.push_back(i);
  return selected;
}

// All labels, not only this shard's: every part of a split evaluation must fail alike.
Result<void> CheckLabels(const ImageSource& images, std::int64_t offset, std::size_t classes) {
  for (std::size_t i = 0; i < images.size(); ++i) {
    const auto label = images.Label(i);
    if (!label) continue;
    if (*label + offset < 0 || *label + offset >= static_cast<std::int64_t>(classes)) {
      return Fail(ErrorCode::kBadInput,
                  images.Name(i) + " has class " + std::to_string(*label) +
                      (offset != 0 ? " (with the label offset " + std::to_string(*label + offset) + ")" : "") +
                      ", but the network has " + std::to_string(classes) + " classes, 0 to " +
                      std::to_string(classes - 1) +
                      "; the labels are not for this network, or need another label offset");
    }
  }
  return {};
}

Result<Worker> CreateWorker(const Graph& model, const Graph* reference, const EvaluationOptions& options) {
  auto classifier = Classifier::Create(model, options.classifier);
  if (!classifier) return Forward(classifier);
  Worker worker{.model = std::move(*classifier), .reference = {}, .counts = {}, .skipped = {}, .failure = {}};
  if (reference == nullptr) return worker;
  auto preprocess = PreprocessFor(model, options.classifier.preprocess);
  if (!preprocess) return Forward(preprocess);
  ClassifierOptions float_options = options.classifier;
  float_options.precision = Precision::kF32;
  // Its own file may say something else, or nothing: then agreement would be of different pictures.
  float_options.preprocess = FormatPreprocess(*preprocess);
  auto compared = Classifier::Create(*reference, float_options);
  if (!compared) {
    Error error = std::move(compared.error());
    error.message = "reference: " + error.message;
    return std::unexpected(std::move(error));
  }
  if (compared->class_count() != worker.model.class_count()) {
    return Fail(ErrorCode::kBadInput, "the model has " + std::to_string(worker.model.class_count()) +
                                          " classes and its reference " + std::to_string(compared->class_count()) +
                                          "; the reference must be the float network that the model was made from");
  }
  worker.reference.emplace(std::move(*compared));
  return worker;
}

}  // namespace

Result<std::unique_ptr<Evaluation>> Evaluation::Create(const Graph& model, const Graph* reference,
                                                       std::shared_ptr<const ImageSource> images,
                                                       const EvaluationOptions& options) {
  if (options.shards < 1 || options.shard >= options.shards) {
    return Fail(ErrorCode::kUsage,
                "shard " + std::to_string(options.shard) + " of " + std::to_string(options.shards) + " does not exist");
  }
  std::vector<std::size_t> selected = Select(images->size(), options);
  if (selected.empty()) return Fail(ErrorCode::kBadInput, "there is no picture to evaluate on");
  const int threads = options.threads > 0 ? options.threads : HardwareThreads();
  const std::size_t count =
      std::min({static_cast<std::size_t>(threads), selected.size(), std::size_t{ThreadPool::kMostThreads}});
  std::vector<Worker> workers;
  for (std::size_t i = 0; i < count; ++i) {
    auto worker = CreateWorker(model, reference, options);
    if (!worker) return Forward(worker);
    workers.push_back(std::move(*worker));
  }
  auto fitting = CheckLabels(*images, options.label_offset, workers.front().model.class_count());
  if (!fitting) return Forward(fitting);
  return std::make_unique<EvaluationImplementation>(std::move(workers), std::move(images), std::move(selected),
                                                    options.label_offset);
}

}  // namespace kdequant
