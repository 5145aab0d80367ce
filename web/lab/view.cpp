#include "view.h"

#include <implot.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <initializer_list>
#include <type_traits>
#include <utility>

namespace kdequant::lab {
namespace {

constexpr float kNarrow = 720;
constexpr float kPanelWidth = 264;
constexpr float kGap = 20;
constexpr float kWideHeight = 680;
constexpr float kNarrowPlotHeight = 210;
constexpr float kFilmHeight = 230;
constexpr float kTransportHeight = 44;
constexpr float kKnob = 22;
constexpr float kControlsHeight = 420;
constexpr float kFiguresHeight = 148;

constexpr float kTextSize = 16;
constexpr float kSmallText = 14;
constexpr float kInsetPadding = 14;
constexpr float kFigureText = 38;

constexpr double kMinFactor = 0.05;
constexpr double kMaxFactor = 8;
constexpr int kMinSamples = 16;
constexpr int kMaxSamples = 16384;
constexpr int kMostLevels = 64;

struct MethodChoice {
  Method method;
  const char* text;
};
constexpr std::array kMethodChoices{
    MethodChoice{Method::kKdeLm, "Lloyd-Max on a density"},
    MethodChoice{Method::kKdeKm, "k-means on a density"},
    MethodChoice{Method::kLloydMax, "Lloyd-Max, all weights"},
    MethodChoice{Method::kKMeans, "k-means, all weights"},
    MethodChoice{Method::kOptimal, "optimum, all weights"},
    MethodChoice{Method::kUniformMse, "uniform, least error"},
    MethodChoice{Method::kUniformMinMax, "uniform, whole range"},
    MethodChoice{Method::kNf4, "NF4 table"},
};

struct SamplingChoice {
  Sampling sampling;
  const char* text;
};
constexpr std::array kSamplingChoices{
    SamplingChoice{Sampling::kStratified, "stratified"},
    SamplingChoice{Sampling::kRandom, "random"},
    SamplingChoice{Sampling::kStratifiedBlind, "blind"},
};

struct RuleChoice {
  BandwidthRule rule;
  const char* text;
};
constexpr std::array kRuleChoices{
    RuleChoice{BandwidthRule::kSilverman, "Silverman"},
    RuleChoice{BandwidthRule::kIsj, "Sheather-Jones"},
};

struct StartChoice {
  FilmStart start;
  const char* text;
};
constexpr std::array kStartChoices{
    StartChoice{FilmStart::kPlusPlus, "k-means++"},
    StartChoice{FilmStart::kUniform, "equal steps"},
    StartChoice{FilmStart::kCompanding, "companding"},
    StartChoice{FilmStart::kDesigner, "coarse optimum"},
};

ImVec4 Faded(ImVec4 colour, float alpha) {
  colour.w *= alpha;
  return colour;
}

ImVec4 Mixed(const ImVec4& a, const ImVec4& b, float part) {
  return {a.x + (b.x - a.x) * part, a.y + (b.y - a.y) * part, a.z + (b.z - a.z) * part, 1};
}

void SmallText(const ImVec4& colour, const char* text) {
  ImGui::PushFont(nullptr, kSmallText);
  ImGui::PushStyleColor(ImGuiCol_Text, colour);
  ImGui::TextUnformatted(text);
  ImGui::PopStyleColor();
  ImGui::PopFont();
}

// The first of the texts that the rest of the line has room for.
void SmallTextThatFits(const ImVec4& colour, std::initializer_list<const char*> texts) {
  ImGui::PushFont(nullptr, kSmallText);
  const float room = ImGui::GetContentRegionAvail().x;
  const auto* const fit = std::ranges::find_if(texts, [=](const char* t) { return ImGui::CalcTextSize(t).x <= room; });
  ImGui::PopFont();
  if (fit != texts.end()) SmallText(colour, *fit);
}

// A name on the left and a value on the right of one line.
void Row(const ImVec4& name_colour, const char* name, const char* value) {
  const float right = ImGui::GetCursorPosX() + ImGui::GetContentRegionAvail().x;
  ImGui::PushStyleColor(ImGuiCol_Text, name_colour);
  ImGui::TextUnformatted(name);
  ImGui::PopStyleColor();
  ImGui::SameLine();
  ImGui::SetCursorPosX(right - ImGui::CalcTextSize(value).x);
  ImGui::TextUnformatted(value);
}

// A thin track with a round knob; its name and value stand above.
template <typename T>
bool Slider(const char* id, const char* name, const char* value, const Theme& theme, float width, T* number, T low,
            T high, bool logarithmic = true) {
  ImGui::PushFont(nullptr, kSmallText);
  Row(theme.ink_soft, name, value);
  ImGui::PopFont();
  ImGui::PushStyleVar(ImGuiStyleVar_FramePadding, ImVec2(0, (kKnob + 4 - ImGui::GetFontSize()) / 2));
  ImGui::PushStyleVar(ImGuiStyleVar_GrabRounding, kKnob / 2);
  ImGui::PushStyleVar(ImGuiStyleVar_GrabMinSize, kKnob);
  ImGui::PushStyleVar(ImGuiStyleVar_FrameBorderSize, 0);
  for (const ImGuiCol colour : {ImGuiCol_FrameBg, ImGuiCol_FrameBgHovered, ImGuiCol_FrameBgActive}) {
    ImGui::PushStyleColor(colour, Faded(theme.card, 0));
  }
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const float middle = at.y + ImGui::GetFrameHeight() / 2;
  ImGui::GetWindowDrawList()->AddRectFilled({at.x + 2, middle - 2}, {at.x + width - 2, middle + 2},
                                            ImGui::GetColorU32(theme.line), 2);
  ImGui::SetNextItemWidth(width);
  const ImGuiSliderFlags flags = ImGuiSliderFlags_NoInput | (logarithmic ? ImGuiSliderFlags_Logarithmic : 0);
  const ImGuiDataType type = std::is_same_v<T, int> ? ImGuiDataType_S32 : ImGuiDataType_Double;
  // Under a finger it would show its format, which is empty, as a tooltip; the value stands above.
  ImGuiIO& io = ImGui::GetIO();
  const ImGuiMouseSource source = std::exchange(io.MouseSource, ImGuiMouseSource_Mouse);
  const bool changed = ImGui::SliderScalar(id, type, number, &low, &high, "", flags);
  io.MouseSource = source;
  ImGui::PopStyleColor(3);
  ImGui::PopStyleVar(4);
  return changed;
}

// One of a few, as buttons in a row.
template <typename Choices, typename Same, typename Choose>
bool Segments(const char* id, const Choices& choices, const Theme& theme, Same same, Choose choose) {
  bool changed = false;
  ImGui::PushID(id);
  const float gap = 4;
  const float width = (ImGui::GetContentRegionAvail().x - gap * static_cast<float>(choices.size() - 1)) /
                      static_cast<float>(choices.size());
  for (std::size_t i = 0; i < choices.size(); ++i) {
    const bool chosen = same(choices[i]);
    if (i > 0) ImGui::SameLine(0, gap);
    ImGui::PushStyleColor(ImGuiCol_Button, chosen ? theme.accent : theme.sunken);
    ImGui::PushStyleColor(ImGuiCol_ButtonHovered, chosen ? theme.accent : theme.accent_soft);
    ImGui::PushStyleColor(ImGuiCol_Text, chosen ? theme.accent_ink : theme.ink);
    ImGui::PushStyleVar(ImGuiStyleVar_FramePadding, ImVec2(2, 8));
    if (ImGui::Button(choices[i].text, ImVec2(width, 0)) && !chosen) {
      choose(choices[i]);
      changed = true;
    }
    ImGui::PopStyleVar();
    ImGui::PopStyleColor(3);
  }
  ImGui::PopID();
  return changed;
}

template <typename Choices, typename Same, typename Choose>
bool Combo(const char* id, const Choices& choices, Same same, Choose choose, const char* other = "") {
  bool changed = false;
  const auto chosen = std::ranges::find_if(choices, same);
  if (!ImGui::BeginCombo(id, chosen != choices.end() ? chosen->text : other)) return false;
  for (const auto& choice : choices) {
    const bool is_chosen = same(choice);
    if (ImGui::Selectable(choice.text, is_chosen) && !is_chosen) {
      choose(choice);
      changed = true;
    }
    if (is_chosen) ImGui::SetItemDefaultFocus();
  }
  ImGui::EndCombo();
  return changed;
}

enum class Icon { kFirst, kBack, kPlay, kPause, kNext };

bool IconButton(const char* id, Icon icon, const char* tip, const Theme& theme, bool primary = false) {
  const float side = ImGui::GetFrameHeight();
  ImGui::PushStyleColor(ImGuiCol_Button, primary ? theme.levels : theme.sunken);
  ImGui::PushStyleColor(ImGuiCol_ButtonHovered, primary ? Mixed(theme.levels, theme.ink, 0.15F) : theme.accent_soft);
  const bool pressed = ImGui::Button(id, ImVec2(side * (primary ? 1.6F : 1.1F), side));
  ImGui::PopStyleColor(2);
  if (ImGui::IsItemHovered(ImGuiHoveredFlags_DelayShort)) ImGui::SetTooltip("%s", tip);
  const ImVec2 low = ImGui::GetItemRectMin();
  const ImVec2 high = ImGui::GetItemRectMax();
  const ImVec2 c{(low.x + high.x) / 2, (low.y + high.y) / 2};
  const float r = side * 0.2F;
  const ImU32 colour = ImGui::GetColorU32(primary ? theme.card : theme.ink);
  ImDrawList* draw = ImGui::GetWindowDrawList();
  const auto triangle = [&](float x, float turn) {
    draw->AddTriangleFilled({c.x + (x - r * turn), c.y - r * 1.2F}, {c.x + x + r * turn, c.y},
                            {c.x + (x - r * turn), c.y + r * 1.2F}, colour);
  };
  const auto bar = [&](float x) {
    draw->AddRectFilled({c.x + x - r * 0.35F, c.y - r * 1.2F}, {c.x + x + r * 0.35F, c.y + r * 1.2F}, colour, 1);
  };
  switch (icon) {
    case Icon::kFirst:
      bar(-r * 1.4F);
      triangle(r * 0.3F, -1);
      break;
    case Icon::kBack: triangle(0, -0.9F); break;
    case Icon::kPlay: triangle(0, 1); break;
    case Icon::kPause:
      bar(-r * 0.7F);
      bar(r * 0.7F);
      break;
    case Icon::kNext: triangle(0, 0.9F); break;
  }
  return pressed;
}

// Root scale, mirrored below zero where the rug is.
double Root(double y, void* /*unused*/) { return std::copysign(std::sqrt(std::fabs(y)), y); }
double Square(double y, void* /*unused*/) { return std::copysign(y * y, y); }

}  // namespace

void View::SetTheme(const Theme& theme) {
  theme_ = theme;
  ImGuiStyle& style = ImGui::GetStyle();
  style = ImGuiStyle();
  style.FontSizeBase = kTextSize;
  style.WindowPadding = ImVec2(10, 8);  // of popups and tooltips
  style.WindowBorderSize = 0;
  style.FrameRounding = 7;
  style.GrabRounding = 7;
  style.PopupRounding = 8;
  style.ScrollbarRounding = 7;
  style.FramePadding = ImVec2(10, 8);
  style.ItemSpacing = ImVec2(8, 6);
  style.GrabMinSize = 18;
  style.FrameBorderSize = 1;
  style.PopupBorderSize = 1;
  style.ScrollbarSize = 12;
  style.DisabledAlpha = 0.45F;
  style.TouchExtraPadding = ImVec2(2, 3);
  ImVec4* colours = style.Colors;
  for (int i = 0; i < ImGuiCol_COUNT; ++i) colours[i] = theme.sunken;
  colours[ImGuiCol_Text] = theme.ink;
  colours[ImGuiCol_TextDisabled] = theme.ink_soft;
  colours[ImGuiCol_WindowBg] = theme.card;
  colours[ImGuiCol_ChildBg] = Faded(theme.card, 0);
  colours[ImGuiCol_PopupBg] = theme.card;
  colours[ImGuiCol_Border] = theme.line;
  colours[ImGuiCol_BorderShadow] = Faded(theme.card, 0);
  colours[ImGuiCol_FrameBg] = theme.sunken;
  colours[ImGuiCol_FrameBgHovered] = theme.accent_soft;
  colours[ImGuiCol_FrameBgActive] = theme.accent_soft;
  colours[ImGuiCol_SliderGrab] = theme.accent;
  colours[ImGuiCol_SliderGrabActive] = theme.accent;
  colours[ImGuiCol_CheckMark] = theme.accent;
  colours[ImGuiCol_Button] = theme.sunken;
  colours[ImGuiCol_ButtonHovered] = theme.accent_soft;
  colours[ImGuiCol_ButtonActive] = theme.accent_soft;
  colours[ImGuiCol_Header] = theme.accent_soft;
  colours[ImGuiCol_HeaderHovered] = theme.accent_soft;
  colours[ImGuiCol_HeaderActive] = theme.accent_soft;
  colours[ImGuiCol_Separator] = theme.line;
  colours[ImGuiCol_ScrollbarBg] = Faded(theme.card, 0);
  colours[ImGuiCol_ScrollbarGrab] = theme.line;
  colours[ImGuiCol_ScrollbarGrabHovered] = theme.control_line;
  colours[ImGuiCol_ScrollbarGrabActive] = theme.control_line;
  colours[ImGuiCol_NavCursor] = theme.accent;

  ImPlotStyle& plot = ImPlot::GetStyle();
  plot = ImPlotStyle();
  plot.PlotPadding = ImVec2(0, 4);
  plot.LabelPadding = ImVec2(6, 6);
  plot.LegendPadding = ImVec2(8, 8);
  plot.LegendInnerPadding = ImVec2(8, 6);
  plot.PlotMinSize = ImVec2(100, 60);
  plot.MajorTickLen = ImVec2(5, 5);
  plot.MinorTickLen = ImVec2(3, 3);
  plot.PlotBorderSize = 0;
  plot.Colors[ImPlotCol_FrameBg] = Faded(theme.card, 0);
  plot.Colors[ImPlotCol_PlotBg] = theme.sunken;
  plot.Colors[ImPlotCol_PlotBorder] = theme.line;
  plot.Colors[ImPlotCol_LegendBg] = Faded(theme.card, 0.85F);
  plot.Colors[ImPlotCol_LegendBorder] = theme.line;
  plot.Colors[ImPlotCol_LegendText] = theme.ink;
  plot.Colors[ImPlotCol_InlayText] = theme.ink_soft;
  plot.Colors[ImPlotCol_AxisText] = theme.ink_soft;
  plot.Colors[ImPlotCol_AxisGrid] = Faded(theme.control_line, 0.22F);
  plot.Colors[ImPlotCol_AxisTick] = Faded(theme.control_line, 0.5F);
  plot.Colors[ImPlotCol_AxisBgHovered] = Faded(theme.accent_soft, 0.6F);
  plot.Colors[ImPlotCol_AxisBgActive] = Faded(theme.accent_soft, 0.8F);
}

float View::HeightFor(float width) {
  return width < kNarrow
             ? kFiguresHeight + kNarrowPlotHeight + kFilmHeight + kTransportHeight + kControlsHeight + 2 * kGap
             : kWideHeight;
}

bool View::Draw(ImVec2 size) {
  ImGui::SetNextWindowPos(ImVec2(0, 0));
  ImGui::SetNextWindowSize(size);
  ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, ImVec2(0, 0));
  ImGui::Begin("laboratory", nullptr,
               ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_NoMove | ImGuiWindowFlags_NoBackground |
                   ImGuiWindowFlags_NoSavedSettings | ImGuiWindowFlags_NoScrollWithMouse |
                   ImGuiWindowFlags_NoBringToFrontOnFocus);
  ImGui::PopStyleVar();
  bool changed = false;
  if (size.x < kNarrow) {
    DrawFigures(size.x);
    const float film = experiment_.has_film() ? kFilmHeight + kTransportHeight : kTransportHeight;
    DrawWeights(ImVec2(size.x, kNarrowPlotHeight + kFilmHeight + kTransportHeight - film));
    DrawFilm(ImVec2(size.x, film));
    ImGui::Dummy(ImVec2(0, kGap / 2));
    changed = DrawControls(size.x);
  } else {
    ImGui::BeginChild("panel", ImVec2(kPanelWidth, size.y));
    DrawFigures(kPanelWidth);
    ImGui::Dummy(ImVec2(0, kGap / 2));
    changed = DrawControls(kPanelWidth);
    ImGui::EndChild();
    ImGui::SameLine(0, kGap);
    ImGui::BeginChild("plots", ImVec2(size.x - kPanelWidth - kGap, size.y));
    const float width = ImGui::GetContentRegionAvail().x;
    const float film = experiment_.has_film() ? kFilmHeight : kTransportHeight;
    DrawWeights(ImVec2(width, size.y - film - kGap / 2));
    DrawFilm(ImVec2(width, film));
    ImGui::EndChild();
  }
  ImGui::End();
  return changed;
}

