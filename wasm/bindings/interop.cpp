#include "interop.h"

#include <algorithm>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <vector>

namespace kdequant::wasm {

using emscripten::val;

namespace {

std::unexpected<Error> OutOfMemory() {
  return Fail(ErrorCode::kOutOfMemory, "out of memory; close other models or sessions, or use a smaller model");
}

}  // namespace

val ToFailure(const Error& error) {
  val failure = val::object();
  failure.set("code", std::string(ErrorCodeName(error.code)));
  failure.set("message", error.message);
  failure.set("layer", error.layer);
  val wrapped = val::object();
  wrapped.set("failure", failure);
  return wrapped;
}

val Catch(val (*body)(void* context), void* context) {
  try {
    return body(context);
  } catch (const std::bad_alloc&) {
    return ToFailure(OutOfMemory().error());
  } catch (const std::exception& error) {
    return ToFailure({ErrorCode::kInternal, std::string("unexpected: ") + error.what(), {}});
  }
}

Result<void> CheckMemory(double bytes, double piece) {
  if (bytes >= 4294967296.0) return OutOfMemory();
  std::vector<Buffer<std::uint8_t>> pieces;
  for (double left = bytes; left >= 1; left -= piece) {
    pieces.emplace_back(static_cast<std::size_t>(std::min(left, piece)));
    if (pieces.back().size() == 0) return OutOfMemory();
  }
  return {};
}

val Bytes::Create(double size) {
  return Guard([&]() -> Result<std::shared_ptr<Bytes>> {
    if (!(size >= 1)) return Fail(ErrorCode::kBadInput, "the file is empty; give the bytes of an ONNX model");
    Buffer<std::uint8_t> bytes;
    if (size < 4294967296.0) bytes = Buffer<std::uint8_t>(static_cast<std::size_t>(size));
    if (bytes.size() == 0) {
      return Fail(ErrorCode::kOutOfMemory, "no memory for a file of " +
                                               std::to_string(static_cast<std::uint64_t>(size)) +
                                               " bytes; close other models, or use a smaller one");
    }
    return std::make_shared<Bytes>(std::move(bytes));
  });
}

val Bytes::View(double offset, double length) {
  return ViewOf(bytes_.span().subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(length)));
}

}  // namespace kdequant::wasm
