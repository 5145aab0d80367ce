#include "kdequant/compensation/asymmetric.h"

#include <algorithm>
#include <string>
#include <utility>

#include "integer_panels.h"
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
  OutputErrorAccumulator a;
  a.columns_ = range.size();
  a.padded_ = RoundUp(range.size(), kTile);
  a.strips_ = RoundUp(channels, kStrip) / kStrip;
  a.through_inputs_ = range.size() <= channels;
  a.error_.channels = channels;
  a.error_.columns = range.size();
  a.error_.values = Buffer<float>(a.strips_ * a.StripSize());
  a.differences_ = Buffer<float>(kBlock * a.columns_);
  a.quantized_ = Buffer<float>(kBlock * a.columns_);
  a.packed_differences_ = Buffer<std::int16_t>(kBlock * a.padded_);
  a.packed_quantized_ = Buffer<std::int16_t>(kBlock * a.padded_);
  bool has_memory = a.error_.values.size() > 0 && a.differences_.size() > 0 && a.quantized_.size() > 0 &&
                    a.packed_differences_.size() > 0 && a.packed_quantized_.size() > 0;
  if (a.through_inputs_) {
    a.weights_ = Buffer<float>(a.strips_ * a.StripSize());
    a.products_ = Buffer<float>(a.padded_ * a.padded_);
    has_memory = has_memory && a.weights_.size() > 0 && a.products_.size() > 0;
  } else {
    a.packed_weights_ = Buffer<std::int16_t>(a.strips_ * a.StripSize());
    a.outputs_ = Buffer<float>(kBlock * kStrip);
    a.packed_outputs_ = Buffer<std::int16_t>(kBlock * kStrip);
    has_memory = has_memory && a.packed_weights_.size() > 0 && a.outputs_.size() > 0 && a.packed_outputs_.size() > 0;
  }
  if (!has_memory) return NoMemory(range.size());
  std::ranges::fill(a.error_.values.span(), 0.0F);
  a.quantized_units_.resize(a.padded_);
  const float* first = weights.data() + range.begin;
  if (a.through_inputs_) {
    std::ranges::fill(a.products_.span(), 0.0F);
    a.difference_units_.resize(a.padded_);
    std::ranges::fill(a.weights_.span(), 0.0F);
    for (std::size_t o = 0; o < channels; ++o) {
      float* lane = a.weights_.data() + o / kStrip * a.StripSize() + o % kStrip;
      for (std::size_t k = 0; k < range.size(); ++k) lane[k * kStrip] = first[o * row_columns + k];
    }
    return a;
  }
  a.difference_units_.resize(a.Chunks() * kBlock);
  a.weight_units_.resize(a.Chunks() * a.strips_ * kStrip);
  for (std::size_t chunk = 0; chunk < a.Chunks(); ++chunk) {
    PackRows(first + chunk * kMostDepth, row_columns, channels, a.ChunkDepth(chunk),
             a.packed_weights_.data() + chunk * kMostDepth * a.strips_ * kStrip,
             std::span(a.weight_units_).subspan(chunk * a.strips_ * kStrip, a.strips_ * kStrip));
  }
  return a;
}

void OutputErrorAccumulator::Add(std::span<const float> rows, std::span<const float> quantized_rows) {
  const std::size_t at = filled_ * columns_;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    quantized_.data()[at + i] = quantized_rows[i];
    differences_.data()[at + i] = rows[i] - quantized_rows[i];
  }
  filled_ += rows.size() / columns_;
}

void OutputErrorAccumulator::PackBlock() {
  PackColumns(quantized_.data(), columns_, columns_, filled_, packed_quantized_.data(), quantized_units_);
  if (through_inputs_) {
    PackColumns(differences_.data(), columns_, columns_, filled_, packed_differences_.data(), difference_units_);
    return;
  }
  for (std::size_t chunk = 0; chunk < Chunks(); ++chunk) {
    PackRows(differences_.data() + chunk * kMostDepth, columns_, filled_, ChunkDepth(chunk),
             packed_differences_.data() + chunk * kMostDepth * kBlock,
             std::span(difference_units_).subspan(chunk * kBlock, RoundUp(filled_, kPanel)));
  }
}