void View::DrawFigures(float width) {
  ImGui::BeginChild("figures", ImVec2(width, kFiguresHeight));
  char text[96];
  SmallText(theme_.ink_soft, "Signal over rounding error, all weights");
  const double sqnr = experiment_.distortion().sqnr_db;
  if (std::isfinite(sqnr)) {
    std::snprintf(text, sizeof text, "%.2f dB", sqnr);
  } else {
    std::snprintf(text, sizeof text, "exact");
  }
  ImGui::PushFont(nullptr, kFigureText);
  ImGui::PushStyleColor(ImGuiCol_Text, theme_.levels_ink);
  ImGui::TextUnformatted(experiment_.levels().levels.empty() ? "..." : text);
  ImGui::PopStyleColor();
  ImGui::PopFont();
  ImGui::PushFont(nullptr, kSmallText + 1);
  const References* references = experiment_.references();
  const auto row = [&](const char* name, double best) {
    if (references == nullptr || !std::isfinite(sqnr) || !std::isfinite(best)) {
      Row(theme_.ink_soft, name, "...");
      return;
    }
    std::snprintf(text, sizeof text, "%.2f dB  (%+.2f)", best, sqnr - best);
    Row(theme_.ink_soft, name, text);
  };
  row("full Lloyd-Max", references != nullptr ? references->lloyd_max_db : 0);
  row("optimum", references != nullptr ? references->optimal_db : 0);
  std::snprintf(text, sizeof text, "%.2f ms", experiment_.update_milliseconds());
  Row(theme_.ink_soft, "re-designed in", text);
  ImGui::PopFont();
  ImGui::EndChild();
}

