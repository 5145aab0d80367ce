// The laboratory's picture: controls, weights with density and levels, and the film's course, by Dear ImGui and ImPlot.
#ifndef KDEQUANT_WEB_LAB_VIEW_H_
#define KDEQUANT_WEB_LAB_VIEW_H_

#include <imgui.h>

#include <array>
#include <string>
#include <vector>

#include "experiment.h"
#include "player.h"

namespace kdequant::lab {

/// The page's colours, by the names of its style. Blue is what is continuous (weights, densities), orange what is
/// discrete (levels).
struct Theme {
  ImVec4 ink, ink_soft, card, sunken, line, control_line, accent, accent_ink, accent_soft, float_line, float_soft,
      levels, levels_ink, levels_soft;
};
inline constexpr std::size_t kThemeColours = sizeof(Theme) / sizeof(ImVec4);

class View {
 public:
  View(Experiment& experiment, Player& player) : experiment_(experiment), player_(player) {}

  /// Styles the current ImGui and ImPlot contexts.
  void SetTheme(const Theme& theme);
  void SetWeightUnit(std::string label) { weight_unit_ = std::move(label); }
  /// Shows the range of the levels again.
  void ResetRange() { range_ = Range::kLevels; }

  /// How high the picture wants to be for a width, both in pixels of the page.
  static float HeightFor(float width);

  /// The whole picture, inside an ImGui frame. True if somebody changed the options of the experiment; a sample that
  /// fits them is then another's business.
  bool Draw(ImVec2 size);

  FilmStart film_start() const { return film_start_; }
  void set_film_start(FilmStart start) { film_start_ = start; }

 private:
  enum class Range { kLevels, kAll, kFree };

  bool DrawControls(float width);
  void DrawFigures(float width);
  void DrawWeights(ImVec2 size);
  void DrawLevels(double top);
  void DrawRug(double depth);
  void DrawKernel(double top);
  /// Of the drawing of the kernel in the plot's corner, in pixels.
  static float KernelInsetWidth();
  void DrawCellUnderPointer(double top);
  void DrawFilm(ImVec2 size);
  void DrawTransport();
  void DrawCourse(ImVec2 size);

  Experiment& experiment_;
  Player& player_;
  Theme theme_ = {};
  std::string weight_unit_ = "weight";
  FilmStart film_start_ = FilmStart::kPlusPlus;
  Range range_ = Range::kLevels;
  bool stretch_tails_ = false;
  bool dragging_level_ = false;
  // Scratch, kept for its memory.
  std::vector<double> xs_, ys_;
  std::vector<float> columns_;
};

}  // namespace kdequant::lab

#endif  // KDEQUANT_WEB_LAB_VIEW_H_
