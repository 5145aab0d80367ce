#include "experiment.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "interval.h"
#include "kdequant/base/random.h"
#include "player.h"

namespace kdequant::lab {
namespace {

std::vector<float> HeavyTailed(std::size_t count, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> weights(count);
  for (auto& w : weights) {
    const double normal = random.Normal();
    w = static_cast<float>(0.02 * normal * (1 + std::fabs(normal)));
  }
  return weights;
}

constexpr std::size_t kBins = 4096;

Experiment OnWeights(const std::vector<float>& weights, const DesignOptions& options = {}) {
  Experiment experiment;
  experiment.SetWeights(BuildMomentHistogram(weights, kBins).value());
  experiment.SetOptions(options);
  experiment.SetSample(DrawSample(weights, options.sampling).value());
  return experiment;
}

TEST_CASE("An experiment designs what the designers design, and measures what the weights would say") {
  const auto weights = HeavyTailed(100'000, 5);
  for (const Method method : {Method::kKdeLm, Method::kKdeKm, Method::kLloydMax, Method::kUniformMse, Method::kNf4}) {
    CAPTURE(MethodName(method));
    Experiment experiment = OnWeights(weights, {.method = method});
    REQUIRE(experiment.Update());
    CHECK(experiment.error().empty());
    const auto design = DesignCodebook(weights, {.method = method}).value();
    const double exact = MeasureDistortion(weights, design.codebook).sqnr_db;
    CHECK(MeasureDistortion(weights, experiment.levels()).sqnr_db == doctest::Approx(exact).epsilon(1e-3));
    CHECK(experiment.distortion().sqnr_db == doctest::Approx(exact).epsilon(1e-3));
    CHECK(experiment.density().values.empty() == !UsesDensity(method));
    if (UsesDensity(method)) CHECK(experiment.levels().levels == design.codebook.levels);
  }
}

TEST_CASE("Nothing is designed twice, nothing before weights and sample are there, and every option counts") {
  const auto weights = HeavyTailed(20'000, 6);
  Experiment experiment;
  CHECK(!experiment.Update());
  experiment.SetWeights(BuildMomentHistogram(weights, kBins).value());
  CHECK(!experiment.Update());  // kde-lm needs a sample
  experiment.SetSample(DrawSample(weights).value());
  CHECK(experiment.Update());
  CHECK(!experiment.Update());
  DesignOptions options;
  experiment.SetOptions(options);
  CHECK(!experiment.Update());
  const auto before = experiment.levels().levels;
  options.density.factor = 3;
  experiment.SetOptions(options);
  CHECK(experiment.Update());
  CHECK(experiment.levels().levels != before);
  options.levels = 5;
  experiment.SetOptions(options);
  CHECK(experiment.Update());
  CHECK(experiment.levels().levels.size() == 5);
  options.method = Method::kOptimal;
  experiment.SetOptions(options);
  CHECK(experiment.Update());
  // Another sample of the same size changes nothing for a method on all weights but is designed on when one comes back.
  options.method = Method::kKdeLm;
  options.sampling.count = 64;
  experiment.SetOptions(options);
  experiment.SetSample(DrawSample(weights, options.sampling).value());
  CHECK(experiment.Update());
  CHECK(experiment.sample().values.size() == 64);
}

TEST_CASE("Levels that cannot be designed leave those before, with a sentence") {
  const auto weights = HeavyTailed(20'000, 7);
  Experiment experiment = OnWeights(weights);
  experiment.Update();
  const auto before = experiment.levels().levels;
  DesignOptions options;
  options.levels = 1;
  experiment.SetOptions(options);
  CHECK(experiment.Update());
  CHECK(experiment.error().find("2 to 256") != std::string::npos);
  CHECK(experiment.levels().levels == before);
}

TEST_CASE("No levels beat the optimum, full Lloyd-Max nearly does, and both are kept by number of levels") {
  const auto weights = HeavyTailed(100'000, 8);
  Experiment experiment = OnWeights(weights);
  experiment.Update();
  CHECK(experiment.references() == nullptr);
  const References best = experiment.ComputeReferences();
  REQUIRE(experiment.references() != nullptr);
  CHECK(best.optimal_db - best.lloyd_max_db == Interval(-1e-6, 0.05));
  CHECK(best.optimal_db - experiment.distortion().sqnr_db == Interval(-1e-6, 0.2));
  DesignOptions options;
  options.levels = 8;
  experiment.SetOptions(options);
  CHECK(experiment.references() == nullptr);
  CHECK(experiment.ComputeReferences().optimal_db < best.optimal_db - 4);
  options.levels = 16;
  experiment.SetOptions(options);
  REQUIRE(experiment.references() != nullptr);
  CHECK(experiment.references()->optimal_db == best.optimal_db);
  experiment.SetWeights(BuildMomentHistogram(HeavyTailed(5000, 9), kBins).value());
  CHECK(experiment.references() == nullptr);
}

TEST_CASE("The film's error falls with every step and ends at Lloyd-Max's levels") {
  const auto weights = HeavyTailed(50'000, 10);
  Experiment experiment = OnWeights(weights);
  experiment.Update();
  const auto designed = experiment.levels().levels;
  for (const FilmStart start :
       {FilmStart::kPlusPlus, FilmStart::kUniform, FilmStart::kCompanding, FilmStart::kDesigner}) {
    CAPTURE(FilmStartName(start));
    CHECK(ParseFilmStart(FilmStartName(start)).value() == start);
    experiment.StartFilm(start);
    REQUIRE(experiment.has_film());
    CHECK(experiment.frame() == 0);
    const auto& film = experiment.film();
    CHECK(std::ranges::is_sorted(film, std::ranges::greater_equal{}, &FilmFrame::mse));
    CHECK(film.back().sqnr_db > film.front().sqnr_db - 1e-9);
    experiment.ShowFrame(film.size() + 10);
    CHECK(experiment.frame() == film.size() - 1);
    CHECK(experiment.levels().levels == film.back().levels);
    CHECK(experiment.distortion().sqnr_db == doctest::Approx(film.back().sqnr_db));
    if (start == FilmStart::kDesigner) {
      for (std::size_t i = 0; i < designed.size(); ++i) {
        CHECK(film.back().levels[i] == doctest::Approx(designed[i]).epsilon(1e-3));
      }
    }
  }
  experiment.EndFilm();
  CHECK(experiment.levels().levels == designed);
  // Each share is what the weights themselves say, but for the bin that a threshold divides.
  const auto shares = experiment.Shares();
  const auto at_eight = std::ranges::count_if(
      weights, [&](float w) { return experiment.levels().NearestLevel(static_cast<double>(w)) == 8; });
  CHECK(shares[8] == doctest::Approx(static_cast<double>(at_eight) / 50'000).epsilon(0.02));
  CHECK(ParseFilmStart("backwards").error().message.find("k-means++") != std::string::npos);
}

TEST_CASE("New options re-shoot the film from the same start, at the same step") {
  const auto weights = HeavyTailed(50'000, 11);
  Experiment experiment = OnWeights(weights);
  experiment.Update();
  experiment.StartFilm(FilmStart::kUniform);
  experiment.ShowFrame(4);
  DesignOptions options;
  options.levels = 6;
  experiment.SetOptions(options);
  CHECK(experiment.Update());
  CHECK(experiment.film_start() == FilmStart::kUniform);
  CHECK(experiment.frame() == 4);
  CHECK(experiment.film().front().levels.size() == 6);
  CHECK(experiment.levels().levels == experiment.film()[4].levels);
}

TEST_CASE("A level moved by hand stays between its neighbours, costs SQNR, and Lloyd's iteration repairs it") {
  const auto weights = HeavyTailed(50'000, 12);
  Experiment experiment = OnWeights(weights);
  experiment.Update();
  const double designed = experiment.distortion().sqnr_db;
  const double neighbour = experiment.levels().levels[9];
  experiment.MoveLevel(8, 100);
  CHECK(experiment.levels().levels[8] == neighbour);
  CHECK(experiment.film_start() == FilmStart::kByHand);
  CHECK(experiment.distortion().sqnr_db < designed - 0.05);
  experiment.ShowFrame(1000);
  CHECK(experiment.distortion().sqnr_db == Interval(designed - 0.5, designed + 0.5));
  experiment.MoveLevel(99, 0);  // there is no such level
  CHECK(experiment.levels().levels.size() == 16);
  // With another number of levels the hand's are void.
  DesignOptions options;
  options.levels = 4;
  experiment.SetOptions(options);
  experiment.Update();
  CHECK(experiment.levels().levels.size() == 4);
}

TEST_CASE("A player shows frame after frame, each sooner than the one before, and stops at the end") {
  const auto weights = HeavyTailed(20'000, 13);
  Experiment experiment;
  Player nothing(experiment);
  nothing.Play(FilmStart::kUniform);
  CHECK(!nothing.playing());
  experiment = OnWeights(weights);
  experiment.Update();
  Player player(experiment);
  player.Play(FilmStart::kUniform);
  CHECK(player.playing());
  CHECK(!player.Tick(1000));
  CHECK(experiment.frame() == 0);
  std::vector<double> shown;
  for (double now = 1000; player.playing() && now < 100'000; now += 1) {
    if (player.Tick(now)) shown.push_back(now);
  }
  REQUIRE(shown.size() == experiment.film().size() - 1);
  CHECK(shown[1] - shown[0] > shown[10] - shown[9]);
  CHECK(!player.playing());
  player.Play(FilmStart::kUniform);  // again from the beginning
  CHECK(experiment.frame() == 0);
  player.Pause();
  CHECK(!player.Tick(1e9));
}

TEST_CASE("Bars hold every weight of their range, in the density's unit") {
  const auto weights = HeavyTailed(30'000, 14);
  const auto histogram = BuildMomentHistogram(weights, kBins).value();
  const Bars bars = GroupBins(histogram, -1e9, 1e9, 100);
  CHECK(bars.densities.size() == Interval(90, 100));
  double mass = 0;
  for (const double bar : bars.densities) mass += bar * bars.width;
  CHECK(mass == doctest::Approx(1));
  const Bars part = GroupBins(histogram, 0, 0.05, 40);
  CHECK(part.width < bars.width);
  CHECK(part.low <= 0);
  CHECK(part.low > -part.width - histogram.grid.step);
  CHECK(part.low + part.width * static_cast<double>(part.densities.size()) >= 0.05);
  CHECK(GroupBins(histogram, 5, 6, 40).densities.empty());
  CHECK(GroupBins(BuildMomentHistogram(std::vector<float>(5, 1.0F), kBins).value(), 0, 2, 40).densities.empty());
}

TEST_CASE("A constant layer and a layer of two values are no trouble") {
  for (const std::vector<float>& weights : {std::vector<float>(500, 0.25F), [] {
                                              std::vector<float> two(500, -1.0F);
                                              std::fill_n(two.begin(), 100, 2.0F);
                                              return two;
                                            }()}) {
    for (const Method method : {Method::kKdeLm, Method::kKdeKm, Method::kLloydMax, Method::kOptimal}) {
      CAPTURE(MethodName(method));
      Experiment experiment = OnWeights(weights, {.method = method});
      experiment.Update();
      experiment.ComputeReferences();
      experiment.StartFilm(FilmStart::kPlusPlus);
      experiment.MoveLevel(0, 0);
      for (const double level : experiment.levels().levels) CHECK(std::isfinite(level));
    }
  }
}

}  // namespace
}  // namespace kdequant::lab