bool View::DrawControls(float width) {
  DesignOptions options = experiment_.options();
  bool changed = false;
  const bool on_sample = UsesDensity(options.method);
  const auto label = [&](const char* text) { SmallText(theme_.ink_soft, text); };

  label("Method");
  ImGui::SetNextItemWidth(width);
  changed |= Combo(
      "##method", kMethodChoices, [&](const MethodChoice& c) { return c.method == options.method; },
      [&](const MethodChoice& c) {
        options.method = c.method;
        if (c.method == Method::kNf4) options.levels = 16;
      });

  char value[64];
  ImGui::BeginDisabled(options.method == Method::kNf4);
  std::snprintf(value, sizeof value, "%d", options.levels);
  changed |= Slider("##levels", "Levels", value, theme_, width, &options.levels, kMinLevels, kMostLevels);
  ImGui::EndDisabled();

  ImGui::BeginDisabled(!on_sample);
  auto count = static_cast<int>(options.sampling.count);
  std::snprintf(value, sizeof value, "%d of %d", static_cast<int>(experiment_.sample().values.size()),
                static_cast<int>(experiment_.histogram().population));
  if (Slider("##samples", "Sampled weights", value, theme_, width, &count, kMinSamples, kMaxSamples)) {
    options.sampling.count = static_cast<std::size_t>(count);
    changed = true;
  }
  ImGui::PushItemWidth(width);
  ImGui::BeginChild("sampling", ImVec2(width, ImGui::GetFrameHeight() + 2));
  changed |= Segments(
      "sampling", kSamplingChoices, theme_,
      [&](const SamplingChoice& c) { return c.sampling == options.sampling.sampling; },
      [&](const SamplingChoice& c) { options.sampling.sampling = c.sampling; });
  ImGui::EndChild();

  std::snprintf(value, sizeof value, "%.2f times the rule", options.density.factor);
  changed |= Slider("##factor", "Bandwidth", value, theme_, width, &options.density.factor, kMinFactor, kMaxFactor);
  ImGui::BeginChild("rule", ImVec2(width, ImGui::GetFrameHeight() + 2));
  changed |= Segments(
      "rule", kRuleChoices, theme_, [&](const RuleChoice& c) { return c.rule == options.density.rule; },
      [&](const RuleChoice& c) { options.density.rule = c.rule; });
  ImGui::EndChild();
  ImGui::PopItemWidth();
  ImGui::EndDisabled();

  label("Show");
  ImGui::BeginChild("range", ImVec2(width, ImGui::GetFrameHeight() + 2));
  struct RangeChoice {
    Range range;
    const char* text;
  };
  constexpr std::array kRanges{RangeChoice{Range::kLevels, "levels"}, RangeChoice{Range::kAll, "all weights"}};
  Segments(
      "range", kRanges, theme_, [&](const RangeChoice& c) { return c.range == range_; },
      [&](const RangeChoice& c) { range_ = c.range; });
  ImGui::EndChild();
  ImGui::Checkbox("stretch the tails", &stretch_tails_);

  if (changed) experiment_.SetOptions(options);
  return changed;
}

