#include "kdequant/compensation/compensate.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "kdequant/base/buffer.h"
#include "level_strip.h"
#include "tile_kernels.h"

namespace kdequant {
namespace {

// Works on kStrip channels at a time, in units of their scales, with one channel a lane and columns in the factor's
// order. A strip goes through two passes over the column tiles: choosing the indices, then adding up what nearest
// rounding would lose until that is more for every channel.
class CompensationJobImplementation final : public CompensationJob {
 public:
  CompensationJobImplementation(const Factor& factor, const CompensationInput& input)
      : factor_(factor),
        input_(input),
        padded_(factor.unit.tile_rows() * kTile),
        levels_(input.levels_per_table),
        weights_(padded_ * kStrip),
        errors_(padded_ * kStrip),
        chosen_(padded_ * kStrip),
        nearest_(padded_ * kStrip) {
    result_.indices.resize(input.channels * factor.columns);
    if (!input.fit) return;
    lane_fits_.resize(kStrip);
    level_sums_.resize(input.levels.size());
    level_masses_.resize(input.levels.size());
    result_.fit.scale_factors.assign(input.channels, 1);
  }

  bool HasMemory() const {
    return weights_.size() > 0 && errors_.size() > 0 && chosen_.size() > 0 && nearest_.size() > 0;
  }

  Result<bool> Step(double budget_ms) override {
    const Budget budget(budget_ms);
    while (first_channel_ < input_.channels) {
      Advance();
      if (budget.Spent()) break;
    }
    return first_channel_ >= input_.channels;
  }

  Progress progress() const override {
    if (first_channel_ >= input_.channels) return {1, "done", {}};
    // Tile k costs k products; the second pass is expected to be as long as the first.
    const auto tiles = static_cast<double>(factor_.unit.tile_rows());
    const double along = static_cast<double>(tile_) / tiles;
    const double in_strip = (stage_ == Stage::kProving ? 0.5 : 0) + 0.5 * along * along;
    const double strip = static_cast<double>(kStrip);
    return {
        std::min(1.0, (static_cast<double>(first_channel_) + strip * in_strip) / PaddedChannels()), "compensating", {}};
  }

  CompensationResult TakeResult() override {
    for (std::size_t i = 0; i < level_sums_.size(); ++i)
      result_.fit.level_shifts.push_back(level_masses_[i] > 0 ? level_sums_[i] / level_masses_[i] : 0);
    return std::move(result_);
  }

 private:
  // Of the strip's channel in a lane: sums over its columns of the pivot times what is named.
  struct LaneFit {
    double residual_times_level = 0, level_squared = 0;
    std::array<double, 256> residuals{}, masses{};  // by level
  };

  enum class Stage { kLoading, kChoosing, kProving };

  double PaddedChannels() const {
    const std::size_t padded = (input_.channels + kStrip - 1) / kStrip * kStrip;
    return static_cast<double>(padded);
  }

  // One column tile of one strip.
  void Advance() {
    switch (stage_) {
      case Stage::kLoading:
        LoadStrip();
        stage_ = Stage::kChoosing;
        return;
      case Stage::kChoosing:
        ChooseTile();
        if (++tile_ < factor_.unit.tile_rows()) return;
        RoundToNearest();
        tile_ = 0;
        stage_ = Stage::kProving;
        return;
      case Stage::kProving:
        ProveTile();
        if (++tile_ < factor_.unit.tile_rows() && !IsProven()) return;
        StoreStrip();
        first_channel_ += kStrip;
        tile_ = 0;
        stage_ = Stage::kLoading;
        return;
    }
  }

  std::size_t StripChannels() const { return std::min(kStrip, input_.channels - first_channel_); }

  float ScaleOf(std::size_t channel) const { return input_.scales.empty() ? 1 : input_.scales[channel]; }

  void LoadStrip() {
    std::ranges::fill(weights_.span(), 0.0F);
    for (std::size_t lane = 0; lane < kStrip; ++lane) {
      const bool real = lane < StripChannels();
      const std::size_t channel = first_channel_ + lane;
      levels_.SetTable(lane, input_.TableOf(real ? channel : first_channel_));
      if (!real) continue;
      // A channel of scale 0 is zero whatever its indices: all of them go to the level nearest to zero.
      const float reciprocal = ScaleOf(channel) > 0 ? 1 / ScaleOf(channel) : 0;
      const float* row = input_.weights.data() + channel * input_.row_columns + input_.range.begin;
      for (std::size_t k = 0; k < factor_.columns; ++k) {
        weights_.data()[k * kStrip + lane] = row[factor_.order[k]] * reciprocal;
      }
    }
    losses_.fill(0);
    nearest_losses_.fill(0);
    std::ranges::fill(lane_fits_, LaneFit{});
  }

