// How C++ and JavaScript hand each other results, failures and memory.
//
// A binding never throws into JavaScript: it returns the value, or an object { failure: { code, message, layer } } that
// the TypeScript side turns into a KdequantError. Large data crosses as a view into this module's memory, copied once
// by the caller at once: any later call may grow the memory and detach the view.
#ifndef KDEQUANT_WASM_INTEROP_H_
#define KDEQUANT_WASM_INTEROP_H_

#include <emscripten/val.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "kdequant/base/buffer.h"
#include "kdequant/base/result.h"

namespace kdequant::wasm {

/// { failure: { code, message, layer } }
emscripten::val ToFailure(const Error& error);

/// What `body(context)` returns, or the failure that stands for the exception it ended with. Only this is compiled with
/// exceptions (see cmake/Room.cmake).
emscripten::val Catch(emscripten::val (*body)(void* context), void* context);

/// kOutOfMemory unless `bytes` more can be had, `piece` of them at a time. To be asked before work that needs much:
/// what the rooms hold when they run out of memory in the middle of it is lost (see cmake/Room.cmake). Memory grows for
/// what no gap in it has room for, and stays that large: a piece must be no larger than the work's own.
Result<void> CheckMemory(double bytes, double piece);

/// Runs `body`, which returns Result<T> of something that converts to a val. Libraries below us may throw (the
/// allocator throws std::bad_alloc, a model too large for 4 GB is an everyday case): here it ends.
template <typename Body>
emscripten::val Guard(Body body) {
  return Catch(
      [](void* context) {
        auto result = (*static_cast<Body*>(context))();
        if (!result) return ToFailure(result.error());
        if constexpr (std::is_void_v<typename decltype(result)::value_type>) {
          return emscripten::val::undefined();
        } else {
          return emscripten::val(*std::move(result));
        }
      },
      &body);
}

template <typename T>
emscripten::val ViewOf(std::span<T> values) {
  return emscripten::val(emscripten::typed_memory_view(values.size(), values.data()));
}

/// Bytes that JavaScript fills, for a model file that is read from here without another copy.
class Bytes {
 public:
  explicit Bytes(Buffer<std::uint8_t> bytes) : bytes_(std::move(bytes)) {}

  /// A Bytes, or a failure.
  static emscripten::val Create(double size);

  /// A Uint8Array over [offset, offset + length), to be written to at once. JavaScript keeps within the size it asked
  /// for.
  emscripten::val View(double offset, double length);
  /// The first `length` bytes.
  std::span<const std::uint8_t> First(double length) const {
    return bytes_.span().first(static_cast<std::size_t>(length));
  }

 private:
  Buffer<std::uint8_t> bytes_;
};

}  // namespace kdequant::wasm

#endif  // KDEQUANT_WASM_INTEROP_H_