float View::KernelInsetWidth() {
  ImGui::PushFont(nullptr, kSmallText);
  const float text = ImGui::CalcTextSize("kernel, h = 0.0000").x;
  ImGui::PopFont();
  return text + 2 * kInsetPadding;
}

void View::DrawWeights(ImVec2 size) {
  const MomentHistogram& histogram = experiment_.histogram();
  const std::vector<double>& levels = experiment_.levels().levels;
  if (!experiment_.has_weights() || levels.empty()) {
    ImGui::Dummy(size);
    return;
  }
  const double span = std::max(histogram.max - histogram.min, 1e-30);
  double low = histogram.min - 0.02 * span;
  double high = histogram.max + 0.02 * span;
  const double inset = KernelInsetWidth() / size.x;
  const bool has_inset = inset < 0.25 && !experiment_.density().values.empty();
  if (range_ == Range::kLevels) {
    // The same throughout a film.
    const auto& first = experiment_.has_film() ? experiment_.film().front().levels : levels;
    const auto& last = experiment_.has_film() ? experiment_.film().back().levels : levels;
    low = std::min(first.front(), last.front());
    high = std::max(first.back(), last.back());
    const double reach = std::max(high - low, 1e-3 * span);
    // The kernel stands left of the first level.
    const double margin = 0.12 * reach;
    low -= std::max(margin, has_inset ? inset / (1 - inset) * (reach + margin) : 0);
    high += margin;
  }
  const bool has_legend = size.x > 480;  // it takes a line
  const ImPlotFlags flags = has_legend ? ImPlotFlags_CanvasOnly & ~ImPlotFlags_NoLegend : ImPlotFlags_CanvasOnly;
  if (!ImPlot::BeginPlot("##weights", size, flags)) return;
  ImPlot::SetupAxis(ImAxis_X1, weight_unit_.c_str(), ImPlotAxisFlags_NoMenus | ImPlotAxisFlags_NoSideSwitch);
  ImPlot::SetupAxis(
      ImAxis_Y1, nullptr,
      ImPlotAxisFlags_NoDecorations | ImPlotAxisFlags_Lock | ImPlotAxisFlags_NoHighlight | ImPlotAxisFlags_NoMenus);
  ImPlot::SetupAxisLimits(ImAxis_X1, low, high,
                          range_ == Range::kFree || dragging_level_ ? ImPlotCond_Once : ImPlotCond_Always);
  ImPlot::SetupAxisLimitsConstraints(ImAxis_X1, histogram.min - span, histogram.max + span);
  ImPlot::SetupAxisZoomConstraints(ImAxis_X1, span * 1e-4, span * 3);
  ImPlot::SetupLegend(ImPlotLocation_North, ImPlotLegendFlags_NoMenus | ImPlotLegendFlags_NoButtons |
                                                ImPlotLegendFlags_Outside | ImPlotLegendFlags_Horizontal);

  // The bars of what is visible, three pixels wide or more.
  const ImPlotRect view = ImPlot::GetPlotLimits();
  const Bars bars = GroupBins(histogram, view.X.Min, view.X.Max, static_cast<std::size_t>(std::max(size.x / 3, 8.0F)));
  const Density& density = experiment_.density();
  double top = 0;
  for (const double bar : bars.densities) top = std::max(top, bar);
  for (std::size_t i = 0; i < density.values.size(); ++i) {
    const double x = density.grid.Centre(i);
    if (x > view.X.Min && x < view.X.Max) top = std::max(top, density.values[i]);
  }
  if (!(top > 0)) top = 1;
  const double depth = stretch_tails_ ? 0.012 * top : 0.11 * top;  // of the rug
  ImPlot::SetupAxisLimits(ImAxis_Y1, -depth, 1.06 * top, ImPlotCond_Always);
  if (stretch_tails_) ImPlot::SetupAxisScale(ImAxis_Y1, Root, Square);
  ImPlot::SetupFinish();
  // Panning and zooming with the pointer frees the range.
  if (range_ != Range::kFree && ImPlot::IsPlotHovered() &&
      (ImGui::IsMouseDragging(0) || ImGui::GetIO().MouseWheel != 0) && !dragging_level_ && !ImGui::IsAnyItemActive()) {
    range_ = Range::kFree;
  }

  DrawCellUnderPointer(top);
  if (!bars.densities.empty()) {
    xs_.clear();
    for (std::size_t i = 0; i < bars.densities.size(); ++i) {
      xs_.push_back(bars.low + (static_cast<double>(i) + 0.5) * bars.width);
    }
    ImPlotSpec spec;
    spec.FillColor = Mixed(theme_.float_soft, theme_.float_line, 0.22F);
    spec.LineColor = Faded(theme_.card, 0);
    ImPlot::PlotBars("weights", xs_.data(), bars.densities.data(), static_cast<int>(xs_.size()), bars.width * 0.94,
                     spec);
  }
  if (!density.values.empty()) {
    xs_.clear();
    for (std::size_t i = 0; i < density.values.size(); ++i) xs_.push_back(density.grid.Centre(i));
    ImPlotSpec spec;
    spec.LineColor = theme_.float_line;
    spec.LineWeight = 2.2F;
    ImPlot::PlotLine("estimated density", xs_.data(), density.values.data(), static_cast<int>(xs_.size()), spec);
  }
  DrawLevels(top);
  if (!density.values.empty()) DrawRug(depth);
  if (has_inset) DrawKernel(top);
  ImPlot::EndPlot();
}