  // Columns before tile_ have their errors; the tile's columns get what these leave to correct.
  void SumEarlierTiles(const float* start, float* sums) const {
    std::copy_n(start, kTile * kStrip, sums);
    for (std::size_t i = 0; i < tile_; ++i) {
      AddStripProduct(factor_.unit.tile(tile_, i), errors_.data() + i * kTile * kStrip, sums);
    }
  }

  // Adds the errors of the tile's own columns before column k to the kStrip sums of that column.
  void SumOwnTile(std::size_t k, float* sums) const {
    const float* row = factor_.unit.tile(tile_, tile_) + k * kTile;
    const float* errors = errors_.data() + tile_ * kTile * kStrip;
    float own[kStrip] = {};
    for (std::size_t i = 0; i < k; ++i) {
      for (std::size_t lane = 0; lane < kStrip; ++lane) own[lane] += row[i] * errors[i * kStrip + lane];
    }
    for (std::size_t lane = 0; lane < kStrip; ++lane) sums[lane] += own[lane];
  }

  void AddLosses(std::size_t column, const float* residuals, std::array<double, kStrip>& losses) const {
    const auto pivot = static_cast<double>(factor_.pivots[column]);
    for (std::size_t lane = 0; lane < kStrip; ++lane) {
      const auto residual = static_cast<double>(residuals[lane]);
      losses[lane] += pivot * (residual * residual);
    }
  }

  std::size_t ColumnsInTile() const { return std::min(kTile, factor_.columns - tile_ * kTile); }

  void ChooseTile() {
    const std::size_t first = tile_ * kTile;
    alignas(16) float targets[kTile * kStrip];
    alignas(16) float levels[kStrip];
    SumEarlierTiles(weights_.data() + first * kStrip, targets);
    for (std::size_t k = 0; k < ColumnsInTile(); ++k) {
      const std::size_t at = (first + k) * kStrip;
      float* target = targets + k * kStrip;
      SumOwnTile(k, target);
      levels_.Nearest(target, chosen_.data() + at, levels);
      for (std::size_t lane = 0; lane < kStrip; ++lane) {
        errors_.data()[at + lane] = weights_.data()[at + lane] - levels[lane];
        target[lane] -= levels[lane];
      }
      AddLosses(first + k, target, losses_);
      if (input_.fit) AddToFit(first + k, target, levels);
    }
    ClearPadding();
  }

  void AddToFit(std::size_t column, const float* residuals, const float* levels) {
    const auto pivot = static_cast<double>(factor_.pivots[column]);
    for (std::size_t lane = 0; lane < StripChannels(); ++lane) {
      const double weighted = pivot * static_cast<double>(residuals[lane]);
      const auto level = static_cast<double>(levels[lane]);
      const std::size_t index = chosen_.data()[column * kStrip + lane];
      LaneFit& fit = lane_fits_[lane];
      fit.residual_times_level += weighted * level;
      fit.level_squared += pivot * level * level;
      fit.residuals[index] += weighted;
      fit.masses[index] += pivot;
    }
  }

  // The scale that suits the channel, and what remains to be done by the levels.
  void StoreFit(std::size_t lane, std::size_t channel, double scale) {
    const LaneFit& fit = lane_fits_[lane];
    double growth = 0;
    if (!input_.scales.empty() && fit.level_squared > 0) growth = fit.residual_times_level / fit.level_squared;
    // A channel whose corrections have nothing to do with its levels keeps its scale.
    const bool is_small = growth > -0.5 && growth < 1;
    if (!is_small) growth = 0;
    result_.fit.scale_factors[channel] = static_cast<float>(1 + growth);
    const std::size_t count = input_.levels_per_table;
    const std::size_t table = input_.LevelsOf(channel);
    const double importance = scale * scale;
    for (std::size_t i = 0; i < count; ++i) {
      const auto level = static_cast<double>(input_.levels[table + i]);
      level_sums_[table + i] += importance * (fit.residuals[i] - growth * level * fit.masses[i]);
      level_masses_[table + i] += importance * fit.masses[i];
    }
  }

