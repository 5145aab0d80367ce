#include "output_file.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace kdequant {
namespace {

namespace fs = std::filesystem;

class TestFolder {
 public:
  TestFolder() {
    std::string name = (fs::temp_directory_path() / "kdequant-test-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~TestFolder() { fs::remove_all(path_); }
  fs::path operator/(const char* name) const { return path_ / name; }
  std::size_t FileCount() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(path_), fs::directory_iterator()));
  }

 private:
  fs::path path_;
};

std::string Content(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

const std::vector<std::uint8_t> kNew{'n', 'e', 'w'};

TEST_CASE("The old file stays whole until the new one is complete, and nothing else is left behind") {
  const TestFolder folder;
  const fs::path target = folder / "model.onnx";
  std::ofstream(target) << "old";
  {
    auto output = OutputFile::Open(target);
    REQUIRE(output.has_value());
    CHECK(Content(target) == "old");
  }
  CHECK(Content(target) == "old");
  CHECK(folder.FileCount() == 1);
  auto output = OutputFile::Open(target);
  CHECK(output->Commit(kNew).has_value());
  CHECK(Content(target) == "new");
  CHECK(folder.FileCount() == 1);
}

TEST_CASE("An old file's permissions are kept, and a new file gets the ordinary ones") {
  const TestFolder folder;
  const fs::path old = folder / "old";
  std::ofstream(old) << "old";
  chmod(old.c_str(), 0640);
  CHECK(OutputFile::Open(old)->Commit(kNew).has_value());
  CHECK(fs::status(old).permissions() == fs::perms(0640));
  const mode_t mask = umask(022);
  CHECK(OutputFile::Open(folder / "fresh")->Commit(kNew).has_value());
  umask(mask);
  CHECK(fs::status(folder / "fresh").permissions() == fs::perms(0644));
}

TEST_CASE("A symbolic link stays a link, and the file that it names is replaced") {
  const TestFolder folder;
  std::ofstream(folder / "real") << "old";
  fs::create_symlink("real", folder / "link");
  CHECK(OutputFile::Open(folder / "link")->Commit(kNew).has_value());
  CHECK(fs::is_symlink(folder / "link"));
  CHECK(Content(folder / "real") == "new");
}

TEST_CASE("Unwritable places are found when the file is opened, and full disks when it is written") {
  const TestFolder folder;
  const auto missing = OutputFile::Open(folder / "none/model.onnx");
  REQUIRE(!missing.has_value());
  CHECK(missing.error().code == ErrorCode::kCannotWrite);
  CHECK(missing.error().message.find("none/model.onnx") != std::string::npos);
  fs::create_directory(folder / "folder");
  CHECK(OutputFile::Open(folder / "folder").error().message.find("it is a folder") != std::string::npos);
  if (fs::exists("/dev/full"))
    CHECK(OutputFile::Open("/dev/full")->Commit(kNew).error().code == ErrorCode::kCannotWrite);
  CHECK(OutputFile::Open("/dev/null")->Commit(kNew).has_value());
}

}  // namespace
}  // namespace kdequant
