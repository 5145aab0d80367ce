#include "compensate_layer.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "assign.h"
#include "kdequant/base/half.h"
#include "kdequant/base/sort.h"
#include "kdequant/codebook/integer_levels.h"
#include "kdequant/compensation/asymmetric.h"
#include "kdequant/compensation/compensate.h"
#include "kdequant/compensation/extra_rows.h"
#include "kdequant/compensation/factor.h"
#include "kdequant/compensation/gram.h"
#include "kdequant/compensation/im2col.h"
#include "kdequant/compensation/refine.h"
#include "kdequant/compensation/response.h"
#include "restore_responses.h"

namespace kdequant {
namespace {

// Of the factor that compensates; synthetic pictures are not quite what the network will see.
constexpr double kDamping = 0.03;

// How much the mean of a picture's rows counts, beside the rows themselves; and how much the rows that stand for
// answers do, of what all pictures' rows do. See docs/method.md.
constexpr double kMeanShare = 1;
constexpr double kAnswerShare = 0.3;

// The layer as a matrix of weights and what it multiplies.
struct LayerGeometry {
  std::size_t channels = 0;  // of the output, over all groups
  std::size_t columns = 0;   // of one group
  std::size_t groups = 1;
  std::size_t taps = 1;                  // columns that belong to one input channel
  std::size_t positions = 0;             // a picture
  std::optional<Im2ColGeometry> window;  // of a convolution
};

LayerGeometry GeometryOf(const Graph& graph, const Node& node) {
  const Shape& weight = ShapeOf(*graph.value(node.inputs[1]).constant);
  const Shape& output = *graph.value(node.outputs[0]).shape;
  LayerGeometry geometry;
  geometry.channels = static_cast<std::size_t>(weight[0]);
  geometry.columns = 1;
  for (std::size_t i = 1; i < weight.size(); ++i) geometry.columns *= static_cast<std::size_t>(weight[i]);
  if (const auto* conv = std::get_if<Conv>(&node.op)) {
    const Shape& input = *graph.value(node.inputs[0]).shape;
    geometry.groups = static_cast<std::size_t>(conv->groups);
    geometry.taps = static_cast<std::size_t>(weight[2] * weight[3]);
    geometry.positions = static_cast<std::size_t>(output[2] * output[3]);
    geometry.window = Im2ColGeometry{.window = conv->window,
                                     .channels = input[1],
                                     .height = input[2],
                                     .width = input[3],
                                     .output_width = output[3],
                                     .groups = conv->groups};
  } else {
    geometry.positions = 1;
    for (std::size_t i = 0; i + 1 < output.size(); ++i) geometry.positions *= static_cast<std::size_t>(output[i]);
  }
  return geometry;
}

// A run of columns of one group: what has a Gram matrix of its own.
struct Block {
  std::size_t group = 0;
  ColumnRange range;
};

class CompensateLayerJobImplementation final : public CompensateLayerJob {
 public:
  CompensateLayerJobImplementation(const LayerGeometry& geometry, const FloatTensor& weights, CodebookTensor tensor,
                                   CalibrationInputs inputs, CompensationEffort effort, std::uint64_t seed)
      : geometry_(geometry),
        weights_(weights.values),
        tensor_(std::move(tensor)),
        inputs_(std::move(inputs)),
        effort_(effort) {
    const auto ranges = SplitColumns(geometry.columns, geometry.taps);
    for (std::size_t group = 0; group < geometry.groups; ++group) {
      for (const ColumnRange range : ranges) blocks_.push_back({group, range});
    }
    cut_ = ranges.size() > 1;
    std::size_t widest = 0;
    for (const ColumnRange range : ranges) widest = std::max(widest, range.size());
    positions_ = SamplePositions(geometry.positions, inputs_.pictures, PositionsWanted(widest), seed);
    std::size_t seen = 0;
    for (const auto& positions : positions_) seen += positions.size();
    // With few positions the move would follow chance: it may change weights by whole levels.
    move_ = seen > widest;
    // Runs share their channels' scales and levels, and would pull them to and fro.
    if (blocks_.size() > 1) effort_.fits = 0;
    responses_.resize(geometry.channels);
    UpdateLevels();
  }

