#include "kdequant/compensation/refine.h"

#include <algorithm>
#include <string>
#include <utility>

#include "kdequant/base/buffer.h"
#include "level_strip.h"
#include "tile_kernels.h"

namespace kdequant {
namespace {

// Works on kStrip channels at a time, in units of their scales, one channel a lane, columns in their own order.
// `slopes_` holds E (H + d I), E the errors: what it gains to move each weight.
class RefineJobImplementation final : public RefineJob {
 public:
  RefineJobImplementation(const Gram& gram, const CompensationInput& input, std::vector<std::uint8_t> indices,
                          RefineOptions options, TiledTriangle<float> matrix)
      : gram_(gram),
        input_(input),
        options_(options),
        matrix_(std::move(matrix)),
        levels_(input.levels_per_table),
        size_(matrix_.tile_rows() * kTile * kStrip),
        errors_(size_),
        slopes_(size_),
        chosen_(size_) {
    result_.indices = std::move(indices);
  }

  bool HasMemory() const { return errors_.size() == size_ && slopes_.size() == size_ && chosen_.size() == size_; }

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
    return {static_cast<double>(first_channel_) / static_cast<double>(input_.channels), "refining", {}};
  }

  RefineResult TakeResult() override { return std::move(result_); }

 private:
  enum class Stage { kCopying, kLoading, kSumming, kMoving };

  // One tile, or a row of them.
  void Advance() {
    switch (stage_) {
      case Stage::kCopying:
        CopyRow(tile_);
        if (++tile_ < matrix_.tile_rows()) return;
        stage_ = Stage::kLoading;
        return;
      case Stage::kLoading:
        LoadStrip();
        tile_ = 0;
        stage_ = Stage::kSumming;
        return;
      case Stage::kSumming:
        Spread(errors_.data() + tile_ * kTile * kStrip);
        AddDiagonal(errors_.data() + tile_ * kTile * kStrip);
        if (++tile_ < matrix_.tile_rows()) return;
        tile_ = 0;
        sweep_ = 0;
        moves_in_sweep_ = 0;
        stage_ = Stage::kMoving;
        if (options_.sweeps == 0) FinishStrip();
        return;
      case Stage::kMoving:
        MoveTile();
        if (++tile_ < matrix_.tile_rows()) return;
        tile_ = 0;
        result_.changed += moves_in_sweep_;
        if (moves_in_sweep_ == 0 || ++sweep_ >= options_.sweeps) FinishStrip();
        moves_in_sweep_ = 0;
        return;
    }
  }

  void FinishStrip() {
    first_channel_ += kStrip;
    stage_ = Stage::kLoading;
  }

  // (H + d I) / scale, with columns of zeros and the padding as FactorJob takes them.
  void CopyRow(std::size_t tile_row) {
    if (tile_row == 0) scale_ = MeanEnergy(gram_);
    const double factor = 1 / scale_;
    for (std::size_t tile_column = 0; tile_column <= tile_row; ++tile_column) {
      const double* from = gram_.products.tile(tile_row, tile_column);
      float* to = matrix_.tile(tile_row, tile_column);
      for (std::size_t i = 0; i < kTile * kTile; ++i) to[i] = static_cast<float>(from[i] * factor);
    }
    float* diagonal = matrix_.tile(tile_row, tile_row);
    for (std::size_t r = 0; r < kTile; ++r) {
      float& value = diagonal[r * kTile + r];
      if (!(value > 0)) value = 1;
      value += static_cast<float>(options_.damping);
      // The Gram tile on the diagonal need not have its upper half.
      for (std::size_t c = r + 1; c < kTile; ++c) diagonal[r * kTile + c] = diagonal[c * kTile + r];
    }
  }

  std::size_t StripChannels() const { return std::min(kStrip, input_.channels - first_channel_); }
  float ScaleOf(std::size_t channel) const { return input_.scales.empty() ? 1 : input_.scales[channel]; }

  void LoadStrip() {
    std::ranges::fill(errors_.span(), 0.0F);
    std::ranges::fill(slopes_.span(), 0.0F);
    std::ranges::fill(chosen_.span(), 0.0F);
    for (std::size_t lane = 0; lane < kStrip; ++lane) {
      const bool live = lane < StripChannels() && ScaleOf(first_channel_ + lane) > 0;
      const std::size_t channel = live ? first_channel_ + lane : first_channel_;
      const auto levels = input_.TableOf(channel);
      levels_.SetTable(lane, levels);
      if (!live) continue;
      const float reciprocal = 1 / ScaleOf(channel);
      const float* row = input_.weights.data() + channel * input_.row_columns + input_.range.begin;
      const std::uint8_t* indices = result_.indices.data() + channel * gram_.columns;
      for (std::size_t k = 0; k < gram_.columns; ++k) {
        chosen_.data()[k * kStrip + lane] = levels[indices[k]];
        errors_.data()[k * kStrip + lane] = row[k] * reciprocal - levels[indices[k]];
      }
    }
  }

