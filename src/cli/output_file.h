// A file that is either written whole or not touched.
#ifndef KDEQUANT_CLI_OUTPUT_FILE_H_
#define KDEQUANT_CLI_OUTPUT_FILE_H_

#include <cstdint>
#include <filesystem>
#include <span>

#include "kdequant/base/result.h"

namespace kdequant {

/// Writes beside the target and renames at the end, so that whatever happens in between, the old file stays whole. What
/// is no regular file (a device, a pipe) is written directly.
class OutputFile {
 public:
  /// Creates the file beside, so that an unwritable place is found before any long work. Errors: kCannotWrite, naming
  /// the file.
  static Result<OutputFile> Open(const std::filesystem::path& path);

  OutputFile(OutputFile&& other) noexcept;
  OutputFile& operator=(OutputFile&&) = delete;
  ~OutputFile();  ///< Removes the file beside, if it has not become the target.

  /// Writes everything and puts it in the place of the target. Call once. Errors: kCannotWrite.
  Result<void> Commit(std::span<const std::uint8_t> bytes);

 private:
  OutputFile(std::filesystem::path target, std::filesystem::path beside, int descriptor)
      : target_(std::move(target)), beside_(std::move(beside)), descriptor_(descriptor) {}
  std::unexpected<Error> Refuse(int system_error) const;

  std::filesystem::path target_;
  std::filesystem::path beside_;  // empty: written directly
  int descriptor_ = -1;
};

}  // namespace kdequant

#endif  // KDEQUANT_CLI_OUTPUT_FILE_H_
