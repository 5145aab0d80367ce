#include <algorithm>
#include <chrono>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include "compensate_layer.h"
#include "glob.h"
#include "kdequant/base/random.h"
#include "kdequant/base/sort.h"
#include "kdequant/calibration/column_means.h"
#include "kdequant/calibration/dead_leaves.h"
#include "kdequant/calibration/statistics.h"
#include "kdequant/calibration/walk.h"
#include "kdequant/quantize/quantize.h"
#include "network.h"
#include "restore_responses.h"

namespace kdequant {
namespace {

// Expected costs in nanoseconds on one ordinary core, for a progress bar that moves evenly; their ratios matter.
constexpr double kCostPerWeight = 30;
constexpr double kCostPerLayer = 2e6;
constexpr double kCostPerMac = 0.15;
constexpr double kCostPerPicture = 10e6;
constexpr double kCostPerGramProduct = 0.1;

// Streams of random numbers, so that pictures and layers never share one.
constexpr std::uint64_t kPictureStream = 1ULL << 32;
constexpr std::uint64_t kPositionStream = 1ULL << 33;

double MillisecondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

// What both ways of quantizing do: draw the pictures, keep the report.
class QuantizeJobBase : public QuantizeJob {
 public:
  QuantizeJobBase(std::shared_ptr<const Graph> graph, QuantizeOptions options)
      : options_(std::move(options)), network_(std::move(graph), options_) {
    for (const Node& node : network_.float_graph().nodes) macs_ += MultiplyAccumulates(network_.float_graph(), node);
    for (const std::size_t layer : layers()) expected_cost_ += LayerCost(layer);
    if (options_.calibration == Calibration::kSynthetic)
      expected_cost_ += kCostPerPicture * static_cast<double>(PicturesWanted());
  }

  bool HasLayers() const { return !layers().empty(); }

  Result<bool> Step(double budget_ms) override {
    if (failure_) return std::unexpected(*failure_);
    const Budget budget(budget_ms);
    do {
      if (done_) return true;
      auto advanced = pictures_.size() < PicturesWanted() ? DrawPicture() : Advance(budget_ms);
      if (!advanced) {
        failure_ = advanced.error();
        return Forward(advanced);
      }
    } while (!budget.Spent());
    return done_;
  }

  const QuantizeReport& report() const override { return report_; }
  Graph TakeGraph() override { return network_.Take(); }

 protected:
  // One piece of work after the pictures are there.
  virtual Result<void> Advance(double budget_ms) = 0;

  const Graph& float_graph() const { return network_.float_graph(); }
  const std::vector<std::size_t>& layers() const { return network_.layers(); }
  double CostPerRun() const { return kCostPerMac * static_cast<double>(macs_); }
  double LayerCost(std::size_t layer) const {
    return kCostPerLayer + kCostPerWeight * static_cast<double>(network_.Weights(layer).values.size());
  }
  double Fraction() const { return expected_cost_ > 0 ? std::min(1.0, spent_cost_ / expected_cost_) : 1; }

  // The layer's report with what is known before it is quantized.
  LayerReport NewReport(std::size_t layer) const {
    const Node& node = float_graph().nodes[layer];
    const FloatTensor& weights = network_.Weights(layer);
    return {.name = node.name,
            .op = std::string(OperatorName(node.op)),
            .shape = weights.shape,
            .weights = weights.values.size()};
  }