// The cell that the pointer is in, with its level and what falls to it.
void View::DrawCellUnderPointer(double top) {
  if (!ImPlot::IsPlotHovered() || dragging_level_ || ImGui::IsMouseDown(0)) return;
  const Codebook& codebook = experiment_.levels();
  const double x = ImPlot::GetPlotMousePos().x;
  const std::size_t cell = codebook.NearestLevel(x);
  const std::vector<double> thresholds = codebook.Thresholds();
  const MomentHistogram& histogram = experiment_.histogram();
  const double low = cell > 0 ? thresholds[cell - 1] : std::min(histogram.min, codebook.levels.front());
  const double high = cell < thresholds.size() ? thresholds[cell] : std::max(histogram.max, codebook.levels.back());
  const ImVec2 a = ImPlot::PlotToPixels(low, top * 1.06);
  const ImVec2 b = ImPlot::PlotToPixels(high, 0);
  ImPlot::PushPlotClipRect();
  ImPlot::GetPlotDrawList()->AddRectFilled(a, b, ImGui::GetColorU32(Faded(theme_.levels_soft, 0.75F)));
  ImPlot::PopPlotClipRect();
  ImGui::SetTooltip("level %d of %d: %.4g\nweights from %.4g to %.4g\n%.1f %% of all weights",
                    static_cast<int>(cell) + 1, static_cast<int>(codebook.levels.size()), codebook.levels[cell], low,
                    high, 100 * experiment_.Shares()[cell]);
}

