#include "kdequant/classify/image_files.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <string>

namespace kdequant {
namespace {

namespace fs = std::filesystem;

// A folder that goes away with the test.
class TestFolder {
 public:
  TestFolder() {
    std::string name = (fs::temp_directory_path() / "kdequant-test-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~TestFolder() { fs::remove_all(path_); }
  fs::path Write(const std::string& name, const std::string& content) const {
    std::ofstream(path_ / name, std::ios::binary) << content;
    return path_ / name;
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

const std::string kRedPixel = "P6\n1 1\n255\n\xff" + std::string(2, '\0');

TEST_CASE("A folder gives its pictures by name, and nothing else") {
  const TestFolder folder;
  folder.Write("b.PPM", kRedPixel);
  folder.Write("a.ppm", kRedPixel);
  folder.Write("notes.txt", "no picture");
  fs::create_directory(folder.path() / "c.png");
  const auto images = OpenFolder(folder.path(), std::nullopt);
  REQUIRE(images.has_value());
  REQUIRE((*images)->size() == 2);
  CHECK(fs::path((*images)->Name(0)).filename() == "a.ppm");
  CHECK(!(*images)->Label(0).has_value());
  CHECK((*images)->Load(1)->rgb == std::vector<std::uint8_t>{255, 0, 0});
}

TEST_CASE("With a label table, its files are the pictures, in its order") {
  const TestFolder folder;
  for (const char* name : {"a.ppm", "b.ppm", "c.ppm"}) folder.Write(name, kRedPixel);
  const auto table = folder.Write("labels.csv", "file,class_index\nc.ppm,5\na.ppm,2\n");
  const auto images = OpenFolder(folder.path(), table);
  REQUIRE(images.has_value());
  REQUIRE((*images)->size() == 2);
  CHECK(fs::path((*images)->Name(0)).filename() == "c.ppm");
  CHECK((*images)->Label(0) == 5);
  const auto wrong = folder.Write("wrong.csv", "file,class_index\na.ppm,1\nmissing.ppm,1\n");
  const auto refused = OpenFolder(folder.path(), wrong);
  REQUIRE(!refused.has_value());
  CHECK(refused.error().code == ErrorCode::kBadInput);
  CHECK(refused.error().message.find("line 3 names \"missing.ppm\"") != std::string::npos);
}

TEST_CASE(
    "Raw pictures and their labels are read one by one, and sizes that do not fit are refused with both numbers") {
  const TestFolder folder;
  std::string pixels;
  for (int i = 0; i < 3 * 2 * 1 * 3; ++i) pixels += static_cast<char>(i);
  const auto file = folder.Write("images.u8", pixels);
  const auto labels = folder.Write("labels.i32", std::string("\x07\0\0\0\x01\x02\0\0\xff\xff\xff\xff", 12));
  const auto images = OpenRawImages(file, {.height = 2, .width = 1}, labels);
  REQUIRE(images.has_value());
  REQUIRE((*images)->size() == 3);
  CHECK((*images)->Label(1) == 513);
  CHECK((*images)->Label(2) == -1);
  const auto image = (*images)->Load(1);
  CHECK(image->width == 1);
  CHECK(image->height == 2);
  CHECK(image->rgb == std::vector<std::uint8_t>{6, 7, 8, 9, 10, 11});
  CHECK(OpenRawImages(file, {.height = 2, .width = 2}, labels).error().message.find("18 bytes") != std::string::npos);
  const auto few = folder.Write("few.i32", "1234");
  CHECK(OpenRawImages(file, {.height = 2, .width = 1}, few).error().code == ErrorCode::kBadInput);
}

TEST_CASE("A raw shape is HEIGHTxWIDTHx3 and nothing else") {
  CHECK(ParseRawShape("32x48x3")->height == 32);
  CHECK(ParseRawShape("32x48x3")->width == 48);
  for (const char* wrong :
       {"", "32", "32x32", "32x32x1", "0x32x3", "-1x32x3", "32x32x3x", "3x32x32", "axbx3", "99999x1x3"}) {
    CAPTURE(wrong);
    CHECK(!ParseRawShape(wrong).has_value());
  }
}

TEST_CASE("Files that are missing, folders or no pictures are refused by name") {
  const TestFolder folder;
  CHECK(ReadFile(folder.path() / "none").error().message.find("none: no such file") != std::string::npos);
  CHECK(ReadFile(folder.path()).error().message.find("is a folder") != std::string::npos);
  CHECK(ReadFile(folder.Write("empty", ""))->empty());
  const auto image = ReadImage(folder.Write("cat.jpg", "meow"));
  CHECK(image.error().message.find("cat.jpg is not a picture") != std::string::npos);
  CHECK(OpenFolder(folder.path() / "none", std::nullopt).error().code == ErrorCode::kCannotRead);
  fs::remove(folder.path() / "cat.jpg");
  CHECK(OpenFolder(folder.path(), std::nullopt).error().message.find("no picture in this folder") != std::string::npos);
}

}  // namespace
}  // namespace kdequant