  // Rounds to the nearest levels and installs; an excluded layer is reported only. `means` as for Install. Where it is
  // told whether the layer's inputs are `nonnegative`, channels are given their answers back.
  Result<void> RoundLayer(std::size_t layer, std::span<const double> float_means,
                          std::span<const double> quantized_means, std::optional<bool> nonnegative = {}) {
    const auto start = std::chrono::steady_clock::now();
    LayerReport report = NewReport(layer);
    if (network_.Excluded(layer)) {
      report.sqnr_db = std::numeric_limits<double>::infinity();
      report.bytes = report.weights * sizeof(float);
    } else {
      auto rounded = network_.Round(layer, report);
      if (!rounded) return Forward(rounded);
      auto* const codebook = std::get_if<CodebookTensor>(&*rounded);
      if (nonnegative && codebook != nullptr) RestoreResponses(network_.Weights(layer).values, *nonnegative, *codebook);
      network_.Install(layer, std::move(*rounded), float_means, quantized_means, report);
    }
    report.milliseconds = MillisecondsSince(start);
    report_.design_milliseconds += report.milliseconds;
    AddReport(std::move(report));
    spent_cost_ += LayerCost(layer);
    return {};
  }

  void AddReport(LayerReport report) {
    report_.weights += report.weights;
    report_.weights_scanned += report.scanned;
    report_.weights_sampled += report.samples;
    report_.layers.push_back(std::move(report));
  }

  QuantizeOptions options_;
  GrowingNetwork network_;
  std::vector<Image> pictures_;
  QuantizeReport report_;
  double expected_cost_ = 0, spent_cost_ = 0;
  bool done_ = false;

 private:
  std::size_t PicturesWanted() const {
    switch (options_.calibration) {
      case Calibration::kNone: return 0;
      case Calibration::kSynthetic: return options_.picture_count;
      case Calibration::kPictures: return std::min(options_.picture_count, options_.pictures.size());
    }
    return 0;
  }

  Result<void> DrawPicture() {
    const auto start = std::chrono::steady_clock::now();
    if (options_.calibration == Calibration::kPictures) {
      options_.pictures.resize(PicturesWanted());
      pictures_ = std::move(options_.pictures);
    } else {
      pictures_.push_back(CalibrationPicture(options_.preprocess.size, options_.seed, pictures_.size()));
      spent_cost_ += kCostPerPicture;
    }
    report_.calibration_milliseconds += MillisecondsSince(start);
    return {};
  }

  std::int64_t macs_ = 0;
  std::optional<Error> failure_;
};

// Every weight goes to its nearest level; ranges, bias and whether inputs are ever negative from the float network.
class NearestJob final : public QuantizeJobBase {
 public:
  NearestJob(std::shared_ptr<const Graph> graph, QuantizeOptions options)
      : QuantizeJobBase(std::move(graph), std::move(options)) {
    if (options_.calibration != Calibration::kNone)
      expected_cost_ += CostPerRun() * static_cast<double>(options_.picture_count);
  }

  Progress progress() const override {
    if (done_) return {1, "done", {}};
    if (calibrating()) return {Fraction(), "calibrating", {}};
    return {Fraction(), "designing levels", float_graph().nodes[layers()[next_layer_]].name};
  }

 private:
  bool calibrating() const {
    return options_.calibration != Calibration::kNone && (!statistics_ || report_.pictures < pictures_.size());
  }

  Result<void> Advance(double) override {
    if (calibrating()) return RunPicture();
    const std::size_t layer = layers()[next_layer_];
    std::span<const double> means;
    if (options_.bias_correction && statistics_) means = statistics_->statistics().column_means.at(layer);
    std::optional<bool> nonnegative;
    if (statistics_) {
      const ValueExtents& extents = statistics_->statistics().extents;
      const auto input = extents.find(float_graph().nodes[layer].inputs[0]);
      nonnegative = input != extents.end() && input->second.low >= 0;
    }
    auto rounded = RoundLayer(layer, means, means, nonnegative);
    if (!rounded) return rounded;
    if (++next_layer_ < layers().size()) return {};
    const bool ranges = options_.activations == ActivationMode::kStatic && statistics_;
    network_.Complete(ranges ? statistics_->statistics().extents : ValueExtents{});
    done_ = true;
    return {};
  }

