#include "experiment.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <utility>

#include "kdequant/codebook/lloyd_max.h"

namespace kdequant::lab {
namespace {

constexpr std::array kFilmStarts{FilmStart::kPlusPlus, FilmStart::kUniform, FilmStart::kCompanding,
                                 FilmStart::kDesigner, FilmStart::kByHand};

// Long enough for what a person watches; Lloyd's iteration has long since converged for the eye.
constexpr std::size_t kFilmFrames = 400;

bool SameDesign(const DesignOptions& a, const DesignOptions& b) {
  return a.method == b.method && a.levels == b.levels && a.sampling.seed == b.sampling.seed &&
         a.density.rule == b.density.rule && a.density.factor == b.density.factor;
}

}  // namespace

std::string_view FilmStartName(FilmStart start) {
  switch (start) {
    case FilmStart::kPlusPlus: return "k-means++";
    case FilmStart::kUniform: return "uniform";
    case FilmStart::kCompanding: return "companding";
    case FilmStart::kDesigner: return "designer";
    case FilmStart::kByHand: return "by-hand";
  }
  return "k-means++";
}

Result<FilmStart> ParseFilmStart(std::string_view name) {
  std::string choices;
  for (const auto start : kFilmStarts) {
    if (name == FilmStartName(start)) return start;
    choices += (choices.empty() ? "" : ", ") + std::string(FilmStartName(start));
  }
  return Fail(ErrorCode::kUsage, "unknown start \"" + std::string(name) + "\"; use one of " + choices);
}

void Experiment::SetWeights(MomentHistogram histogram) {
  histogram_ = std::move(histogram);
  weights_.emplace(histogram_);
  sample_ = {};
  references_.clear();
  on_density_.reset();
  density_ = {};
  designed_ = {};
  EndFilm();
  changed_ = true;
}

void Experiment::SetSample(Sample sample) {
  sample_ = std::move(sample);
  changed_ = true;
}

void Experiment::SetOptions(const DesignOptions& options) {
  changed_ = changed_ || !SameDesign(options, options_);
  options_ = options;
}

bool Experiment::Update() {
  if (!changed_ || !weights_ || (UsesDensity(options_.method) && !has_sample())) return false;
  changed_ = false;
  const auto start = std::chrono::steady_clock::now();
  auto design = Design();
  error_ = design ? "" : design.error().message;
  if (!has_film()) Show(designed_.levels);
  update_milliseconds_ = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  if (has_film() && design) {
    const std::size_t frame = frame_;
    // Levels moved by hand are of the design before.
    if (film_start_ == FilmStart::kByHand && film_.front().levels.size() == designed_.levels.size()) {
      RunFilm(film_.front().levels);
    } else {
      if (film_start_ == FilmStart::kByHand) film_start_ = FilmStart::kPlusPlus;
      RunFilm(StartLevels(film_start_));
    }
    ShowFrame(frame);
  }
  ++revision_;
  return true;
}

Result<void> Experiment::Design() {
  if (UsesDensity(options_.method)) {
    auto designed = DesignOnSample(sample_, options_);
    if (!designed) return Forward(designed);
    density_ = std::move(designed->density);
    designed_ = std::move(designed->codebook);
    on_density_.emplace(density_);
    return {};
  }
  density_ = {};
  on_density_.reset();
  auto designed = DesignOnDistribution(*weights_, options_);
  if (!designed) return Forward(designed);
  designed_ = std::move(*designed);
  return {};
}

std::vector<double> Experiment::Shares() const {
  std::vector<double> shares;
  double below = 0;
  const std::vector<double> thresholds = shown_.Thresholds();
  for (std::size_t i = 0; i < shown_.levels.size(); ++i) {
    const double mass = i < thresholds.size() ? weights_->Below(thresholds[i]).mass : weights_->Total().mass;
    shares.push_back((mass - below) / weights_->Total().mass);
    below = mass;
  }
  return shares;
}

const References* Experiment::references() const {
  const auto levels = static_cast<std::size_t>(options_.levels);
  return levels < references_.size() && references_[levels] ? &*references_[levels] : nullptr;
}

const References& Experiment::ComputeReferences() {
  const auto levels = static_cast<std::size_t>(options_.levels);
  references_.resize(std::max(references_.size(), levels + 1));
  if (!references_[levels]) {
    // Two known designers, which fail only for a number of levels that SetOptions was never given.
    const auto sqnr = [&](const Result<Codebook>& codebook) {
      return codebook ? MeasureDistortion(*weights_, *codebook).sqnr_db : 0.0;
    };
    references_[levels] = References{.lloyd_max_db = sqnr(DesignLloydMax(*weights_, options_.levels)),
                                     .optimal_db = sqnr(DesignOptimal(*weights_, options_.levels))};
    ++revision_;
  }
  return *references_[levels];
}

std::vector<double> Experiment::StartLevels(FilmStart start) const {
  const CumulativeMoments& moments = Distribution();
  switch (start) {
    case FilmStart::kPlusPlus: return PlusPlusStart(moments, options_.levels, options_.sampling.seed);
    case FilmStart::kUniform: {
      const auto uniform = DesignUniformMinMax(moments, options_.levels);
      return uniform ? uniform->levels : designed_.levels;
    }
    case FilmStart::kCompanding: return CompandingStart(moments, options_.levels);
    case FilmStart::kDesigner: return CoarseOptimalStart(moments, options_.levels);
    case FilmStart::kByHand: return designed_.levels;
  }
  return designed_.levels;
}

void Experiment::RunFilm(std::vector<double> levels) {
  film_.clear();
  const double signal = weights_->Pieces(0, weights_->pieces()).SquaredError(0) / weights_->Total().mass;
  LloydMax iteration(Distribution(), std::move(levels));
  do {
    film_.push_back({.levels = iteration.levels(),
                     .mse = iteration.mse(),
                     .sqnr_db = SqnrDb(signal, MeanSquaredError(*weights_, iteration.codebook()))});
  } while (film_.size() < kFilmFrames && iteration.Step());
}

void Experiment::StartFilm(FilmStart start) {
  if (!weights_ || designed_.levels.empty()) return;
  film_start_ = start;
  RunFilm(StartLevels(start));
  ShowFrame(0);
}

void Experiment::MoveLevel(std::size_t level, double to) {
  if (level >= shown_.levels.size() || !weights_) return;
  std::vector<double> levels = shown_.levels;
  // Between its neighbours: a level that passed another would change its number under the hand that holds it.
  levels[level] = std::clamp(to, level > 0 ? levels[level - 1] : weights_->min(),
                             level + 1 < levels.size() ? levels[level + 1] : weights_->max());
  film_start_ = FilmStart::kByHand;
  RunFilm(std::move(levels));
  ShowFrame(0);
}

void Experiment::EndFilm() {
  film_.clear();
  frame_ = 0;
  Show(designed_.levels);
}

void Experiment::ShowFrame(std::size_t frame) {
  if (film_.empty()) return;
  frame_ = std::min(frame, film_.size() - 1);
  Show(film_[frame_].levels);
}

void Experiment::Show(std::vector<double> levels) {
  ++revision_;
  shown_.levels = std::move(levels);
  distortion_ = weights_ && !shown_.levels.empty() ? MeasureDistortion(*weights_, shown_) : Distortion{};
}

Bars GroupBins(const MomentHistogram& histogram, double low, double high, std::size_t bars) {
  const Grid& grid = histogram.grid;
  if (!(grid.step > 0) || bars == 0) return {};
  low = std::max(low, grid.low);
  high = std::min(high, grid.High());
  if (!(high > low)) return {};
  const auto first = static_cast<std::size_t>((low - grid.low) / grid.step);
  const std::size_t last = std::min(static_cast<std::size_t>((high - grid.low) / grid.step) + 1, grid.size);
  const std::size_t group = std::max<std::size_t>((last - first + bars - 1) / bars, 1);
  // Whole groups counted from the histogram's first bin, so that bars do not flicker as the range moves.
  const std::size_t begin = first / group * group;
  Bars result{.low = grid.Edge(begin), .width = static_cast<double>(group) * grid.step, .densities = {}};
  const double unit = 1 / (static_cast<double>(histogram.population) * result.width);
  for (std::size_t i = begin; i < last; i += group) {
    double count = 0;
    for (std::size_t j = i; j < std::min(i + group, grid.size); ++j) count += histogram.bins[j].count;
    result.densities.push_back(count * unit);
  }
  return result;
}

}  // namespace kdequant::lab