  Result<bool> Step(double budget_ms) override {
    const Budget budget(budget_ms);
    do {
      if (block_ == blocks_.size()) return true;
      auto advanced = Advance(budget_ms);
      if (!advanced) return Forward(advanced);
    } while (!budget.Spent());
    return block_ == blocks_.size();
  }

  Progress progress() const override {
    const double blocks = static_cast<double>(blocks_.size());
    const double gathered =
        static_cast<double>(picture_) / static_cast<double>(std::max<std::size_t>(1, inputs_.pictures));
    return {std::min(1.0, (static_cast<double>(block_) + gathered * 0.5) / blocks), "compensating", {}};
  }

  std::string_view kind() const override { return cut_ ? "blocks" : "full"; }
  CodebookTensor TakeTensor() override { return std::move(tensor_); }

 private:
  enum class Phase { kStart, kGather, kFold, kFactorForMove, kMove, kFactor, kCompensate, kRefine };

  // What compensation has made of the block so far.
  struct Choice {
    CompensationResult result;
    std::vector<float> scales, steps;
    std::vector<std::int8_t> codes;
  };

  std::size_t GroupChannels() const { return geometry_.channels / geometry_.groups; }
  const Block& block() const { return blocks_[block_]; }
  // The weights of the block's group, [channels of the group, columns].
  std::span<const float> GroupWeights() const {
    const std::size_t size = GroupChannels() * geometry_.columns;
    return weights_.subspan(block().group * size, size);
  }

  Result<void> Advance(double budget_ms) {
    switch (phase_) {
      case Phase::kStart: return Start();
      case Phase::kGather: return Gather();
      case Phase::kFold: return Fold(budget_ms);
      case Phase::kFactorForMove: return FactorForMove(budget_ms);
      case Phase::kMove: return Move(budget_ms);
      case Phase::kFactor: return FactorForCompensation(budget_ms);
      case Phase::kCompensate: return Compensate(budget_ms);
      case Phase::kRefine: return Refine(budget_ms);
    }
    return {};
  }

  Result<void> Start() {
    auto gram = GramAccumulator::Create(block().range.size());
    if (!gram) return Forward(gram);
    gram_sums_ = std::move(*gram);
    if (move_) {
      auto error = OutputErrorAccumulator::Create(GroupWeights(), GroupChannels(), geometry_.columns, block().range);
      if (!error) return Forward(error);
      error_sums_ = std::move(*error);
    }
    picture_ = 0;
    rows_.clear();
    quantized_rows_.clear();
    taken_ = 0;
    energy_ = 0;
    nonnegative_ = true;
    answered_ = !effort_.answers;
    phase_ = Phase::kGather;
    return {};
  }

  // The rows of the next picture.
  Result<void> Gather() {
    if (picture_ == inputs_.pictures && !answered_) {
      AddAnswers();
      return {};
    }
    if (picture_ == inputs_.pictures) {
      last_ = true;
      phase_ = Phase::kFold;
      return {};
    }
    GatherRows(inputs_.in_quantized(picture_), quantized_rows_);
    if (move_) GatherRows(inputs_.in_float(picture_), rows_);
    AppendMeanRow(block().range.size(), kMeanShare, quantized_rows_);
    AppendMeanRow(block().range.size(), kMeanShare, rows_);
    for (const float x : quantized_rows_) {
      energy_ += static_cast<double>(x) * static_cast<double>(x);
      nonnegative_ = nonnegative_ && x >= 0;
    }
    ++picture_;
    taken_ = 0;
    last_ = false;
    phase_ = Phase::kFold;
    return {};
  }

  // In place of one more picture's rows.
  void AddAnswers() {
    quantized_rows_ =
        AnswerRows(GroupWeights(), geometry_.columns, block().range, nonnegative_, kAnswerShare * energy_);
    if (move_) rows_ = quantized_rows_;
    answered_ = true;
    taken_ = 0;
    last_ = false;
    phase_ = Phase::kFold;
  }