  Result<void> RunPicture() {
    const auto start = std::chrono::steady_clock::now();
    if (!statistics_) {
      auto job = StatisticsJob::Create(float_graph(), pictures_, options_.preprocess);
      if (!job) return Forward(job);
      statistics_ = std::move(*job);
    }
    auto stepped = statistics_->Step(0);
    if (!stepped) return Forward(stepped);
    report_.pictures = statistics_->statistics().pictures;
    report_.calibration_milliseconds += MillisecondsSince(start);
    spent_cost_ += CostPerRun();
    return {};
  }

  std::unique_ptr<StatisticsJob> statistics_;
  std::size_t next_layer_ = 0;
};

// Goes through the float network and the one quantized so far side by side, all pictures together, and stops before
// every codebook layer to compensate it with what arrives there.
class CompensatedJob final : public QuantizeJobBase {
 public:
  CompensatedJob(std::shared_ptr<const Graph> graph, QuantizeOptions options)
      : QuantizeJobBase(std::move(graph), std::move(options)),
        in_float_(options_.picture_count),
        in_quantized_(options_.picture_count) {
    for (const std::size_t layer : layers()) {
      if (!network_.IsCompensated(layer)) continue;
      stops_.push_back(layer);
      expected_cost_ += CompensationCostOf(layer);
    }
    expected_cost_ += 2 * CostPerRun() * static_cast<double>(options_.picture_count);
    CountPictures();
  }

  Progress progress() const override {
    if (done_) return {1, "done", {}};
    if (phase_ == Phase::kCompensate) return {Fraction(), "compensating", float_graph().nodes[End()].name};
    return {Fraction(), "calibrating", {}};
  }

 private:
  // For each stretch of nodes from one stop to the next:
  enum class Phase {
    kEnterFloat,      // the float network is prepared for it
    kRunFloat,        // and brings every picture to its end;
    kRoundOthers,     // its other layers (depthwise ones) are rounded
    kEnterQuantized,  // so that the quantized network
    kRunQuantized,    // can follow;
    kMeans,           // the means of what arrives at the stop are taken,
    kCompensate,      // and its layer is quantized.
  };

  // Nodes [Begin(), End()) are the stretch at work; End() is a layer to compensate or the end of the network.
  std::size_t Begin() const { return stretch_ == 0 ? 0 : stops_[stretch_ - 1]; }
  std::size_t End() const { return stretch_ < stops_.size() ? stops_[stretch_] : float_graph().nodes.size(); }

  // As many pictures come to each stop as both walks can keep in memory there and at all later ones, but at least one:
  // activations shrink along a network, so more of them join on the way. The last layers, where a picture has few
  // positions, need them most.
  void CountPictures() {
    constexpr std::size_t kMostBytes = std::size_t{512} << 20;
    arrived_.assign(stops_.size() + 1, options_.picture_count);
    std::size_t most = options_.picture_count;
    for (std::size_t i = stops_.size(); i-- > 0;) {
      const std::size_t kept = std::max<std::size_t>(1, BytesKept(float_graph(), stops_[i]));
      most = std::min(most, std::max<std::size_t>(1, kMostBytes / (2 * kept)));
      arrived_[i] = most;
    }
  }

  // Pictures at the end of the stretch; those from Waiting() on have not been in the network yet.
  std::size_t Arrived() const { return arrived_[stretch_]; }
  std::size_t Waiting() const { return stretch_ == 0 ? Arrived() : arrived_[stretch_ - 1]; }

  double CompensationCostOf(std::size_t layer) const {
    return kCostPerGramProduct * CompensationCost(float_graph(), float_graph().nodes[layer]);
  }

  Result<void> Advance(double budget_ms) override {
    const auto start = std::chrono::steady_clock::now();
    const bool walking = phase_ != Phase::kCompensate && phase_ != Phase::kRoundOthers;
    auto advanced = AdvancePhase(budget_ms);
    if (walking) report_.calibration_milliseconds += MillisecondsSince(start);
    return advanced;
  }

