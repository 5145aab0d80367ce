// What the laboratory's module gives to TypeScript (web/views/laboratory/module.ts holds the types).
//
// It works without a canvas too, so that a page without WebGL2 has all controls and figures.
#include <emscripten/bind.h>
#include <emscripten/val.h>

#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "canvas.h"
#include "experiment.h"
#include "player.h"
#include "view.h"

namespace kdequant::lab {
namespace {

using emscripten::val;

std::vector<double> Doubles(const val& array) { return emscripten::convertJSArrayToNumberVector<double>(array); }

val ArrayOf(const std::vector<double>& values) {
  // A copy: the view ends with the next allocation.
  return val::global("Float64Array").new_(emscripten::typed_memory_view(values.size(), values.data()));
}

class Laboratory {
 public:
  Laboratory() : player_(experiment_), view_(experiment_, player_) {}

  /// True if there is WebGL2. `font`: a TrueType file.
  bool Attach(const std::string& selector, const val& font) {
    canvas_ = Canvas::Attach(selector, emscripten::convertJSArrayToNumberVector<unsigned char>(font));
    if (canvas_) view_.SetTheme(theme_);
    return canvas_ != nullptr;
  }
  void Detach() { canvas_.reset(); }

  /// Red, green, blue of each of Theme's colours, 0 to 1.
  void SetTheme(const val& colours) {
    const std::vector<double> parts = Doubles(colours);
    if (parts.size() != 3 * kThemeColours) return;
    std::array<ImVec4, kThemeColours> theme;
    for (std::size_t i = 0; i < kThemeColours; ++i) {
      theme[i] = ImVec4(static_cast<float>(parts[3 * i]), static_cast<float>(parts[3 * i + 1]),
                        static_cast<float>(parts[3 * i + 2]), 1);
    }
    std::memcpy(&theme_, theme.data(), sizeof theme_);
    if (canvas_) view_.SetTheme(theme_);
  }

  /// The package's LayerHistogram, and what the weights are measured in.
  void SetWeights(const val& histogram, const std::string& unit) {
    const std::vector<double> moments = Doubles(histogram["moments"]);
    MomentHistogram weights{.grid = {.low = histogram["low"].as<double>(),
                                     .step = histogram["step"].as<double>(),
                                     .size = moments.size() / 3},
                            .bins = std::vector<MomentBin>(moments.size() / 3),
                            .min = histogram["min"].as<double>(),
                            .max = histogram["max"].as<double>(),
                            .population = static_cast<std::size_t>(histogram["weights"].as<double>())};
    for (std::size_t i = 0; i < weights.bins.size(); ++i) {
      weights.bins[i] = {.count = moments[3 * i], .sum = moments[3 * i + 1], .sum_squares = moments[3 * i + 2]};
    }
    player_.Pause();
    experiment_.SetWeights(std::move(weights));
    view_.SetWeightUnit(unit);
    view_.ResetRange();
  }

  /// The package's LayerSample.
  void SetSample(const val& sample) {
    experiment_.SetSample({.values = Doubles(sample["values"]),
                           .weights = Doubles(sample["importances"]),
                           .population = static_cast<std::size_t>(sample["weights"].as<double>()),
                           .scanned = static_cast<std::size_t>(sample["scanned"].as<double>()),
                           .min = sample["min"].as<double>(),
                           .max = sample["max"].as<double>()});
  }

  /// Nothing happens to an option whose name is not known; a sentence says so.
  std::string SetOptions(const val& options) {
    DesignOptions design = experiment_.options();
    const auto method = ParseMethod(options["method"].as<std::string>());
    const auto sampling = ParseSampling(options["sampling"].as<std::string>());
    const auto rule = ParseBandwidthRule(options["bandwidth"].as<std::string>());
    if (!method) return method.error().message;
    if (!sampling) return sampling.error().message;
    if (!rule) return rule.error().message;
    design.method = *method;
    design.sampling.sampling = *sampling;
    design.density.rule = *rule;
    design.levels = options["levels"].as<int>();
    design.sampling.count = static_cast<std::size_t>(options["samples"].as<double>());
    design.density.factor = options["bandwidthFactor"].as<double>();
    experiment_.SetOptions(design);
    return "";
  }

  val Options() const {
    const DesignOptions& design = experiment_.options();
    val options = val::object();
    options.set("method", std::string(MethodName(design.method)));
    options.set("sampling", std::string(SamplingName(design.sampling.sampling)));
    options.set("bandwidth", std::string(BandwidthRuleName(design.density.rule)));
    options.set("levels", design.levels);
    options.set("samples", static_cast<double>(design.sampling.count));
    options.set("bandwidthFactor", design.density.factor);
    return options;
  }

  /// Designs anew if anything changed; true if so.
  bool Update() { return experiment_.Update(); }
  /// Some 20 ms the first time for a layer and a number of levels.
  void ComputeReferences() { experiment_.ComputeReferences(); }

