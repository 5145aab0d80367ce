#include "kdequant/compensation/asymmetric.h"

#include <algorithm>
#include <string>
#include <utility>

#include "tile_kernels.h"

namespace kdequant {
namespace {

std::size_t RoundUp(std::size_t count, std::size_t multiple) { return (count + multiple - 1) / multiple * multiple; }

std::unexpected<Error> NoMemory(std::size_t columns) {
  return Fail(ErrorCode::kOutOfMemory, "no memory to compensate a layer of " + std::to_string(columns) +
                                           " columns; switch compensation off for this layer or exclude it");
}

}  // namespace

Result<OutputErrorAccumulator> OutputErrorAccumulator::Create(std::span<const float> weights, std::size_t channels,
                                                              std::size_t row_columns, ColumnRange range) {
  OutputErrorAccumulator accumulator;
  accumulator.columns_ = range.size();
  accumulator.channels_ = channels;
  accumulator.padded_ = RoundUp(range.size(), kTile);
  accumulator.strips_ = RoundUp(channels, kStrip) / kStrip;
  const std::size_t strip_size = accumulator.padded_ * kStrip;
  const std::size_t size = accumulator.strips_ * strip_size;
  accumulator.weights_ = Buffer<float>(size);
  accumulator.error_.values = Buffer<float>(size);
  accumulator.differences_ = Buffer<float>(kBlock * accumulator.padded_);
  accumulator.quantized_ = Buffer<float>(kBlock * accumulator.padded_);
  if (accumulator.weights_.size() != size || accumulator.error_.values.size() != size ||
      accumulator.differences_.size() == 0 || accumulator.quantized_.size() == 0) {
    return NoMemory(range.size());
  }
  std::ranges::fill(accumulator.weights_.span(), 0.0F);
  std::ranges::fill(accumulator.error_.values.span(), 0.0F);
  std::ranges::fill(accumulator.differences_.span(), 0.0F);
  std::ranges::fill(accumulator.quantized_.span(), 0.0F);
  for (std::size_t o = 0; o < channels; ++o) {
    float* lane = accumulator.weights_.data() + o / kStrip * strip_size + o % kStrip;
    const float* row = weights.data() + o * row_columns + range.begin;
    for (std::size_t k = 0; k < range.size(); ++k) lane[k * kStrip] = row[k];
  }
  accumulator.error_.channels = channels;
  accumulator.error_.columns = range.size();
  accumulator.error_.difference_means.resize(range.size());
  return accumulator;
}

void OutputErrorAccumulator::Add(std::span<const float> rows, std::span<const float> quantized_rows) {
  for (std::size_t start = 0; start < rows.size(); start += columns_) {
    float* difference = differences_.data() + filled_ * padded_;
    float* quantized = quantized_.data() + filled_ * padded_;
    for (std::size_t j = 0; j < columns_; ++j) {
      quantized[j] = quantized_rows[start + j];
      difference[j] = rows[start + j] - quantized[j];
      error_.difference_means[j] += static_cast<double>(difference[j]);
    }
    ++filled_;
    ++positions_;
  }
}

bool OutputErrorAccumulator::Fold(double budget_ms) {
  if (filled_ == 0) return true;
  const Budget budget(budget_ms);
  folding_ = true;
  const std::size_t rows = RoundUp(filled_, 4);
  for (std::size_t i = filled_ * padded_; i < rows * padded_; ++i) differences_.data()[i] = quantized_.data()[i] = 0;
  while (strip_ < strips_) {
    const std::size_t at = strip_ * padded_ * kStrip;
    alignas(16) float outputs[kBlock * kStrip] = {};
    for (std::size_t k = 0; k < padded_; k += kTile) {
      AddRowsProduct(differences_.data() + k, padded_, rows, kTile, weights_.data() + at + k * kStrip, outputs);
    }
    AddTransposedRowsProduct(quantized_.data(), padded_, padded_, rows, outputs, error_.values.data() + at);
    ++strip_;
    if (budget.Spent() && strip_ < strips_) return false;
  }
  filled_ = strip_ = 0;
  folding_ = false;
  return true;
}

OutputError OutputErrorAccumulator::Take() {
  for (auto& mean : error_.difference_means) mean /= static_cast<double>(std::max<std::size_t>(positions_, 1));
  return std::move(error_);
}

namespace {

// Solves Y scale M D M^T = V for a strip of channels at a time, one column tile a step: Z M^T = V from the last column
// to the first, then Z / D, then Y M = Z from the first to the last.
class MoveJobImplementation final : public MoveJob {
 public:
  MoveJobImplementation(const Factor& factor, const OutputError& error, std::span<const float> weights,
                        std::size_t row_columns, ColumnRange range)
      : factor_(factor),
        error_(error),
        weights_(weights),
        row_columns_(row_columns),
        range_(range),
        solution_(factor.unit.tile_rows() * kTile * kStrip) {
    moved_.resize(error.channels * factor.columns);
  }

  bool HasMemory() const { return solution_.size() > 0; }