  Result<void> AdvancePhase(double budget_ms) {
    switch (phase_) {
      case Phase::kEnterFloat: return EnterFloat();
      case Phase::kRunFloat: return RunFloat();
      case Phase::kRoundOthers: return RoundOther();
      case Phase::kEnterQuantized: return EnterQuantized();
      case Phase::kRunQuantized: return RunQuantized();
      case Phase::kMeans: AddMeans(); return {};
      case Phase::kCompensate: return CompensateLayer(budget_ms);
    }
    return {};
  }

  Result<void> EnterFloat() {
    picture_ = 0;
    means_.clear();
    others_.clear();
    for (const std::size_t layer : layers()) {
      if (layer < Begin() || layer >= End() || network_.IsCompensated(layer)) continue;
      others_.push_back(layer);
      means_.emplace(layer, ColumnMeans(float_graph(), float_graph().nodes[layer]));
    }
    phase_ = Phase::kRunFloat;
    // A network may begin with a layer to compensate: then there is nothing to run before it.
    if (End() == Begin()) return {};
    return in_float_.Enter(float_graph(), Begin(), End());
  }

  std::vector<float> Input(std::size_t picture) const {
    return ToTensor(pictures_[picture], options_.preprocess, InputLayout(float_graph()));
  }

  Result<void> RunFloat() {
    if (picture_ == Arrived()) {
      in_float_.Leave();
      phase_ = Phase::kRoundOthers;
      return {};
    }
    if (picture_ == Waiting()) {
      auto entered = in_float_.Enter(float_graph(), 0, End());
      if (!entered) return entered;
    }
    if (stretch_ == 0 || picture_ >= Waiting()) in_float_.SetInput(picture_, float_graph().inputs[0], Input(picture_));
    if (End() == Begin()) {
      ++picture_;
      return {};
    }
    const auto observe = [this](ValueId id, std::span<const float> elements) {
      for (auto& [layer, means] : means_) {
        if (float_graph().nodes[layer].inputs[0] == id) means.Add(elements);
      }
    };
    // A layer of this stretch may read what an earlier one has computed.
    for (auto& [layer, means] : means_) {
      const ValueId input = float_graph().nodes[layer].inputs[0];
      if (in_float_.has(picture_, input)) means.Add(in_float_.value(picture_, input));
    }
    SpendRun();
    return in_float_.Run(picture_++, means_.empty() ? Session::Observer{} : observe);
  }

  Result<void> RoundOther() {
    if (others_.empty()) {
      phase_ = Phase::kEnterQuantized;
      return {};
    }
    const std::size_t layer = others_.front();
    others_.erase(others_.begin());
    const std::vector<double> means = options_.bias_correction ? means_.at(layer).Means() : std::vector<double>{};
    return RoundLayer(layer, means, means);
  }

  Result<void> EnterQuantized() {
    picture_ = 0;
    phase_ = Phase::kRunQuantized;
    if (End() == Begin()) return {};
    return in_quantized_.Enter(network_.graph(), Begin(), End());
  }

  Result<void> RunQuantized() {
    if (picture_ == Arrived()) {
      if (End() == float_graph().nodes.size()) {
        report_.pictures = Arrived();
        network_.Complete(options_.activations == ActivationMode::kStatic ? extents_ : ValueExtents{});
        done_ = true;
      }
      in_quantized_.Leave();
      picture_ = 0;
      phase_ = Phase::kMeans;
      return {};
    }
    const auto observe = [this](ValueId id, std::span<const float> elements) { AddExtent(id, elements, extents_); };
    if (picture_ == Waiting()) {
      auto entered = in_quantized_.Enter(network_.graph(), 0, End());
      if (!entered) return entered;
    }
    if (stretch_ == 0 || picture_ >= Waiting()) {
      const std::vector<float> input = Input(picture_);
      observe(float_graph().inputs[0], input);
      in_quantized_.SetInput(picture_, float_graph().inputs[0], input);
    }
    if (End() == Begin()) {
      ++picture_;
      return {};
    }
    SpendRun();
    return in_quantized_.Run(picture_++, observe);
  }

