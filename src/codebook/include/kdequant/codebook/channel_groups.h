// kdequant/codebook/channel_groups.h
// Which output channels of a layer share a codebook.
#ifndef KDEQUANT_CODEBOOK_CHANNEL_GROUPS_H_
#define KDEQUANT_CODEBOOK_CHANNEL_GROUPS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kdequant/base/result.h"
#include "kdequant/codebook/codebook.h"
#include "kdequant/density/grid.h"
#include "kdequant/density/histogram.h"
#include "kdequant/density/scaled_weights.h"

namespace kdequant {

/// Sorts a layer's channels by the shape of their weights' distribution.
///
/// Channels differ not only in strength, which a scale takes away, but in shape: some have long tails, some lean to one
/// side. A codebook for all of them suits none; one for each takes as much room as a tenth of the weights. A few
/// codebooks, of which every channel takes the one that suits it best, lose hardly more than one for each (ResNet-50,
/// 16 of them: 0.4 to 1.7 dB of SQNR more than one).
///
/// This is Lloyd's iteration one storey up (vector quantization, Linde, Buzo and Gray 1980): every channel to the
/// codebook that loses least of it, with the best scale for it; every codebook to what suits its channels. It works on
/// histograms of 512 bins a channel, 4 KB each: the weights are read twice.
class ChannelGroups {
 public:
  /// `weights`: `channels` rows of equal length, on one scale. Errors: kEmptySample, kNotFinite (the index is named).
  static Result<ChannelGroups> Create(const ScaledWeights& weights, std::size_t channels);

  /// The group of every channel: 0 to below `groups` (1 to 256), each with a channel at least, the largest first. The
  /// same for the same weights, on every build.
  std::vector<std::uint8_t> Form(int groups, int levels) const;

 private:
  struct Cell {
    float count = 0, sum = 0;
  };
  // Of one channel: what lies below each bin's lower edge, and at the end everything.
  std::span<const Cell> Below(std::size_t channel) const;
  struct Candidate;
  Candidate MakeCandidate(const Codebook& codebook) const;
  double Gain(std::span<const Cell> below, const Candidate& candidate) const;
  // For every channel the codebook that loses least of it.
  std::vector<std::uint8_t> Choose(std::span<const Codebook> codebooks) const;
  MomentHistogram Together(std::span<const std::uint8_t> group_of, std::size_t group) const;

  Grid grid_;
  double min_ = 0, max_ = 0;
  std::size_t channels_ = 0;
  std::vector<float> farthest_;  // of each channel: its largest |weight|
  std::vector<Cell> below_;      // [channels][grid size + 1]
};

}  // namespace kdequant

#endif  // KDEQUANT_CODEBOOK_CHANNEL_GROUPS_H_