void View::DrawLevels(double top) {
  const std::vector<double>& levels = experiment_.levels().levels;
  const std::vector<double> thresholds = experiment_.levels().Thresholds();
  ImDrawList* draw = ImPlot::GetPlotDrawList();
  ImPlot::PushPlotClipRect();
  const float dash = 4;
  for (const double threshold : thresholds) {
    const ImVec2 from = ImPlot::PlotToPixels(threshold, 0);
    const ImVec2 to = ImPlot::PlotToPixels(threshold, top * 1.06);
    for (float y = from.y; y > to.y; y -= 2 * dash) {
      draw->AddLine({from.x, y}, {from.x, std::max(y - dash, to.y)}, ImGui::GetColorU32(Faded(theme_.ink_soft, 0.45F)));
    }
  }
  ImPlot::PopPlotClipRect();
  // In the legend.
  ImPlotSpec spec;
  spec.LineColor = theme_.levels;
  spec.LineWeight = 2;
  ImPlot::PlotDummy("levels", spec);

  dragging_level_ = false;
  std::size_t in_hand = levels.size();
  const std::size_t count = levels.size();
  for (std::size_t i = 0; i < count; ++i) {
    double x = levels[i];
    bool held = false;
    bool hovered = false;
    // Drawn below, without the tool's handles at both ends.
    if (ImPlot::DragLineX(static_cast<int>(i), &x, Faded(theme_.levels, 0), 2, ImPlotDragToolFlags_NoFit, nullptr,
                          &hovered, &held)) {
      player_.Pause();
      experiment_.MoveLevel(i, x);
      film_start_ = FilmStart::kByHand;
    }
    dragging_level_ = dragging_level_ || held;
    if (hovered || held) in_hand = i;
  }
  ImPlot::PushPlotClipRect(4);
  const std::vector<double>& now = experiment_.levels().levels;
  for (std::size_t i = 0; i < now.size(); ++i) {
    const ImVec2 foot = ImPlot::PlotToPixels(now[i], 0);
    draw->AddLine(ImPlot::PlotToPixels(now[i], top * 1.06), foot, ImGui::GetColorU32(theme_.levels),
                  i == in_hand ? 3.5F : 2);
    draw->AddCircleFilled(foot, i == in_hand ? 7 : 5, ImGui::GetColorU32(theme_.levels));
    draw->AddCircle(foot, i == in_hand ? 7 : 5, ImGui::GetColorU32(theme_.card), 0, 1.5F);
  }
  ImPlot::PopPlotClipRect();
}