  void GatherRows(std::span<const float> input, std::vector<float>& rows) const {
    const ColumnRange range = block().range;
    const auto& positions = positions_[picture_];
    rows.resize(positions.size() * range.size());
    if (geometry_.window) {
      Im2ColRows(input, *geometry_.window, static_cast<std::int64_t>(block().group), range, positions, rows);
      return;
    }
    for (std::size_t i = 0; i < positions.size(); ++i) {
      const auto row = input.subspan(positions[i] * geometry_.columns + range.begin, range.size());
      std::ranges::copy(row, rows.begin() + static_cast<std::ptrdiff_t>(i * range.size()));
    }
  }

  // Feeds the picture's rows to the sums; after the last picture, what is left in their blocks.
  Result<void> Fold(double budget_ms) {
    const std::size_t width = block().range.size();
    if (gram_sums_.Room() == 0 || last_) {
      if (!gram_sums_.Fold(budget_ms)) return {};
    }
    if (move_ && (error_sums_.Room() == 0 || last_)) {
      if (!error_sums_.Fold(budget_ms)) return {};
    }
    if (last_) {
      if (move_ && !error_sums_.Finish(budget_ms)) return {};
      gram_ = gram_sums_.Take();
      gram_sums_ = {};
      if (move_) output_error_ = error_sums_.Take();
      error_sums_ = {};
      phase_ = move_ ? Phase::kFactorForMove : Phase::kFactor;
      return {};
    }
    std::size_t count = quantized_rows_.size() / width - taken_;
    if (count == 0) {
      phase_ = Phase::kGather;
      return {};
    }
    count = std::min(count, gram_sums_.Room());
    if (move_) count = std::min(count, error_sums_.Room());
    const auto quantized = std::span<const float>(quantized_rows_).subspan(taken_ * width, count * width);
    gram_sums_.Add(quantized);
    if (move_) error_sums_.Add(std::span<const float>(rows_).subspan(taken_ * width, count * width), quantized);
    taken_ += count;
    return {};
  }

  Result<void> FactorForMove(double budget_ms) {
    if (!factoring_) {
      auto job = FactorJob::Create(gram_, {.damping = MoveJob::kMoveDamping});
      if (!job) return Forward(job);
      factoring_ = std::move(*job);
    }
    auto done = factoring_->Step(budget_ms);
    if (!done) return Forward(done);
    if (!*done) return {};
    factor_ = factoring_->TakeFactor();
    factoring_.reset();
    phase_ = Phase::kMove;
    return {};
  }

  Result<void> Move(double budget_ms) {
    if (!moving_) {
      auto job = MoveJob::Create(factor_, output_error_, GroupWeights(), geometry_.columns, block().range);
      if (!job) return Forward(job);
      moving_ = std::move(*job);
    }
    auto done = moving_->Step(budget_ms);
    if (!done) return Forward(done);
    if (!*done) return {};
    moved_ = moving_->TakeWeights();
    moving_.reset();
    factor_ = {};
    output_error_ = {};
    phase_ = Phase::kFactor;
    return {};
  }

  Result<void> FactorForCompensation(double budget_ms) {
    if (!factoring_) {
      auto job = FactorJob::Create(gram_, {.damping = kDamping});
      if (!job) return Forward(job);
      factoring_ = std::move(*job);
    }
    auto done = factoring_->Step(budget_ms);
    if (!done) return Forward(done);
    if (!*done) return {};
    factor_ = factoring_->TakeFactor();
    factoring_.reset();
    if (effort_.sweeps == 0) gram_ = {};
    phase_ = Phase::kCompensate;
    return {};
  }

