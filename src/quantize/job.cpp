#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <utility>

#include "assign.h"
#include "kdequant/base/random.h"
#include "kdequant/calibration/dead_leaves.h"
#include "kdequant/calibration/statistics.h"
#include "kdequant/quantize/quantize.h"
#include "layer.h"
#include "settings.h"

namespace kdequant {
namespace {

// Expected costs in nanoseconds on one ordinary core, for a progress bar that moves evenly; their ratios matter.
constexpr double kCostPerWeight = 30;
constexpr double kCostPerLayer = 2e6;
constexpr double kCostPerMac = 0.15;
constexpr double kCostPerPicture = 10e6;

// Streams of random numbers, so that pictures and layers never share one.
constexpr std::uint64_t kPictureStream = 1ULL << 32;

double MillisecondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

// Shell-style match: * is any run of characters, ? is one.
bool GlobMatches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

class QuantizeJobImplementation final : public QuantizeJob {
 public:
  QuantizeJobImplementation(std::shared_ptr<const Graph> graph, QuantizeOptions options)
      : graph_(std::move(graph)), options_(std::move(options)), result_(*graph_) {
    std::int64_t macs = 0;
    for (std::size_t i = 0; i < graph_->nodes.size(); ++i) {
      const Node& node = graph_->nodes[i];
      macs += MultiplyAccumulates(*graph_, node);
      if (!HasWeights(*graph_, node)) continue;
      const FloatTensor* weights = graph_->FloatConstant(node.inputs[1]);
      if (weights == nullptr) continue;
      layers_.push_back(i);
      layer_cost_ += LayerCost(*weights);
    }
    picture_cost_ = kCostPerPicture + kCostPerMac * static_cast<double>(macs);
    expected_cost_ = layer_cost_ + picture_cost_ * static_cast<double>(PicturesWanted());
  }

  bool HasLayers() const { return !layers_.empty(); }

  Result<bool> Step(double budget_ms) override {
    if (failure_) return std::unexpected(*failure_);
    const Budget budget(budget_ms);
    do {
      auto done = Advance();
      if (!done) {
        failure_ = done.error();
        return done;
      }
      if (*done) return true;
    } while (!budget.Spent());
    return false;
  }

  Progress progress() const override {
    const double fraction = expected_cost_ > 0 ? std::min(1.0, spent_cost_ / expected_cost_) : 1;
    if (done_) return {1, "done", {}};
    if (calibrating()) return {fraction, "calibrating", {}};
    return {fraction, "designing levels", graph_->nodes[layers_[next_layer_]].name};
  }

  const QuantizeReport& report() const override { return report_; }
  Graph TakeGraph() override { return std::move(result_); }

 private:
  static double LayerCost(const FloatTensor& weights) {
    return kCostPerLayer + kCostPerWeight * static_cast<double>(weights.values.size());
  }

  std::size_t PicturesWanted() const {
    switch (options_.calibration) {
      case Calibration::kNone: return 0;
      case Calibration::kSynthetic: return options_.picture_count;
      case Calibration::kPictures: return std::min(options_.picture_count, options_.pictures.size());
    }
    return 0;
  }

  bool calibrating() const { return report_.pictures < PicturesWanted(); }

  // One picture drawn, one picture run, or one layer quantized.
  Result<bool> Advance() {
    if (done_) return true;
    const auto start = std::chrono::steady_clock::now();
    if (calibrating()) {
      auto stepped = AdvanceCalibration();
      report_.calibration_milliseconds += MillisecondsSince(start);
      if (!stepped) return Forward(stepped);
      return false;
    }
    auto quantized = QuantizeLayer(layers_[next_layer_]);
    if (!quantized) return Forward(quantized);
    report_.layers.back().milliseconds = MillisecondsSince(start);
    report_.design_milliseconds += report_.layers.back().milliseconds;
    if (++next_layer_ < layers_.size()) return false;
    Finalize();
    done_ = true;
    return true;
  }

  Result<void> AdvanceCalibration() {
    if (pictures_.size() < PicturesWanted()) {
      if (options_.calibration == Calibration::kPictures) {
        pictures_.assign(options_.pictures.begin(),
                         options_.pictures.begin() + static_cast<std::ptrdiff_t>(PicturesWanted()));
      } else {
        pictures_.push_back(
            DeadLeaves(options_.preprocess.size, StreamSeed(options_.seed, kPictureStream + pictures_.size())));
        spent_cost_ += kCostPerPicture;
      }
      return {};
    }
    if (!statistics_) {
      auto job = StatisticsJob::Create(*graph_, pictures_, options_.preprocess);
      if (!job) return Forward(job);
      statistics_ = std::move(*job);
    }
    auto stepped = statistics_->Step(0);
    if (!stepped) return Forward(stepped);
    report_.pictures = statistics_->statistics().pictures;
    spent_cost_ += picture_cost_ - kCostPerPicture;
    return {};
  }