  // Of one picture.
  void AddMeans() {
    const Node& node = float_graph().nodes[End()];
    if (!options_.bias_correction || picture_ == Arrived()) {
      phase_ = Phase::kCompensate;
      return;
    }
    if (picture_ == 0) {
      stop_means_.emplace(float_graph(), node);
      quantized_stop_means_.emplace(float_graph(), node);
    }
    stop_means_->Add(in_float_.value(picture_, node.inputs[0]));
    quantized_stop_means_->Add(in_quantized_.value(picture_, node.inputs[0]));
    ++picture_;
  }

  void SpendRun() {
    double macs = 0;
    for (std::size_t i = picture_ < Waiting() ? Begin() : 0; i < End(); ++i)
      macs += static_cast<double>(MultiplyAccumulates(float_graph(), float_graph().nodes[i]));
    spent_cost_ += kCostPerMac * macs;
  }

  Result<void> CompensateLayer(double budget_ms) {
    const std::size_t layer = End();
    const auto start = std::chrono::steady_clock::now();
    if (!compensation_) {
      layer_report_ = NewReport(layer);
      auto rounded = network_.Round(layer, layer_report_);
      if (!rounded) return Forward(rounded);
      report_.design_milliseconds += MillisecondsSince(start);
      const ValueId input = float_graph().nodes[layer].inputs[0];
      CalibrationInputs inputs{
          .pictures = Arrived(),
          .in_float = [this, input](std::size_t picture) { return in_float_.value(picture, input); },
          .in_quantized = [this, input](std::size_t picture) { return in_quantized_.value(picture, input); }};
      auto job = CompensateLayerJob::Create(
          float_graph(), float_graph().nodes[layer], std::get<CodebookTensor>(std::move(*rounded)), std::move(inputs),
          {.fits = options_.fits, .sweeps = options_.sweeps, .answers = layer == layers().back()},
          StreamSeed(options_.seed, kPositionStream + layer));
      if (!job) return Forward(job);
      compensation_ = std::move(*job);
      layer_report_.milliseconds += MillisecondsSince(start);
      return {};
    }
    auto done = compensation_->Step(budget_ms);
    if (!done) return Forward(done);
    if (*done) FinishLayer(layer);
    layer_report_.milliseconds += MillisecondsSince(start);
    report_.compensation_milliseconds += MillisecondsSince(start);
    if (!*done) return {};
    AddReport(std::move(layer_report_));
    spent_cost_ += LayerCost(layer) + CompensationCostOf(layer);
    compensation_.reset();
    ++stretch_;
    phase_ = Phase::kEnterFloat;
    return {};
  }

  void FinishLayer(std::size_t layer) {
    std::vector<double> means;
    std::vector<double> quantized_means;
    if (options_.bias_correction) {
      means = stop_means_->Means();
      quantized_means = quantized_stop_means_->Means();
    }
    layer_report_.compensation = compensation_->kind();
    network_.Install(layer, compensation_->TakeTensor(), means, quantized_means, layer_report_);
  }

