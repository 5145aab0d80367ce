#include "canvas.h"

#include <GLES3/gl3.h>
#include <imgui_impl_opengl3.h>
#include <implot.h>

#include <algorithm>
#include <cfloat>
#include <utility>

namespace kdequant::lab {

std::unique_ptr<Canvas> Canvas::Attach(const std::string& selector, std::vector<unsigned char> font) {
  EmscriptenWebGLContextAttributes attributes;
  emscripten_webgl_init_context_attributes(&attributes);
  attributes.majorVersion = 2;
  attributes.alpha = false;
  attributes.depth = false;
  attributes.antialias = false;  // ImGui smooths its edges itself
  const auto context = emscripten_webgl_create_context(selector.c_str(), &attributes);
  if (context <= 0 || emscripten_webgl_make_context_current(context) != EMSCRIPTEN_RESULT_SUCCESS) return nullptr;
  return std::unique_ptr<Canvas>(new Canvas(context, std::move(font)));
}

Canvas::Canvas(EMSCRIPTEN_WEBGL_CONTEXT_HANDLE context, std::vector<unsigned char> font)
    : context_(context), font_(std::move(font)) {
  ImGui::CreateContext();
  ImPlot::CreateContext();
  ImGuiIO& io = ImGui::GetIO();
  io.IniFilename = nullptr;
  io.LogFilename = nullptr;
  io.ConfigDragClickToInputText = false;
  ImFontConfig config;
  config.FontDataOwnedByAtlas = false;
  io.Fonts->AddFontFromMemoryTTF(font_.data(), static_cast<int>(font_.size()), 0, &config);
  ImGui_ImplOpenGL3_Init("#version 300 es");
}

Canvas::~Canvas() {
  emscripten_webgl_make_context_current(context_);
  ImGui_ImplOpenGL3_Shutdown();
  ImPlot::DestroyContext();
  ImGui::DestroyContext();
  emscripten_webgl_destroy_context(context_);
}

void Canvas::MovePointer(float x, float y, bool touch) {
  ImGuiIO& io = ImGui::GetIO();
  if (touch) {
    io.ConfigFlags |= ImGuiConfigFlags_IsTouchScreen;
  } else {
    io.ConfigFlags &= ~ImGuiConfigFlags_IsTouchScreen;
  }
  io.AddMouseSourceEvent(touch ? ImGuiMouseSource_TouchScreen : ImGuiMouseSource_Mouse);
  io.AddMousePosEvent(x, y);
}

void Canvas::LeavePointer() { ImGui::GetIO().AddMousePosEvent(-FLT_MAX, -FLT_MAX); }

void Canvas::PressPointer(int button, bool down) { ImGui::GetIO().AddMouseButtonEvent(button, down); }

void Canvas::TurnWheel(float x, float y) { ImGui::GetIO().AddMouseWheelEvent(x, y); }

void Canvas::LoseFocus() { ImGui::GetIO().AddFocusEvent(false); }

void Canvas::Begin(double now, float width, float height, float density) {
  emscripten_webgl_make_context_current(context_);
  ImGuiIO& io = ImGui::GetIO();
  io.DisplaySize = ImVec2(width, height);
  io.DisplayFramebufferScale = ImVec2(density, density);
  io.DeltaTime = last_ > 0 ? std::clamp(static_cast<float>(now - last_) / 1000, 1e-4F, 0.1F) : 1.0F / 60;
  last_ = now;
  ImGui_ImplOpenGL3_NewFrame();
  ImGui::NewFrame();
}

void Canvas::End(const ImVec4& background) {
  ImGui::Render();
  const ImGuiIO& io = ImGui::GetIO();
  glViewport(0, 0, static_cast<int>(io.DisplaySize.x * io.DisplayFramebufferScale.x),
             static_cast<int>(io.DisplaySize.y * io.DisplayFramebufferScale.y));
  glClearColor(background.x, background.y, background.z, 1);
  glClear(GL_COLOR_BUFFER_BIT);
  ImGui_ImplOpenGL3_RenderDrawData(ImGui::GetDrawData());
}

const char* Canvas::Cursor() {
  switch (ImGui::GetMouseCursor()) {
    case ImGuiMouseCursor_ResizeEW: return "ew-resize";
    case ImGuiMouseCursor_ResizeNS: return "ns-resize";
    case ImGuiMouseCursor_ResizeAll: return "move";
    case ImGuiMouseCursor_Hand: return "pointer";
    default: return ImGui::IsAnyItemHovered() ? "pointer" : "default";
  }
}

}  // namespace kdequant::lab