  Result<void> QuantizeLayer(std::size_t index) {
    const Node& node = graph_->nodes[index];
    const FloatTensor& weights = *graph_->FloatConstant(node.inputs[1]);
    LayerReport report{.name = node.name,
                       .op = std::string(OperatorName(node.op)),
                       .shape = weights.shape,
                       .weights = weights.values.size()};
    spent_cost_ += LayerCost(weights);
    report_.weights += report.weights;
    if (std::ranges::any_of(options_.exclude, [&](const std::string& glob) { return GlobMatches(glob, node.name); })) {
      report.sqnr_db = std::numeric_limits<double>::infinity();
      report.bytes = weights.values.size() * sizeof(float);
      report_.layers.push_back(std::move(report));
      return {};
    }
    Tensor quantized;
    if (IsDepthwise(*graph_, node)) {
      quantized = QuantizeToInt8(weights);
      report.bits = 8;
      report.scanned = report.weights;
    } else {
      auto codebook = QuantizeToCodebook(weights, options_, StreamSeed(options_.seed, index));
      if (!codebook) {
        Error error = std::move(codebook.error());
        error.message = "layer \"" + node.name + "\" (" + report.op + "): " + error.message;
        error.layer = node.name;
        return std::unexpected(std::move(error));
      }
      report.bits = std::get<CodebookTensor>(codebook->tensor).bits;
      report.scanned = codebook->scanned;
      report.samples = codebook->sampled;
      report.bandwidth = codebook->bandwidth;
      report.levels = std::move(codebook->levels);
      quantized = std::move(codebook->tensor);
    }
    auto dequantized = Dequantize(quantized);
    if (!dequantized) return Forward(dequantized);
    SquaredError error;
    error.Add(weights.values, dequantized->values);
    report.sqnr_db = error.SqnrDb();
    report.bytes = StoredBytes(quantized);
    if (options_.bias_correction && statistics_) CorrectBias(index, weights, *dequantized);
    Value& target = result_.value(node.inputs[1]);
    target.constant = std::make_shared<const Tensor>(std::move(quantized));
    report_.weights_scanned += report.scanned;
    report_.weights_sampled += report.samples;
    report_.layers.push_back(std::move(report));
    return {};
  }

  // bias += (W - Q) E[x]: the mean of the output stays what it was on the calibration pictures.
  void CorrectBias(std::size_t index, const FloatTensor& weights, const FloatTensor& quantized) {
    const std::vector<double>& means = statistics_->statistics().column_means.at(index);
    const auto channels = static_cast<std::size_t>(weights.shape[0]);
    const std::size_t columns = weights.values.size() / channels;
    const std::size_t groups = means.size() / columns;
    Node& node = result_.nodes[index];
    FloatTensor bias{.shape = {weights.shape[0]}, .values = std::vector<float>(channels)};
    const bool has_bias = node.inputs.size() > 2 && node.inputs[2] != kNoValue;
    if (has_bias) {
      const FloatTensor* old = result_.FloatConstant(node.inputs[2]);
      if (old == nullptr || old->values.size() != channels)
        return;  // a computed bias: nothing to add the correction to
      bias.values = old->values;
    }
    for (std::size_t o = 0; o < channels; ++o) {
      const std::size_t group = o / (channels / groups);
      double shift = 0;
      for (std::size_t k = 0; k < columns; ++k) {
        const std::size_t i = o * columns + k;
        shift += (static_cast<double>(weights.values[i]) - static_cast<double>(quantized.values[i])) *
                 means[group * columns + k];
      }
      bias.values[o] = static_cast<float>(static_cast<double>(bias.values[o]) + shift);
    }
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

  std::size_t Uses(ValueId id) const {
    std::size_t uses = 0;
    for (const Node& node : result_.nodes) uses += static_cast<std::size_t>(std::ranges::count(node.inputs, id));
    return uses;
  }

  std::string FreshName(std::string name) const {
    while (std::ranges::any_of(result_.values, [&](const Value& value) { return value.name == name; })) name += "_";
    return name;
  }

  void Finalize() {
    if (options_.activations == ActivationMode::kStatic && statistics_) {
      for (const auto& [id, extent] : statistics_->statistics().extents) {
        if (std::ranges::find(result_.outputs, id) != result_.outputs.end()) continue;
        result_.ranges[result_.value(id).name] = {.low = extent.low, .high = extent.high, .bits = 7};
      }
    }
    result_.metadata["kdequant.version"] = Version();
    result_.metadata["kdequant.settings"] = SettingsToJson(options_);
    result_.metadata["kdequant.preprocess"] = FormatPreprocess(options_.preprocess);
  }

  std::shared_ptr<const Graph> graph_;
  QuantizeOptions options_;
  Graph result_;
  std::vector<std::size_t> layers_;  // node indices
  std::vector<Image> pictures_;
  std::unique_ptr<StatisticsJob> statistics_;
  std::size_t next_layer_ = 0;
  bool done_ = false;
  std::optional<Error> failure_;
  QuantizeReport report_;
  double layer_cost_ = 0, picture_cost_ = 0, expected_cost_ = 0, spent_cost_ = 0;
};

}  // namespace

Result<std::unique_ptr<QuantizeJob>> QuantizeJob::Create(std::shared_ptr<const Graph> graph, QuantizeOptions options) {
  if (options.calibration == Calibration::kNone) {
    options.bias_correction = false;
    if (options.activations == ActivationMode::kStatic) options.activations = ActivationMode::kDynamic;
  } else if (options.picture_count == 0) {
    return Fail(ErrorCode::kUsage, "calibration needs at least one picture; ask for more, or for no calibration");
  }
  if (options.calibration == Calibration::kPictures && options.pictures.empty()) {
    return Fail(ErrorCode::kUsage, "there is no calibration picture; give some, or use synthetic ones");
  }
  if (options.design.levels < 2 || options.design.levels > 256) {
    return Fail(ErrorCode::kUsage, "the number of levels must be between 2 and 256");
  }
  auto job = std::make_unique<QuantizeJobImplementation>(std::move(graph), std::move(options));
  if (!job->HasLayers()) {
    return Fail(ErrorCode::kUnsupported,
                "the network has no float weights to quantize: no Conv, Gemm or MatMul with constant float weights; is "
                "it quantized already?");
  }
  return job;
}

}  // namespace kdequant