  /// Another number whenever Figures may say something else.
  double Revision() const { return 2 * static_cast<double>(experiment_.revision()) + (player_.playing() ? 1 : 0); }
  val Figures() const {
    const Distortion& distortion = experiment_.distortion();
    val figures = val::object();
    figures.set("error", experiment_.error());
    figures.set("levels", ArrayOf(experiment_.levels().levels));
    figures.set("thresholds", ArrayOf(experiment_.levels().Thresholds()));
    figures.set("shares", ArrayOf(experiment_.Shares()));
    figures.set("sqnrDb", distortion.sqnr_db);
    figures.set("mse", distortion.mse);
    figures.set("maxError", distortion.max_error);
    figures.set("entropyBits", distortion.entropy_bits);
    figures.set("bandwidth", experiment_.density().bandwidth);
    figures.set("samples", static_cast<double>(experiment_.sample().values.size()));
    figures.set("scanned", static_cast<double>(experiment_.sample().scanned));
    figures.set("weights", static_cast<double>(experiment_.histogram().population));
    figures.set("milliseconds", experiment_.update_milliseconds());
    const References* references = experiment_.references();
    figures.set("lloydMaxDb", references != nullptr ? val(references->lloyd_max_db) : val::null());
    figures.set("optimalDb", references != nullptr ? val(references->optimal_db) : val::null());
    figures.set("filmStart", std::string(FilmStartName(view_.film_start())));
    figures.set("frames", static_cast<double>(experiment_.film().size()));
    figures.set("frame", static_cast<double>(experiment_.frame()));
    figures.set("playing", player_.playing());
    return figures;
  }

  /// For drawing without a canvas: the histogram's bars and the density over [low, high].
  val Curves(double low, double high, int bars) const {
    const Bars grouped = GroupBins(experiment_.histogram(), low, high, static_cast<std::size_t>(bars));
    val curves = val::object();
    curves.set("barLow", grouped.low);
    curves.set("barWidth", grouped.width);
    curves.set("bars", ArrayOf(grouped.densities));
    curves.set("densityLow", experiment_.density().grid.low);
    curves.set("densityStep", experiment_.density().grid.step);
    curves.set("density", ArrayOf(experiment_.density().values));
    return curves;
  }

  void StartFilm(const std::string& start) {
    if (const auto parsed = ParseFilmStart(start)) {
      view_.set_film_start(*parsed);
      player_.Pause();
      experiment_.StartFilm(*parsed);
    }
  }
  void Play() { player_.Play(view_.film_start()); }
  void Pause() { player_.Pause(); }
  bool IsPlaying() const { return player_.playing(); }
  void ShowFrame(int frame) {
    player_.Pause();
    experiment_.ShowFrame(static_cast<std::size_t>(frame));
  }
  void MoveLevel(int level, double to) {
    player_.Pause();
    experiment_.MoveLevel(static_cast<std::size_t>(level), to);
    view_.set_film_start(FilmStart::kByHand);
  }
  void EndFilm() {
    player_.Pause();
    experiment_.EndFilm();
  }
  /// True if another frame of the film is shown now.
  bool Tick(double now) { return player_.Tick(now); }

  static float HeightFor(float width) { return View::HeightFor(width); }

  /// Draws. True if somebody changed the options.
  bool Draw(double now, float width, float height, float density) {
    if (!canvas_) return false;
    canvas_->Begin(now, width, height, density);
    const bool changed = view_.Draw(ImVec2(width, height));
    canvas_->End(theme_.card);
    return changed;
  }
  std::string Cursor() const { return canvas_ ? Canvas::Cursor() : "default"; }

  void MovePointer(float x, float y, bool touch) {
    if (canvas_) canvas_->MovePointer(x, y, touch);
  }
  void LeavePointer() {
    if (canvas_) canvas_->LeavePointer();
  }
  void PressPointer(int button, bool down) {
    if (canvas_) canvas_->PressPointer(button, down);
  }
  void TurnWheel(float x, float y) {
    if (canvas_) canvas_->TurnWheel(x, y);
  }
  void LoseFocus() {
    if (canvas_) canvas_->LoseFocus();
  }

 private:
  Experiment experiment_;
  Player player_;
  View view_;
  Theme theme_;
  std::unique_ptr<Canvas> canvas_;
};

}  // namespace

EMSCRIPTEN_BINDINGS(laboratory) {
  emscripten::class_<Laboratory>("Laboratory")
      .constructor<>()
      .function("attach", &Laboratory::Attach)
      .function("detach", &Laboratory::Detach)
      .function("setTheme", &Laboratory::SetTheme)
      .function("setWeights", &Laboratory::SetWeights)
      .function("setSample", &Laboratory::SetSample)
      .function("setOptions", &Laboratory::SetOptions)
      .function("options", &Laboratory::Options)
      .function("update", &Laboratory::Update)
      .function("computeReferences", &Laboratory::ComputeReferences)
      .function("revision", &Laboratory::Revision)
      .function("figures", &Laboratory::Figures)
      .function("curves", &Laboratory::Curves)
      .function("startFilm", &Laboratory::StartFilm)
      .function("play", &Laboratory::Play)
      .function("isPlaying", &Laboratory::IsPlaying)
      .function("pause", &Laboratory::Pause)
      .function("showFrame", &Laboratory::ShowFrame)
      .function("moveLevel", &Laboratory::MoveLevel)
      .function("endFilm", &Laboratory::EndFilm)
      .function("tick", &Laboratory::Tick)
      .function("draw", &Laboratory::Draw)
      .function("cursor", &Laboratory::Cursor)
      .function("movePointer", &Laboratory::MovePointer)
      .function("leavePointer", &Laboratory::LeavePointer)
      .function("pressPointer", &Laboratory::PressPointer)
      .function("turnWheel", &Laboratory::TurnWheel)
      .function("loseFocus", &Laboratory::LoseFocus)
      .class_function("heightFor", &Laboratory::HeightFor);
}

}  // namespace kdequant::lab
