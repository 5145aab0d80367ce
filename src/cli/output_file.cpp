#include "output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>
#include <system_error>
#include <utility>

namespace kdequant {
namespace {

namespace fs = std::filesystem;

std::unexpected<Error> CannotWrite(const fs::path& path, const std::string& why) {
  return Fail(ErrorCode::kCannotWrite, path.string() + ": cannot be written: " + why);
}

// The permissions that an ordinary new file gets; mkstemp's are narrower.
mode_t OrdinaryMode() {
  const mode_t mask = umask(0);
  umask(mask);
  return 0666 & ~mask;
}

}  // namespace

Result<OutputFile> OutputFile::Open(const fs::path& path) {
  std::error_code error;
  // Through a symbolic link: the file that it names is replaced, not the link.
  const fs::path target = fs::is_symlink(path, error) ? fs::weakly_canonical(path, error) : path;
  const auto status = fs::status(target, error);
  if (fs::is_directory(status)) return CannotWrite(path, "it is a folder");
  if (fs::exists(status) && !fs::is_regular_file(status)) {
    const int descriptor = open(target.c_str(), O_WRONLY | O_CLOEXEC);
    if (descriptor < 0) return CannotWrite(path, std::generic_category().message(errno));
    return OutputFile(target, {}, descriptor);
  }
  if (fs::exists(status) && access(target.c_str(), W_OK) != 0) {
    return CannotWrite(path, std::generic_category().message(errno));
  }
  std::string beside = target.string() + ".XXXXXX";
  const int descriptor = mkstemp(beside.data());
  if (descriptor < 0) return CannotWrite(path, std::generic_category().message(errno));
  struct stat old{};
  const bool exists = stat(target.c_str(), &old) == 0;
  fchmod(descriptor, exists ? old.st_mode & 0777 : OrdinaryMode());
  return OutputFile(target, beside, descriptor);
}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : target_(std::move(other.target_)),
      beside_(std::exchange(other.beside_, {})),
      descriptor_(std::exchange(other.descriptor_, -1)) {}

OutputFile::~OutputFile() {
  if (descriptor_ >= 0) close(descriptor_);
  if (!beside_.empty()) unlink(beside_.c_str());
}

std::unexpected<Error> OutputFile::Refuse(int system_error) const {
  return CannotWrite(target_, std::generic_category().message(system_error));
}

Result<void> OutputFile::Commit(std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return Refuse(errno);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  // On the disk before the rename: after a power cut there is the old file or the new one, not an empty one.
  if (!beside_.empty() && fsync(descriptor_) != 0) return Refuse(errno);
  if (close(std::exchange(descriptor_, -1)) != 0) return Refuse(errno);
  if (beside_.empty()) return {};
  if (rename(beside_.c_str(), target_.c_str()) != 0) return Refuse(errno);
  beside_.clear();
  return {};
}

}  // namespace kdequant