  Result<bool> Step(double budget_ms) override {
    const Budget budget(budget_ms);
    while (first_channel_ < error_.channels) {
      Advance();
      if (budget.Spent()) break;
    }
    return first_channel_ >= error_.channels;
  }

  Progress progress() const override {
    if (first_channel_ >= error_.channels) return {1, "done", {}};
    return {static_cast<double>(first_channel_) / static_cast<double>(error_.channels), "moving weights", {}};
  }

  std::vector<float> TakeWeights() override { return std::move(moved_); }

 private:
  enum class Stage { kLoading, kBackward, kForward };

  void Advance() {
    switch (stage_) {
      case Stage::kLoading:
        LoadStrip();
        tile_ = factor_.unit.tile_rows() - 1;
        stage_ = Stage::kBackward;
        return;
      case Stage::kBackward:
        SolveBackward();
        if (tile_-- > 0) return;
        tile_ = 0;
        DivideByPivots();
        stage_ = Stage::kForward;
        return;
      case Stage::kForward:
        SolveForward();
        if (++tile_ < factor_.unit.tile_rows()) return;
        StoreStrip();
        first_channel_ += kStrip;
        stage_ = Stage::kLoading;
        return;
    }
  }

  float* SolutionTile(std::size_t tile) { return solution_.data() + tile * kTile * kStrip; }

  void LoadStrip() {
    std::ranges::fill(solution_.span(), 0.0F);
    const float* strip = error_.values.data() + first_channel_ * RoundUp(error_.columns, kTile);
    const double factor = 1 / factor_.scale;
    for (std::size_t k = 0; k < factor_.columns; ++k) {
      const float* from = strip + factor_.order[k] * kStrip;
      float* to = solution_.data() + k * kStrip;
      for (std::size_t lane = 0; lane < kStrip; ++lane) {
        to[lane] = static_cast<float>(static_cast<double>(from[lane]) * factor);
      }
    }
  }

  void SolveBackward() {
    const std::size_t tiles = factor_.unit.tile_rows();
    float* z = SolutionTile(tile_);
    for (std::size_t i = tile_ + 1; i < tiles; ++i) {
      SubtractTransposedStripProduct(factor_.unit.tile(i, tile_), SolutionTile(i), z);
    }
    const float* unit = factor_.unit.tile(tile_, tile_);
    for (std::size_t k = kTile; k-- > 0;) {
      for (std::size_t i = k + 1; i < kTile; ++i) Subtract(unit[i * kTile + k], z + i * kStrip, z + k * kStrip);
    }
  }

  void DivideByPivots() {
    for (std::size_t k = 0; k < factor_.pivots.size(); ++k) {
      for (std::size_t lane = 0; lane < kStrip; ++lane) solution_.data()[k * kStrip + lane] /= factor_.pivots[k];
    }
  }

  void SolveForward() {
    float* y = SolutionTile(tile_);
    alignas(16) float sums[kTile * kStrip] = {};
    for (std::size_t i = 0; i < tile_; ++i) AddStripProduct(factor_.unit.tile(tile_, i), SolutionTile(i), sums);
    for (std::size_t i = 0; i < kTile * kStrip; ++i) y[i] -= sums[i];
    const float* unit = factor_.unit.tile(tile_, tile_);
    for (std::size_t k = 0; k < kTile; ++k) {
      for (std::size_t i = 0; i < k; ++i) Subtract(unit[k * kTile + i], y + i * kStrip, y + k * kStrip);
    }
  }

  static void Subtract(float factor, const float* from, float* target) {
    for (std::size_t lane = 0; lane < kStrip; ++lane) target[lane] -= factor * from[lane];
  }

  void StoreStrip() {
    const std::size_t lanes = std::min(kStrip, error_.channels - first_channel_);
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      const std::size_t channel = first_channel_ + lane;
      const float* row = weights_.data() + channel * row_columns_ + range_.begin;
      float* moved = moved_.data() + channel * factor_.columns;
      for (std::size_t k = 0; k < factor_.columns; ++k) {
        const std::size_t column = factor_.order[k];
        moved[column] = row[column] + solution_.data()[k * kStrip + lane];
      }
    }
  }

  const Factor& factor_;
  const OutputError& error_;
  std::span<const float> weights_;
  std::size_t row_columns_;
  ColumnRange range_;
  Buffer<float> solution_;  // [padded columns][kStrip], columns in the factor's order
  std::vector<float> moved_;
  Stage stage_ = Stage::kLoading;
  std::size_t first_channel_ = 0;
  std::size_t tile_ = 0;
};

}  // namespace

Result<std::unique_ptr<MoveJob>> MoveJob::Create(const Factor& factor, const OutputError& error,
                                                 std::span<const float> weights, std::size_t row_columns,
                                                 ColumnRange range) {
  if (factor.columns != error.columns || range.size() != error.columns || range.end > row_columns ||
      weights.size() != error.channels * row_columns) {
    return Fail(ErrorCode::kInternal, "the weights, factor and output error of a move do not fit together");
  }
  auto job = std::make_unique<MoveJobImplementation>(factor, error, weights, row_columns, range);
  if (!job->HasMemory()) return NoMemory(factor.columns);
  return job;
}

}  // namespace kdequant
