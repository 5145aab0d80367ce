// The page's canvas as a place for Dear ImGui to draw on and hear from: a WebGL2 context, and what pointers and keys
// do.
#ifndef KDEQUANT_WEB_LAB_CANVAS_H_
#define KDEQUANT_WEB_LAB_CANVAS_H_

#include <emscripten/html5_webgl.h>
#include <imgui.h>

#include <memory>
#include <string>
#include <vector>

namespace kdequant::lab {

/// Positions and sizes are in the page's pixels; a picture is drawn `density` times as fine. The page hands events on
/// and says when to draw: nothing here listens or asks for frames.
class Canvas {
 public:
  /// On the canvas that `selector` finds, with the TrueType font `font`. Null where there is no WebGL2.
  static std::unique_ptr<Canvas> Attach(const std::string& selector, std::vector<unsigned char> font);
  ~Canvas();
  Canvas(const Canvas&) = delete;
  Canvas& operator=(const Canvas&) = delete;

  void MovePointer(float x, float y, bool touch);
  void LeavePointer();
  void PressPointer(int button, bool down);
  void TurnWheel(float x, float y);
  /// The page has lost the keyboard: whatever was held is let go.
  void LoseFocus();

  /// Begins a frame at `now` milliseconds; draw with ImGui, then End.
  void Begin(double now, float width, float height, float density);
  void End(const ImVec4& background);

  /// The CSS name of the cursor that suits what lies under the pointer.
  static const char* Cursor();

 private:
  Canvas(EMSCRIPTEN_WEBGL_CONTEXT_HANDLE context, std::vector<unsigned char> font);

  EMSCRIPTEN_WEBGL_CONTEXT_HANDLE context_;
  std::vector<unsigned char> font_;  // ImGui reads glyphs from it as they are needed
  double last_ = 0;
};

}  // namespace kdequant::lab

#endif  // KDEQUANT_WEB_LAB_CANVAS_H_
