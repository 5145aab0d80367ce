#include "kdequant/base/result.h"

namespace kdequant {

std::string_view ErrorCodeName(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUsage: return "usage";
    case ErrorCode::kBadInput: return "bad-input";
    case ErrorCode::kUnsupported: return "unsupported";
    case ErrorCode::kNotFinite: return "not-finite";
    case ErrorCode::kEmptySample: return "empty-sample";
    case ErrorCode::kConstantSample: return "constant-sample";
    case ErrorCode::kLimit: return "limit";
    case ErrorCode::kOutOfMemory: return "out-of-memory";
    case ErrorCode::kCannotRead: return "cannot-read";
    case ErrorCode::kCannotWrite: return "cannot-write";
    case ErrorCode::kCancelled: return "cancelled";
    case ErrorCode::kInternal: return "internal";
  }
  return "internal";
}

Error::Error() = default;
Error::Error(ErrorCode c, std::string m, std::string l) : code(c), message(std::move(m)), layer(std::move(l)) {}
Error::Error(const Error&) = default;
Error::Error(Error&&) noexcept = default;
Error& Error::operator=(const Error&) = default;
Error& Error::operator=(Error&&) noexcept = default;
Error::~Error() = default;

std::unexpected<Error> Fail(ErrorCode code, std::string message, std::string layer) {
  return std::unexpected(Error{code, std::move(message), std::move(layer)});
}

}  // namespace kdequant
