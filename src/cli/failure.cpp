#include "failure.h"

#include <cstdio>

namespace kdequant {

ExitCode ExitCodeOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUsage: return kExitUsage;
    case ErrorCode::kBadInput:
    case ErrorCode::kUnsupported:
    case ErrorCode::kNotFinite:
    case ErrorCode::kEmptySample:
    case ErrorCode::kConstantSample:
    case ErrorCode::kCannotRead: return kExitBadInput;
    case ErrorCode::kLimit:
    case ErrorCode::kOutOfMemory: return kExitLimit;
    case ErrorCode::kCannotWrite: return kExitCannotWrite;
    case ErrorCode::kCancelled: return kExitCancelled;
    case ErrorCode::kInternal: return kExitInternal;
  }
  return kExitInternal;
}

void PrintError(const Error& error) { std::fprintf(stderr, "error: %s\n", error.message.c_str()); }

void WriteError(const Error& error, Json& json) {
  json.Key("error").Begin().Field("code", ErrorCodeName(error.code)).Field("message", std::string_view(error.message));
  json.Key("layer");
  json.Value(error.layer.empty() ? std::nullopt : std::optional<std::string_view>(error.layer));
  json.End();
}

ExitCode ReportFailure(const Error& error, bool json) {
  PrintError(error);
  if (json) {
    Json object;
    object.Begin();
    WriteError(error, object);
    object.End();
    PrintResult(object.text());
  }
  return ExitCodeOf(error.code);
}

ExitCode PrintResult(std::string_view text) {
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() &&
                       (text.ends_with('\n') || std::fputc('\n', stdout) != EOF) && std::fflush(stdout) == 0;
  if (written) return kExitDone;
  PrintError({ErrorCode::kCannotWrite, "standard output does not take the result", {}});
  return kExitCannotWrite;
}

}  // namespace kdequant
