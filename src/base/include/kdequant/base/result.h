// kdequant/base/result.h
// How a function says that it could not do its work: a code for programs and a sentence for people.
#ifndef KDEQUANT_BASE_RESULT_H_
#define KDEQUANT_BASE_RESULT_H_

#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace kdequant {

/// What kind of failure it is. The sentence says which one.
enum class ErrorCode {
  kUsage,           ///< An option or argument that makes no sense.
  kBadInput,        ///< A file or buffer that is not what it should be (truncated, cyclic, contradictory shapes...).
  kUnsupported,     ///< A well-formed input that uses something kdequant does not do (operator, opset, data type...).
  kNotFinite,       ///< A NaN or an infinity among the weights or activations.
  kEmptySample,     ///< Nothing to estimate from: no weights.
  kConstantSample,  ///< Every weight is equal: there is nothing to estimate.
  kLimit,           ///< Larger than a limit that protects the machine.
  kOutOfMemory,
  kCannotRead,   ///< The file is missing or unreadable.
  kCannotWrite,  ///< The output could not be written; what was there before is whole.
  kCancelled,    ///< The caller asked to stop.
  kInternal,     ///< A mistake of ours.
};

/// The stable name of a code ("bad-input", "unsupported"...), for JSON and JavaScript.
std::string_view ErrorCodeName(ErrorCode code);

/// A failure. `message` is one sentence that names the place (file, layer, node) and says what to do; `layer` is the
/// layer or node alone, where there is one, so that a user interface can point at it.
///
/// Errors are moved at every return on the way out, thousands of places: so the moves are functions of their own.
struct Error {
  Error();
  Error(ErrorCode code, std::string message, std::string layer);
  Error(const Error&);
  Error(Error&&) noexcept;
  Error& operator=(const Error&);
  Error& operator=(Error&&) noexcept;
  ~Error();

  ErrorCode code = ErrorCode::kInternal;
  std::string message;
  std::string layer;
};

template <typename T>
using Result = std::expected<T, Error>;

/// `return Fail(ErrorCode::kBadInput, "...");` from any function that returns a Result.
std::unexpected<Error> Fail(ErrorCode code, std::string message, std::string layer = {});

/// Hands the error of `result` on: `if (!r) return Forward(r);`
template <typename T>
std::unexpected<Error> Forward(Result<T>& result) {
  return std::unexpected(std::move(result.error()));
}

}  // namespace kdequant

#endif  // KDEQUANT_BASE_RESULT_H_