// A panel of the sum of xq (x - xq)^T.
void OutputErrorAccumulator::AddInputPanel(std::size_t panel) {
  alignas(16) std::int32_t sums[kMicroSums];
  const std::int16_t* differences = packed_differences_.data() + panel * PanelSize(filled_);
  for (std::size_t k = 0; k < padded_; k += kMicroRows) {
    MultiplyPanels(packed_quantized_.data() + LineAt(k, filled_), differences, Pairs(filled_), sums);
    AddScaled(sums, quantized_units_.data() + k, difference_units_.data() + panel * kPanel,
              products_.data() + k * padded_ + panel * kPanel, padded_);
  }
}

// What the block adds to the error of a strip of channels: W (x - xq) first, then that times xq^T.
void OutputErrorAccumulator::AddStrip(std::size_t strip) {
  alignas(16) std::int32_t sums[kMicroSums];
  std::ranges::fill(outputs_.span(), 0.0F);
  for (std::size_t chunk = 0; chunk < Chunks(); ++chunk) {
    const std::size_t depth = ChunkDepth(chunk);
    const std::int16_t* weights =
        packed_weights_.data() + chunk * kMostDepth * strips_ * kStrip + LineAt(strip * kStrip, depth);
    const float* weight_units = weight_units_.data() + (chunk * strips_ + strip) * kStrip;
    const std::int16_t* differences = packed_differences_.data() + chunk * kMostDepth * kBlock;
    for (std::size_t row = 0; row < filled_; row += kMicroRows) {
      for (std::size_t lane = 0; lane < kStrip; lane += kPanel) {
        MultiplyPanels(differences + LineAt(row, depth), weights + LineAt(lane, depth), Pairs(depth), sums);
        AddScaled(sums, difference_units_.data() + chunk * kBlock + row, weight_units + lane,
                  outputs_.data() + row * kStrip + lane, kStrip);
      }
    }
  }
  alignas(16) float output_units[kStrip];
  PackColumns(outputs_.data(), kStrip, kStrip, filled_, packed_outputs_.data(), output_units);
  float* error = error_.values.data() + strip * StripSize();
  for (std::size_t k = 0; k < padded_; k += kMicroRows) {
    for (std::size_t lane = 0; lane < kStrip; lane += kPanel) {
      MultiplyPanels(packed_quantized_.data() + LineAt(k, filled_), packed_outputs_.data() + LineAt(lane, filled_),
                     Pairs(filled_), sums);
      AddScaled(sums, quantized_units_.data() + k, output_units + lane, error + k * kStrip + lane, kStrip);
    }
  }
}

bool OutputErrorAccumulator::Fold(double budget_ms) {
  if (filled_ == 0) return true;
  const Budget budget(budget_ms);
  if (!folding_) {
    PackBlock();
    folding_ = true;
    piece_ = 0;
    if (budget.Spent()) return false;
  }
  const std::size_t pieces = through_inputs_ ? padded_ / kPanel : strips_;
  while (piece_ < pieces) {
    if (through_inputs_) {
      AddInputPanel(piece_);
    } else {
      AddStrip(piece_);
    }
    ++piece_;
    if (budget.Spent() && piece_ < pieces) return false;
  }
  filled_ = piece_ = 0;
  folding_ = false;
  return true;
}

bool OutputErrorAccumulator::Finish(double budget_ms) {
  if (!through_inputs_) return true;
  const Budget budget(budget_ms);
  const std::size_t tiles = padded_ / kTile;
  while (piece_ < strips_ * tiles) {
    const std::size_t at = piece_ / tiles * StripSize();
    const std::size_t row = piece_ % tiles * kTile;
    for (std::size_t k = 0; k < padded_; k += kTile) {
      AddRowsProduct(products_.data() + row * padded_ + k, padded_, kTile, kTile, weights_.data() + at + k * kStrip,
                     error_.values.data() + at + row * kStrip);
    }
    ++piece_;
    if (budget.Spent() && piece_ < strips_ * tiles) return false;
  }
  return true;
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
