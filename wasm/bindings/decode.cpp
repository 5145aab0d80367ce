// The decoder's module: picture files to pixels by stb_image, where no browser does it or the same bits are wanted
// everywhere.
#include "kdequant/vision/decode.h"

#include <emscripten/bind.h>

#include "interop.h"
#include "pixels.h"

namespace kdequant::wasm {
namespace {

/// The picture in the first `length` bytes of `file`: { width, height, data: RGBA }, or a failure.
emscripten::val Decode(const Bytes& file, double length) {
  return Guard([&]() -> Result<emscripten::val> {
    auto image = DecodeImage(file.First(length));
    if (!image) {
      // The room's sentences begin behind the name of the file.
      image.error().message.insert(0, "the picture file ");
      return Forward(image);
    }
    const auto rgba = ToRgba(*image);
    emscripten::val result = emscripten::val::object();
    result.set("width", image->width);
    result.set("height", image->height);
    result.set("data", emscripten::val::global("Uint8ClampedArray").new_(ViewOf(std::span<const std::uint8_t>(rgba))));
    return result;
  });
}

}  // namespace

EMSCRIPTEN_BINDINGS(kdequant_decode) {
  emscripten::class_<Bytes>("Bytes")
      .smart_ptr<std::shared_ptr<Bytes>>("Bytes")
      .class_function("create", &Bytes::Create)
      .function("view", &Bytes::View);
  emscripten::function("decode", &Decode);
}

}  // namespace kdequant::wasm
