#include "kdequant/codebook/channel_groups.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "kdequant/base/sort.h"
#include "kdequant/codebook/lloyd_max.h"
#include "kdequant/density/histogram.h"
#include "kdequant/density/moments.h"

namespace kdequant {
namespace {

constexpr std::size_t kBins = 512;
constexpr int kRounds = 8;
constexpr int kLloydSteps = 30;

// Numbers the groups that have channels by their number of channels, the largest first.
void SortBySize(std::vector<std::uint8_t>& group_of, std::size_t groups) {
  std::vector<std::pair<std::ptrdiff_t, std::size_t>> order;  // -size, group
  for (std::size_t g = 0; g < groups; ++g) order.emplace_back(-std::ranges::count(group_of, g), g);
  SortSmall(order);
  std::vector<std::uint8_t> number(groups);
  for (std::size_t i = 0; i < groups; ++i) number[order[i].second] = static_cast<std::uint8_t>(i);
  for (std::uint8_t& group : group_of) group = number[group];
}

}  // namespace

Result<ChannelGroups> ChannelGroups::Create(const ScaledWeights& weights, std::size_t channels) {
  auto range = FindRange(weights);
  if (!range) return Forward(range);
  ChannelGroups result;
  result.channels_ = channels;
  result.min_ = range->min;
  result.max_ = range->max;
  result.grid_ = {.low = range->min, .step = (range->max - range->min) / kBins, .size = kBins};
  result.farthest_.assign(channels, 0);
  result.below_.assign(channels * (kBins + 1), {});
  const std::size_t columns = weights.size() / channels;
  const double per_step = result.grid_.step > 0 ? 1 / result.grid_.step : 0;
  RunReader reader(weights);
  for (auto run = reader.Next(); !run.empty(); run = reader.Next()) {
    for (std::size_t i = 0; i < run.size(); ++i) {
      const std::size_t channel = (reader.first() + i) / columns;
      const float w = run[i];
      const auto bin = std::min(kBins - 1, static_cast<std::size_t>((static_cast<double>(w) - range->min) * per_step));
      Cell& cell = result.below_[channel * (kBins + 1) + bin + 1];
      cell.count += 1;
      cell.sum += w;
      result.farthest_[channel] = std::max(result.farthest_[channel], std::fabs(w));
    }
  }
  for (std::size_t channel = 0; channel < channels; ++channel) {
    Cell* const below = result.below_.data() + channel * (kBins + 1);
    for (std::size_t i = 1; i <= kBins; ++i) {
      below[i].count += below[i - 1].count;
      below[i].sum += below[i - 1].sum;
    }
  }
  return result;
}

std::span<const ChannelGroups::Cell> ChannelGroups::Below(std::size_t channel) const {
  return std::span(below_).subspan(channel * (kBins + 1), kBins + 1);
}

// A codebook with its thresholds in bins, from zero on.
struct ChannelGroups::Candidate {
  std::vector<double> levels;
  std::vector<double> thresholds;
};

ChannelGroups::Candidate ChannelGroups::MakeCandidate(const Codebook& codebook) const {
  const double per_step = grid_.step > 0 ? 1 / grid_.step : 0;
  Candidate candidate{.levels = codebook.levels, .thresholds = codebook.Thresholds()};
  for (double& threshold : candidate.thresholds) threshold *= per_step;
  return candidate;
}

// sum w^2 less the squared error of the codebook with the channel's best scale: (sum w c)^2 / sum c^2, for bins as a
// whole, with thresholds at the scale that the first assignment asks for.
double ChannelGroups::Gain(std::span<const Cell> below, const Candidate& candidate) const {
  const double zero = grid_.step > 0 ? 0.5 - grid_.low / grid_.step : 0;
  const std::size_t count = candidate.levels.size();
  double scale = 1;
  double gain = 0;
  for (int round = 0; round < 2; ++round) {
    double product = 0;
    double square = 0;
    Cell last = below.front();
    for (std::size_t i = 0; i < count; ++i) {
      Cell next = below.back();
      if (i + 1 < count) {
        const double edge = std::clamp(zero + scale * candidate.thresholds[i], 0.0, static_cast<double>(kBins));
        next = below[static_cast<std::size_t>(edge)];
      }
      const double level = candidate.levels[i];
      product += level * static_cast<double>(next.sum - last.sum);
      square += level * level * static_cast<double>(next.count - last.count);
      last = next;
    }
    if (!(product > 0) || !(square > 0)) return 0;
    gain = product * product / square;
    scale = product / square;
  }
  return gain;
}

std::vector<std::uint8_t> ChannelGroups::Choose(std::span<const Codebook> codebooks) const {
  std::vector<Candidate> candidates;
  for (const Codebook& codebook : codebooks) candidates.push_back(MakeCandidate(codebook));
  std::vector<std::uint8_t> chosen(channels_);
  for (std::size_t channel = 0; channel < channels_; ++channel) {
    double most = -1;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      const double gain = Gain(Below(channel), candidates[i]);
      if (gain <= most) continue;
      most = gain;
      chosen[channel] = static_cast<std::uint8_t>(i);
    }
  }
  return chosen;
}

// What the channels of a group hold together. Scatter within a bin is not known, and not needed.
MomentHistogram ChannelGroups::Together(std::span<const std::uint8_t> group_of, std::size_t group) const {
  MomentHistogram histogram{.grid = grid_, .bins = std::vector<MomentBin>(kBins), .min = min_, .max = max_};
  for (std::size_t channel = 0; channel < channels_; ++channel) {
    if (group_of[channel] != group) continue;
    const auto below = Below(channel);
    for (std::size_t i = 0; i < kBins; ++i) {
      histogram.bins[i].count += static_cast<double>(below[i + 1].count - below[i].count);
      histogram.bins[i].sum += static_cast<double>(below[i + 1].sum - below[i].sum);
    }
  }
  for (MomentBin& bin : histogram.bins) {
    if (bin.count > 0) bin.sum_squares = bin.sum * bin.sum / bin.count;
    histogram.population += static_cast<std::size_t>(bin.count);
  }
  return histogram;
}

std::vector<std::uint8_t> ChannelGroups::Form(int groups, int levels) const {
  const auto count = std::min(channels_, static_cast<std::size_t>(groups));
  std::vector<std::uint8_t> group_of(channels_, 0);
  if (count <= 1) return group_of;
  const CumulativeMoments all(Together(group_of, 0));
  LloydMax first(all, CoarseOptimalStart(all, levels));
  first.Run(kLloydSteps);
  std::vector<Codebook> codebooks(count, first.codebook());
  // To begin with, by how far their tails reach.
  std::vector<std::pair<float, std::size_t>> order;
  for (std::size_t channel = 0; channel < channels_; ++channel) order.emplace_back(farthest_[channel], channel);
  SortSmall(order);
  for (std::size_t i = 0; i < channels_; ++i)
    group_of[order[i].second] = static_cast<std::uint8_t>(i * count / channels_);
  for (int round = 0; round < kRounds; ++round) {
    for (std::size_t g = 0; g < count; ++g) {
      const MomentHistogram histogram = Together(group_of, g);
      if (histogram.population == 0) continue;  // stays where it is: a channel may come back to it
      const CumulativeMoments moments(histogram);
      LloydMax iteration(moments, codebooks[g].levels);
      iteration.Run(kLloydSteps);
      codebooks[g] = iteration.codebook();
    }
    std::vector<std::uint8_t> next = Choose(codebooks);
    if (next == group_of) break;
    group_of = std::move(next);
  }
  SortBySize(group_of, count);
  return group_of;
}

}  // namespace kdequant