  // The errors of columns beyond the last are multiplied by zeros, but must be numbers.
  void ClearPadding() {
    for (std::size_t i = (tile_ * kTile + ColumnsInTile()) * kStrip; i < (tile_ + 1) * kTile * kStrip; ++i) {
      errors_.data()[i] = 0;
    }
  }

  void RoundToNearest() {
    alignas(16) float levels[kStrip];
    for (std::size_t at = 0; at < factor_.columns * kStrip; at += kStrip) {
      levels_.Nearest(weights_.data() + at, nearest_.data() + at, levels);
      for (std::size_t lane = 0; lane < kStrip; ++lane) {
        errors_.data()[at + lane] = weights_.data()[at + lane] - levels[lane];
      }
    }
  }

  void ProveTile() {
    const std::size_t first = tile_ * kTile;
    alignas(16) float residuals[kTile * kStrip];
    SumEarlierTiles(errors_.data() + first * kStrip, residuals);
    for (std::size_t k = 0; k < ColumnsInTile(); ++k) {
      SumOwnTile(k, residuals + k * kStrip);
      AddLosses(first + k, residuals + k * kStrip, nearest_losses_);
    }
  }

  bool IsProven() const {
    for (std::size_t lane = 0; lane < StripChannels(); ++lane) {
      if (nearest_losses_[lane] < losses_[lane] && ScaleOf(first_channel_ + lane) > 0) return false;
    }
    return true;
  }

  void StoreStrip() {
    for (std::size_t lane = 0; lane < StripChannels(); ++lane) {
      const std::size_t channel = first_channel_ + lane;
      const auto scale = static_cast<double>(ScaleOf(channel));
      const bool dead = !(scale > 0);
      const bool take_nearest = dead || nearest_losses_[lane] < losses_[lane];
      const std::uint8_t* from = (take_nearest ? nearest_ : chosen_).data() + lane;
      std::uint8_t* row = result_.indices.data() + channel * factor_.columns;
      for (std::size_t k = 0; k < factor_.columns; ++k) row[factor_.order[k]] = from[k * kStrip];
      if (dead) continue;
      if (take_nearest) ++result_.nearest_channels;
      if (input_.fit && !take_nearest) StoreFit(lane, channel, scale);
      result_.loss += scale * scale * factor_.scale * (take_nearest ? nearest_losses_[lane] : losses_[lane]);
    }
  }

  const Factor& factor_;
  CompensationInput input_;
  std::size_t padded_;
  LevelStrip levels_;
  Buffer<float> weights_, errors_;         // [padded columns][kStrip]
  Buffer<std::uint8_t> chosen_, nearest_;  // [padded columns][kStrip]
  std::array<double, kStrip> losses_{}, nearest_losses_{};
  CompensationResult result_;
  std::vector<LaneFit> lane_fits_;
  std::vector<double> level_sums_, level_masses_;  // as the levels
  Stage stage_ = Stage::kLoading;
  std::size_t first_channel_ = 0;
  std::size_t tile_ = 0;
};

}  // namespace

Result<std::unique_ptr<CompensationJob>> CompensationJob::Create(const Factor& factor, const CompensationInput& input) {
  const std::size_t per_table = input.levels_per_table;
  const bool shared = !input.table_of.empty();
  const bool tables_fit =
      shared ? input.table_of.size() == input.channels &&
                   (*std::ranges::max_element(input.table_of) + std::size_t{1}) * per_table <= input.levels.size()
             : input.levels.size() == per_table || input.levels.size() == per_table * input.channels;
  if (per_table < 2 || per_table > 256 || !tables_fit || input.weights.size() != input.channels * input.row_columns ||
      input.range.end > input.row_columns || input.range.begin > input.range.end ||
      input.range.size() != factor.columns || (!input.scales.empty() && input.scales.size() != input.channels)) {
    return Fail(ErrorCode::kInternal, "the weights, scales, levels and factor of a compensation do not fit together");
  }
  auto job = std::make_unique<CompensationJobImplementation>(factor, input);
  if (!job->HasMemory()) {
    return Fail(ErrorCode::kOutOfMemory, "no memory to compensate a layer of " + std::to_string(factor.columns) +
                                             " columns; switch compensation off for this layer or exclude it");
  }
  return job;
}

}  // namespace kdequant