  CompensationInput Input() const {
    const std::size_t first = block().group * GroupChannels();
    CompensationInput input{.weights = GroupWeights(),
                            .channels = GroupChannels(),
                            .row_columns = geometry_.columns,
                            .range = block().range,
                            .scales = tensor_.scales,
                            .levels = levels_,
                            .levels_per_table = tensor_.TableSize(),
                            .table_of = {},
                            .fit = round_ < effort_.fits};
    if (move_) {
      input.weights = moved_;
      input.row_columns = block().range.size();
      input.range = {0, block().range.size()};
    }
    if (!input.scales.empty()) input.scales = input.scales.subspan(first, GroupChannels());
    if (!tensor_.table_of.empty())
      input.table_of = std::span<const std::uint8_t>(tensor_.table_of).subspan(first, GroupChannels());
    else if (tensor_.TableCount() > 1)
      input.levels = input.levels.subspan(first * tensor_.TableSize(), GroupChannels() * tensor_.TableSize());
    return input;
  }

  Result<void> Compensate(double budget_ms) {
    if (!compensating_) {
      auto job = CompensationJob::Create(factor_, Input());
      if (!job) return Forward(job);
      compensating_ = std::move(*job);
    }
    auto done = compensating_->Step(budget_ms);
    if (!done) return Forward(done);
    if (!*done) return {};
    CompensationResult result = compensating_->TakeResult();
    compensating_.reset();
    if (!best_ || result.loss < best_->result.loss) {
      const CodebookFit fit = std::move(result.fit);
      best_ = Choice{std::move(result), tensor_.scales, tensor_.steps, tensor_.codes};
      if (round_ < effort_.fits) {
        ++round_;
        FitCodebook(fit);
        return {};
      }
    }
    tensor_.scales = std::move(best_->scales);
    tensor_.steps = std::move(best_->steps);
    tensor_.codes = std::move(best_->codes);
    UpdateLevels();
    factor_ = {};
    if (effort_.sweeps > 0) {
      phase_ = Phase::kRefine;
    } else {
      FinishBlock(best_->result.indices);
    }
    return {};
  }

  // Scales and levels after a step towards what suits the corrected weights, as they will be stored.
  void FitCodebook(const CodebookFit& fit) {
    std::vector<float> growth(tensor_.TableCount(), 1);  // of steps, which scales take upon themselves
    for (std::size_t t = 0; t < tensor_.TableCount(); ++t) {
      Codebook codebook;
      for (std::size_t i = t * tensor_.TableSize(); i < (t + 1) * tensor_.TableSize(); ++i)
        codebook.levels.push_back(static_cast<double>(levels_[i]) + fit.level_shifts[i]);
      // Levels of a cell that no weight went to stay where they are, and may be overtaken.
      SortSmall(codebook.levels);
      const IntegerLevels integer = RoundToIntegerLevels(codebook);
      std::ranges::copy(integer.codes, tensor_.codes.begin() + static_cast<std::ptrdiff_t>(t * tensor_.TableSize()));
      if (tensor_.scales.empty()) {
        tensor_.steps[t] = integer.step;
      } else {
        growth[t] = integer.step / tensor_.steps[t];
      }
    }
    for (std::size_t o = 0; o < tensor_.scales.size(); ++o)
      tensor_.scales[o] = RoundToHalf(tensor_.scales[o] * fit.scale_factors[o] * growth[tensor_.TableOf(o)]);
    UpdateLevels();
  }

  void UpdateLevels() {
    levels_.clear();
    for (std::size_t t = 0; t < tensor_.TableCount(); ++t) {
      const LevelTable table(std::span(tensor_.codes).subspan(t * tensor_.TableSize(), tensor_.TableSize()),
                             tensor_.steps[t]);
      levels_.insert(levels_.end(), table.levels().begin(), table.levels().end());
    }
  }

  Result<void> Refine(double budget_ms) {
    if (!refining_) {
      auto job = RefineJob::Create(gram_, Input(), std::move(best_->result.indices),
                                   {.damping = kDamping, .sweeps = effort_.sweeps});
      if (!job) return Forward(job);
      refining_ = std::move(*job);
    }
    auto done = refining_->Step(budget_ms);
    if (!done) return Forward(done);
    if (!*done) return {};
    const RefineResult result = refining_->TakeResult();
    refining_.reset();
    gram_ = {};
    FinishBlock(result.indices);
    return {};
  }