// The sampled weights under the axis, by pixel: where several fall on one it is darker.
void View::DrawRug(double depth) {
  const ImVec2 origin = ImPlot::GetPlotPos();
  const float width = ImPlot::GetPlotSize().x;
  columns_.assign(static_cast<std::size_t>(std::max(width, 1.0F)) + 1, 0);
  for (const double value : experiment_.sample().values) {
    const float x = ImPlot::PlotToPixels(value, 0).x - origin.x;
    if (x >= 0 && x <= width) columns_[static_cast<std::size_t>(x)] += 1;
  }
  const float from = ImPlot::PlotToPixels(0, -0.3 * depth).y;
  const float to = ImPlot::PlotToPixels(0, -depth).y;
  ImPlot::PushPlotClipRect();
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (columns_[i] <= 0) continue;
    const float x = origin.x + static_cast<float>(i);
    const float alpha = 1 - 0.65F * std::pow(0.75F, columns_[i] - 1);
    ImPlot::GetPlotDrawList()->AddRectFilled({x, from}, {x + 1, to},
                                             ImGui::GetColorU32(Faded(theme_.float_line, alpha)));
  }
  ImPlot::PopPlotClipRect();
  ImPlotSpec spec;
  spec.LineColor = Faded(theme_.float_line, 0.6F);
  ImPlot::PlotDummy("sampled weights", spec);
}

// The bell that is laid over each sampled weight, as wide as it is there.
void View::DrawKernel(double top) {
  const double width = experiment_.density().bandwidth;
  char text[48];
  std::snprintf(text, sizeof text, "kernel, h = %.3g", width);
  ImGui::PushFont(nullptr, kSmallText);
  const ImVec2 corner = ImPlot::GetPlotPos();
  const float half = ImGui::CalcTextSize(text).x / 2;
  const ImVec2 foot{corner.x + kInsetPadding + half, corner.y + 82};
  const auto pixels = static_cast<double>(ImPlot::PlotToPixels(width, top).x - ImPlot::PlotToPixels(0, top).x);
  ImDrawList* draw = ImPlot::GetPlotDrawList();
  ImPlot::PushPlotClipRect();
  // Of a range that was chosen freely, levels may pass behind it. The legend is above.
  draw->AddRectFilled({foot.x - half - kInsetPadding / 2, foot.y - 50},
                      {foot.x + half + kInsetPadding / 2, foot.y + kSmallText + 8}, ImGui::GetColorU32(theme_.sunken));
  draw->PathClear();
  for (int i = -30; i <= 30; ++i) {
    const double z = i / 10.0;
    draw->PathLineTo({foot.x + static_cast<float>(z * pixels), foot.y - 44 * static_cast<float>(std::exp(-z * z / 2))});
  }
  draw->PathStroke(ImGui::GetColorU32(theme_.float_line), 1.6F);
  draw->AddText({foot.x - half, foot.y + 4}, ImGui::GetColorU32(theme_.ink_soft), text);
  ImPlot::PopPlotClipRect();
  ImGui::PopFont();
}

void View::DrawFilm(ImVec2 size) {
  ImGui::BeginChild("film", size);
  DrawTransport();
  DrawCourse(ImVec2(size.x, ImGui::GetContentRegionAvail().y));
  ImGui::EndChild();
}

