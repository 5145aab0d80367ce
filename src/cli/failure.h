// How the command says that it could not do its work.
#ifndef KDEQUANT_CLI_FAILURE_H_
#define KDEQUANT_CLI_FAILURE_H_

#include "json.h"
#include "kdequant/base/result.h"

namespace kdequant {

/// The command's exit codes.
enum ExitCode {
  kExitDone = 0,
  kExitInternal = 1,
  kExitUsage = 2,
  kExitBadInput = 3,
  kExitLimit = 4,
  kExitCannotWrite = 5,
  kExitCancelled = 130
};

ExitCode ExitCodeOf(ErrorCode code);

/// The sentence on standard error.
void PrintError(const Error& error);

/// The `error` member of a JSON object: {"code", "message", "layer"}.
void WriteError(const Error& error, Json& json);

/// The sentence on standard error and, for `json`, the failure object on standard output. Returns the exit code.
ExitCode ReportFailure(const Error& error, bool json);

/// Prints what a command has to say. kExitCannotWrite if standard output does not take it.
ExitCode PrintResult(std::string_view text);

}  // namespace kdequant

#endif  // KDEQUANT_CLI_FAILURE_H_