  NetworkWalk in_float_, in_quantized_;
  std::vector<std::size_t> stops_;
  std::vector<std::size_t> arrived_;  // pictures, at each stop and at the end
  std::size_t stretch_ = 0;
  Phase phase_ = Phase::kEnterFloat;
  std::size_t picture_ = 0;
  std::vector<std::size_t> others_;                               // layers of the stretch that are still to be rounded
  std::map<std::size_t, ColumnMeans> means_;                      // of the stretch's other layers
  std::optional<ColumnMeans> stop_means_, quantized_stop_means_;  // of the layer at the stop
  std::unique_ptr<CompensateLayerJob> compensation_;
  LayerReport layer_report_;
  ValueExtents extents_;
};

// QuantizeOptions::widen where there is no value, for 4-bit weights of so many bytes.
double UsualWidening(double bytes) {
  constexpr double kShare = 0.02;
  constexpr double kMostOfSmall = 0.06;
  constexpr double kUnnoticed = 40'000;
  return std::max(kShare, std::min(kMostOfSmall, kUnnoticed / bytes));
}

// Gives 8 bits to the smallest layers: as many as add at most `options.widen` to the bytes of all 4-bit weights. Every
// layer adds about as much noise as another, so where it costs least to take away is where there are fewest weights.
void WidenSmallLayers(const Graph& graph, QuantizeOptions& options) {
  if (options.design.levels != 16 || options.granularity == Granularity::kChannel) options.widen = 0;
  if (options.widen == 0) return;
  std::vector<std::pair<std::size_t, std::string>> layers;  // weights, name
  double bytes = 0;
  for (const Node& node : graph.nodes) {
    if (!HasWeights(graph, node) || IsDepthwise(graph, node)) continue;
    const FloatTensor* weights = graph.FloatConstant(node.inputs[1]);
    if (weights == nullptr) continue;
    bytes += static_cast<double>(weights->values.size()) / 2;
    layers.emplace_back(weights->values.size(), node.name);
  }
  SortSmall(layers);
  if (!options.widen) options.widen = UsualWidening(bytes);
  double spare = *options.widen * bytes;
  std::vector<LayerOverride> overrides;
  for (const auto& [weights, name] : layers) {
    // 256 levels instead of 16, as floats; in 16 bits, as with channel scales, it is half of that.
    constexpr double kTableBytes = 960;
    spare -= static_cast<double>(weights) / 2 + kTableBytes;
    if (spare < 0) break;
    overrides.push_back({.layers = name, .bits = 8, .method = Method::kUniformMinMax});
  }
  // What the caller says of a layer wins.
  overrides.insert(overrides.end(), options.overrides.begin(), options.overrides.end());
  options.overrides = std::move(overrides);
}

template <typename Kind>
Result<std::unique_ptr<QuantizeJob>> MakeJob(std::shared_ptr<const Graph> graph, QuantizeOptions options) {
  const auto matches_no_layer = [&](const std::string& glob) {
    return std::ranges::none_of(graph->nodes, [&](const Node& node) { return GlobMatches(glob, node.name); });
  };
  for (const std::string& glob : options.exclude) {
    if (matches_no_layer(glob)) return Fail(ErrorCode::kUsage, "there is no layer \"" + glob + "\" to exclude");
  }
  for (const LayerOverride& override : options.overrides) {
    if (matches_no_layer(override.layers))
      return Fail(ErrorCode::kUsage, "there is no layer \"" + override.layers + "\" to override");
  }
  auto job = std::make_unique<Kind>(std::move(graph), std::move(options));
  if (!job->HasLayers()) {
    return Fail(ErrorCode::kUnsupported,
                "the network has no float weights to quantize: no Conv, Gemm or MatMul with constant float weights; is "
                "it quantized already?");
  }
  return job;
}

}  // namespace

Image CalibrationPicture(int size, std::uint64_t seed, std::size_t index) {
  return DeadLeaves(size, StreamSeed(seed, kPictureStream + index));
}

Result<std::unique_ptr<QuantizeJob>> QuantizeJob::Create(std::shared_ptr<const Graph> graph, QuantizeOptions options) {
  if (options.calibration == Calibration::kNone) {
    options.bias_correction = false;
    options.compensation = false;
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
  if (options.codebooks < 1 || options.codebooks > kMostCodebooks) {
    return Fail(ErrorCode::kUsage, "the number of codebooks must be between 1 and " + std::to_string(kMostCodebooks));
  }
  if (options.calibration == Calibration::kPictures)
    options.picture_count = std::min(options.picture_count, options.pictures.size());
  WidenSmallLayers(*graph, options);
  if (options.compensation) return MakeJob<CompensatedJob>(std::move(graph), std::move(options));
  return MakeJob<NearestJob>(std::move(graph), std::move(options));
}

}  // namespace kdequant