void View::DrawTransport() {
  const bool narrow = ImGui::GetContentRegionAvail().x < kNarrow * 0.7F;
  const std::size_t frames = experiment_.film().size();
  const std::size_t frame = experiment_.frame();
  if (player_.playing()) {
    if (IconButton("##pause", Icon::kPause, "Pause", theme_, true)) player_.Pause();
  } else if (IconButton("##play", Icon::kPlay, "Play Lloyd's iteration, step by step", theme_, true)) {
    player_.Play(film_start_);
  }
  ImGui::SameLine(0, 4);
  ImGui::BeginDisabled(frames == 0);
  if (IconButton("##first", Icon::kFirst, "First step", theme_)) {
    player_.Pause();
    experiment_.ShowFrame(0);
  }
  ImGui::SameLine(0, 4);
  if (IconButton("##back", Icon::kBack, "Step back", theme_)) {
    player_.Pause();
    experiment_.ShowFrame(frame > 0 ? frame - 1 : 0);
  }
  ImGui::SameLine(0, 4);
  if (IconButton("##next", Icon::kNext, "Step on", theme_)) {
    player_.Pause();
    experiment_.ShowFrame(frame + 1);
  }
  ImGui::EndDisabled();
  ImGui::SameLine(0, 12);
  ImGui::SetNextItemWidth(narrow ? ImGui::GetContentRegionAvail().x : 160);
  const bool changed = Combo(
      "##start", kStartChoices, [&](const StartChoice& c) { return c.start == film_start_; },
      [&](const StartChoice& c) { film_start_ = c.start; }, "moved by hand");
  if (changed) {
    player_.Pause();
    experiment_.StartFilm(film_start_);
  }
  if (frames == 0) {
    if (!narrow) {
      ImGui::SameLine(0, 12);
      ImGui::AlignTextToFramePadding();
      SmallTextThatFits(theme_.ink_soft,
                        {"Play to watch the levels find their places, or drag one.", "Play, or drag a level."});
    }
    return;
  }
  if (!narrow) ImGui::SameLine(0, 12);
  const float button = 72;
  auto shown = static_cast<int>(frame);
  char format[48];
  std::snprintf(format, sizeof format, "step %%d of %d", static_cast<int>(frames) - 1);
  ImGui::SetNextItemWidth(ImGui::GetContentRegionAvail().x - button - 8);
  if (ImGui::SliderInt("##frame", &shown, 0, std::max(static_cast<int>(frames) - 1, 1), format,
                       ImGuiSliderFlags_NoInput)) {
    player_.Pause();
    experiment_.ShowFrame(static_cast<std::size_t>(shown));
  }
  ImGui::SameLine(0, 8);
  if (ImGui::Button("Close", ImVec2(button, 0))) {
    player_.Pause();
    if (film_start_ == FilmStart::kByHand) film_start_ = FilmStart::kPlusPlus;
    experiment_.EndFilm();
  }
}

// SQNR step by step.
void View::DrawCourse(ImVec2 size) {
  const std::vector<FilmFrame>& film = experiment_.film();
  if (film.empty() || size.y < 60) {
    ImGui::Dummy(size);
    return;
  }
  xs_.clear();
  ys_.clear();
  double low = film.front().sqnr_db;
  double high = low;
  for (std::size_t i = 0; i < film.size(); ++i) {
    const double sqnr = std::isfinite(film[i].sqnr_db) ? film[i].sqnr_db : high;
    xs_.push_back(static_cast<double>(i));
    ys_.push_back(sqnr);
    low = std::min(low, sqnr);
    high = std::max(high, sqnr);
  }
  const References* references = experiment_.references();
  if (references != nullptr && std::isfinite(references->optimal_db)) high = std::max(high, references->optimal_db);
  const double margin = std::max(0.12 * (high - low), 0.05);
  if (!ImPlot::BeginPlot("##course", size, ImPlotFlags_CanvasOnly)) return;
  constexpr ImPlotAxisFlags kStill =
      ImPlotAxisFlags_Lock | ImPlotAxisFlags_NoMenus | ImPlotAxisFlags_NoHighlight | ImPlotAxisFlags_NoSideSwitch;
  ImPlot::SetupAxis(ImAxis_X1, nullptr, kStill);
  ImPlot::SetupAxis(ImAxis_Y1, "SQNR (dB)", kStill);
  ImPlot::SetupAxisLimits(ImAxis_X1, 0, std::max(static_cast<double>(film.size() - 1), 1.0), ImPlotCond_Always);
  ImPlot::SetupAxisLimits(ImAxis_Y1, low - margin, high + margin, ImPlotCond_Always);
  ImPlot::SetupFinish();
  if (references != nullptr) {
    const double best = references->optimal_db;
    ImPlotSpec spec;
    spec.LineColor = Faded(theme_.ink_soft, 0.8F);
    spec.Flags = ImPlotInfLinesFlags_Horizontal;
    ImPlot::PlotInfLines("optimum", &best, 1, spec);
    ImPlot::PlotText("optimum", static_cast<double>(film.size() - 1), best, ImVec2(-34, 10));
  }
  ImPlotSpec spec;
  spec.LineColor = theme_.levels;
  spec.LineWeight = 2.2F;
  ImPlot::PlotLine("SQNR", xs_.data(), ys_.data(), static_cast<int>(xs_.size()), spec);
  double at = static_cast<double>(experiment_.frame());
  if (ImPlot::DragLineX(0, &at, theme_.ink_soft, 1.5F, ImPlotDragToolFlags_NoFit)) {
    player_.Pause();
    experiment_.ShowFrame(static_cast<std::size_t>(std::max(std::lround(at), 0L)));
  }
  const ImVec2 point = ImPlot::PlotToPixels(static_cast<double>(experiment_.frame()), ys_[experiment_.frame()]);
  ImPlot::GetPlotDrawList()->AddCircleFilled(point, 5, ImGui::GetColorU32(theme_.levels));
  ImPlot::EndPlot();
}

}  // namespace kdequant::lab
