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

}  // namespace kdequant