  // slopes += change of the errors in tile_ times the matrix, for every tile but this one.
  void Spread(const float* change) {
    alignas(16) float taken[kTile * kStrip];
    for (std::size_t i = 0; i < kTile * kStrip; ++i) taken[i] = -change[i];
    for (std::size_t other = 0; other < tile_; ++other)
      SubtractTransposedStripProduct(matrix_.tile(tile_, other), taken, slopes_.data() + other * kTile * kStrip);
    for (std::size_t other = tile_ + 1; other < matrix_.tile_rows(); ++other)
      AddStripProduct(matrix_.tile(other, tile_), change, slopes_.data() + other * kTile * kStrip);
  }

  void AddDiagonal(const float* change) {
    AddStripProduct(matrix_.tile(tile_, tile_), change, slopes_.data() + tile_ * kTile * kStrip);
  }

  void MoveTile() {
    alignas(16) float change[kTile * kStrip] = {};
    alignas(16) float target[kStrip];
    alignas(16) float level[kStrip];
    std::uint8_t index[kStrip];
    const std::size_t first = tile_ * kTile;
    const std::size_t count = std::min(kTile, gram_.columns - first);
    const float* diagonal = matrix_.tile(tile_, tile_);
    std::size_t moves = 0;
    for (std::size_t k = 0; k < count; ++k) {
      float* chosen = chosen_.data() + (first + k) * kStrip;
      const float* slope = slopes_.data() + (first + k) * kStrip;
      const float curvature = diagonal[k * kTile + k];
      for (std::size_t lane = 0; lane < kStrip; ++lane) target[lane] = chosen[lane] + slope[lane] / curvature;
      levels_.Nearest(target, index, level);
      std::size_t moves_here = 0;
      for (std::size_t lane = 0; lane < kStrip; ++lane) {
        const float difference = chosen[lane] - level[lane];
        change[k * kStrip + lane] = difference;
        if (difference != 0 && lane < StripChannels()) ++moves_here;
      }
      if (moves_here == 0) continue;
      moves += moves_here;
      for (std::size_t lane = 0; lane < StripChannels(); ++lane) {
        if (change[k * kStrip + lane] == 0 || !(ScaleOf(first_channel_ + lane) > 0)) continue;
        result_.indices[(first_channel_ + lane) * gram_.columns + first + k] = index[lane];
      }
      std::copy_n(level, kStrip, chosen);
      const float* row = diagonal + k * kTile;
      for (std::size_t j = 0; j < kTile; ++j) {
        float* own = slopes_.data() + (first + j) * kStrip;
        for (std::size_t lane = 0; lane < kStrip; ++lane) own[lane] += row[j] * change[k * kStrip + lane];
      }
    }
    if (moves > 0) Spread(change);
    moves_in_sweep_ += moves;
  }

  const Gram& gram_;
  CompensationInput input_;
  RefineOptions options_;
  TiledTriangle<float> matrix_;
  double scale_ = 1;
  LevelStrip levels_;
  std::size_t size_;
  Buffer<float> errors_, slopes_, chosen_;  // [padded columns][kStrip]; the levels chosen
  RefineResult result_;
  Stage stage_ = Stage::kCopying;
  std::size_t first_channel_ = 0;
  std::size_t tile_ = 0;
  int sweep_ = 0;
  std::size_t moves_in_sweep_ = 0;
};

}  // namespace

Result<std::unique_ptr<RefineJob>> RefineJob::Create(const Gram& gram, const CompensationInput& input,
                                                     std::vector<std::uint8_t> indices, RefineOptions options) {
  if (input.range.size() != gram.columns || indices.size() != input.channels * gram.columns ||
      input.weights.size() != input.channels * input.row_columns || input.range.end > input.row_columns) {
    return Fail(ErrorCode::kInternal, "the weights, indices and Gram matrix of a refinement do not fit together");
  }
  auto matrix = TiledTriangle<float>::Create(gram.columns);
  if (!matrix) return Forward(matrix);
  auto job = std::make_unique<RefineJobImplementation>(gram, input, std::move(indices), options, *std::move(matrix));
  if (!job->HasMemory()) {
    return Fail(ErrorCode::kOutOfMemory, "no memory to refine a layer of " + std::to_string(gram.columns) +
                                             " columns; switch compensation off for this layer or exclude it");
  }
  return job;
}

}  // namespace kdequant