  void FinishBlock(std::span<const std::uint8_t> indices) {
    const ColumnRange range = block().range;
    const CompensationInput input = Input();
    std::vector<float> quantized(geometry_.columns);
    for (std::size_t o = 0; o < GroupChannels(); ++o) {
      const std::size_t channel = block().group * GroupChannels() + o;
      const std::size_t row = channel * geometry_.columns + range.begin;
      for (std::size_t k = 0; k < range.size(); ++k) tensor_.SetIndexAt(row + k, indices[o * range.size() + k]);
      DequantizeChannel(tensor_, channel, quantized);
      responses_[channel].Add(input.weights.subspan(o * input.row_columns + input.range.begin, range.size()),
                              std::span(quantized).subspan(range.begin, range.size()), nonnegative_);
    }
    best_.reset();
    moved_.clear();
    // With all indices chosen.
    if (++block_ == blocks_.size()) RestoreResponses(responses_, tensor_);
    picture_ = 0;
    round_ = 0;
    phase_ = Phase::kStart;
  }

  LayerGeometry geometry_;
  std::span<const float> weights_;
  CodebookTensor tensor_;
  CalibrationInputs inputs_;
  CompensationEffort effort_;
  std::vector<Block> blocks_;
  bool cut_ = false;
  bool move_ = false;
  std::vector<std::vector<std::uint32_t>> positions_;  // by picture
  std::vector<float> levels_;                          // [tables][table size]
  std::vector<Response> responses_;                    // by channel

  // The block at work.
  std::size_t block_ = 0;
  Phase phase_ = Phase::kStart;
  std::size_t picture_ = 0;                   // the next one to gather
  std::vector<float> rows_, quantized_rows_;  // of the picture gathered last
  std::size_t taken_ = 0;                     // rows of it that are in the sums
  bool last_ = false;                         // all pictures are
  double energy_ = 0;                         // of the quantized rows gathered so far: the sum of their squares,
  bool nonnegative_ = true;                   // and whether none of them has a negative element
  bool answered_ = true;                      // the rows that stand for answers are gathered, or not wanted
  GramAccumulator gram_sums_;
  OutputErrorAccumulator error_sums_;
  Gram gram_;
  OutputError output_error_;
  std::unique_ptr<FactorJob> factoring_;
  Factor factor_;
  std::unique_ptr<MoveJob> moving_;
  std::vector<float> moved_;  // [channels of the group, columns of the block]
  int round_ = 0;             // of fitting
  std::unique_ptr<CompensationJob> compensating_;
  std::optional<Choice> best_;
  std::unique_ptr<RefineJob> refining_;
};

}  // namespace

Result<std::unique_ptr<CompensateLayerJob>> CompensateLayerJob::Create(const Graph& graph, const Node& node,
                                                                       CodebookTensor tensor, CalibrationInputs inputs,
                                                                       CompensationEffort effort, std::uint64_t seed) {
  return std::make_unique<CompensateLayerJobImplementation>(GeometryOf(graph, node),
                                                            *graph.FloatConstant(node.inputs[1]), std::move(tensor),
                                                            std::move(inputs), effort, seed);
}

double CompensationCost(const Graph& graph, const Node& node) {
  const LayerGeometry geometry = GeometryOf(graph, node);
  double cost = 0;
  for (const ColumnRange range : SplitColumns(geometry.columns, geometry.taps)) {
    const auto columns = static_cast<double>(range.size());
    const auto channels = static_cast<double>(geometry.channels) / static_cast<double>(geometry.groups);
    const auto positions = static_cast<double>(PositionsWanted(range.size()));
    // The Gram matrix by exact 16-bit products; two factorizations; the output error, move and compensation.
    cost += columns * columns * (positions / 2 + columns + 6 * channels);
  }
  return cost * static_cast<double>(geometry.groups);
}

}  // namespace kdequant
