// What the laboratory tries out on one layer: levels from a sample, how good they are for all weights, and how they
// came about.
#ifndef KDEQUANT_WEB_LAB_EXPERIMENT_H_
#define KDEQUANT_WEB_LAB_EXPERIMENT_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kdequant/codebook/design.h"
#include "kdequant/codebook/distortion.h"
#include "kdequant/density/density.h"
#include "kdequant/density/histogram.h"
#include "kdequant/density/moments.h"
#include "kdequant/density/sample.h"

namespace kdequant::lab {

/// Where Lloyd's iteration starts from, to be watched.
enum class FilmStart {
  kPlusPlus,    ///< k-means++: levels drawn at random, far from each other.
  kUniform,     ///< Equally spaced from end to end.
  kCompanding,  ///< The quantiles of p^(1/3).
  kDesigner,    ///< Where Lloyd-Max starts: the coarse optimum.
  kByHand,      ///< Levels that somebody moved.
};

/// "k-means++", "uniform", "companding", "designer", "by-hand".
std::string_view FilmStartName(FilmStart start);
/// Errors: kUsage, naming the choices.
Result<FilmStart> ParseFilmStart(std::string_view name);

/// One picture of the film: levels after some steps of Lloyd's iteration.
struct FilmFrame {
  std::vector<double> levels = {};
  double mse = 0;      ///< On the distribution that the method works on, where it never rises.
  double sqnr_db = 0;  ///< On all weights.
};

/// SQNR in dB that any sample could at best reach.
struct References {
  double lloyd_max_db = 0;  ///< Lloyd-Max on all weights.
  double optimal_db = 0;    ///< The least error there is, by dynamic programming on all weights.
};

/// A layer's moment histogram stands for all its weights: errors computed on it are right to 1e-4. The setters only
/// keep what they are given; Update does the work.
class Experiment {
 public:
  /// All weights of the layer. Forgets the sample of the layer before and ends the film.
  void SetWeights(MomentHistogram histogram);
  void SetSample(Sample sample);
  /// `sampling.count` and `sampling.sampling` are what the sample given was drawn with, for showing.
  void SetOptions(const DesignOptions& options);

  bool has_weights() const { return weights_.has_value(); }
  bool has_sample() const { return !sample_.values.empty(); }
  const DesignOptions& options() const { return options_; }
  const MomentHistogram& histogram() const { return histogram_; }
  const Sample& sample() const { return sample_; }

  /// Designs the levels and measures them on all weights, if anything changed; about 1 ms. True if it did. A film goes
  /// on from the same start with the new options. Errors of the designers are in `error`, and the levels before stay.
  bool Update();
  /// How long the last Update that did anything took, designing and measuring alone.
  double update_milliseconds() const { return update_milliseconds_; }
  const std::string& error() const { return error_; }

  /// The density that the levels were designed on; empty for methods that have none.
  const Density& density() const { return density_; }
  /// The levels on show: of the film's frame, or as designed.
  const Codebook& levels() const { return shown_; }
  /// Of the levels on show, on all weights.
  const Distortion& distortion() const { return distortion_; }
  /// What part of all weights is nearest to each level on show.
  std::vector<double> Shares() const;
  /// Another number whenever any of the figures may have changed.
  std::size_t revision() const { return revision_; }

  /// The best to be had with as many levels, computed at the first call (some 20 ms) and kept for this layer.
  const References& ComputeReferences();
  /// The same, if it is known already.
  const References* references() const;

  /// Runs Lloyd's iteration from a start to its end and keeps every step. Shows the first.
  void StartFilm(FilmStart start);
  /// Moves one level by hand, and starts a film from there: `level` is an index of levels().
  void MoveLevel(std::size_t level, double to);
  void EndFilm();
  bool has_film() const { return !film_.empty(); }
  const std::vector<FilmFrame>& film() const { return film_; }
  FilmStart film_start() const { return film_start_; }
  std::size_t frame() const { return frame_; }
  /// Shows a frame, at most the last.
  void ShowFrame(std::size_t frame);

 private:
  const CumulativeMoments& Distribution() const { return on_density_ ? *on_density_ : *weights_; }
  Result<void> Design();
  std::vector<double> StartLevels(FilmStart start) const;
  void RunFilm(std::vector<double> levels);
  void Show(std::vector<double> levels);

  DesignOptions options_;
  MomentHistogram histogram_;
  Sample sample_;
  std::optional<CumulativeMoments> weights_;     // of the histogram
  std::optional<CumulativeMoments> on_density_;  // of the density, for methods that have one
  Density density_;
  Codebook designed_;
  Codebook shown_;
  Distortion distortion_;
  std::string error_;
  bool changed_ = false;
  double update_milliseconds_ = 0;
  std::size_t revision_ = 0;

  std::vector<std::optional<References>> references_;  // by number of levels

  std::vector<FilmFrame> film_;
  FilmStart film_start_ = FilmStart::kPlusPlus;
  std::size_t frame_ = 0;
};

/// Counts of a histogram in at most `bars` bars of equal width over [low, high], for drawing; empty for an empty range.
struct Bars {
  double low = 0;
  double width = 0;
  std::vector<double> densities = {};  ///< Weights per unit of weight, divided by all weights: the density's unit.
};
Bars GroupBins(const MomentHistogram& histogram, double low, double high, std::size_t bars);

}  // namespace kdequant::lab

#endif  // KDEQUANT_WEB_LAB_EXPERIMENT_H_
