#include "kdequant/classify/image_files.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <new>
#include <string_view>
#include <system_error>
#include <utility>

#include "kdequant/classify/label_table.h"
#include "kdequant/vision/decode.h"

namespace kdequant {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 7> kExtensions{".jpg", ".jpeg", ".png", ".bmp", ".gif", ".ppm", ".pgm"};

std::unexpected<Error> CannotRead(const fs::path& path, const std::string& why) {
  return Fail(ErrorCode::kCannotRead, path.string() + ": " + why);
}

// What the system says about the last failure, or that nothing is known.
std::string SystemReason() { return errno != 0 ? std::generic_category().message(errno) : "cannot be read"; }

// Puts the file's name before an error's sentence.
std::unexpected<Error> InFile(const fs::path& path, Error error) {
  error.message = path.string() + ": " + error.message;
  return std::unexpected(std::move(error));
}

Result<std::uintmax_t> SizeOf(const fs::path& path) {
  std::error_code error;
  const auto status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) return CannotRead(path, "no such file");
  if (error) return CannotRead(path, error.message());
  if (fs::is_directory(status)) return CannotRead(path, "is a folder, and a file is needed");
  const auto size = fs::file_size(path, error);
  if (error) return CannotRead(path, error.message());
  return size;
}

// `count` bytes from `offset`.
Result<std::vector<std::uint8_t>> ReadRange(const fs::path& path, std::uintmax_t offset, std::size_t count) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) return CannotRead(path, SystemReason());
  std::vector<std::uint8_t> bytes;
  try {
    bytes.resize(count);
  } catch (const std::bad_alloc&) {
    return Fail(ErrorCode::kOutOfMemory, path.string() + ": not enough memory for " + std::to_string(count) + " bytes");
  }
  file.seekg(static_cast<std::streamoff>(offset));
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(count));
  if (!file) return CannotRead(path, errno != 0 ? SystemReason() : "became shorter while it was read");
  return bytes;
}

class FolderImages final : public ImageSource {
 public:
  FolderImages(std::vector<fs::path> files, std::vector<std::int64_t> labels)
      : files_(std::move(files)), labels_(std::move(labels)) {}
  std::size_t size() const override { return files_.size(); }
  std::string Name(std::size_t index) const override { return files_[index].string(); }
  std::optional<std::int64_t> Label(std::size_t index) const override {
    return labels_.empty() ? std::nullopt : std::optional(labels_[index]);
  }
  Result<Image> Load(std::size_t index) const override { return ReadImage(files_[index]); }

 private:
  std::vector<fs::path> files_;
  std::vector<std::int64_t> labels_;
};

class RawImages final : public ImageSource {
 public:
  RawImages(fs::path file, RawShape shape, std::size_t count, std::vector<std::int32_t> labels)
      : file_(std::move(file)), shape_(shape), count_(count), labels_(std::move(labels)) {}
  std::size_t size() const override { return count_; }
  std::string Name(std::size_t index) const override { return file_.string() + "[" + std::to_string(index) + "]"; }
  std::optional<std::int64_t> Label(std::size_t index) const override {
    return labels_.empty() ? std::nullopt : std::optional<std::int64_t>(labels_[index]);
  }
  Result<Image> Load(std::size_t index) const override {
    const std::size_t bytes = static_cast<std::size_t>(shape_.height) * static_cast<std::size_t>(shape_.width) * 3;
    auto rgb = ReadRange(file_, std::uintmax_t{index} * bytes, bytes);
    if (!rgb) return Forward(rgb);
    return Image{.width = shape_.width, .height = shape_.height, .rgb = std::move(*rgb)};
  }

 private:
  fs::path file_;
  RawShape shape_;
  std::size_t count_;
  std::vector<std::int32_t> labels_;
};

Result<std::shared_ptr<const ImageSource>> OpenLabelledFolder(const fs::path& folder, const fs::path& labels) {
  auto bytes = ReadFile(labels);
  if (!bytes) return Forward(bytes);
  auto rows = ParseLabelTable({reinterpret_cast<const char*>(bytes->data()), bytes->size()});
  if (!rows) return InFile(labels, std::move(rows.error()));
  std::vector<fs::path> files;
  std::vector<std::int64_t> classes;
  for (const LabelRow& row : *rows) {
    fs::path file = folder / row.file;
    std::error_code error;
    if (!fs::is_regular_file(file, error)) {
      return Fail(ErrorCode::kBadInput, labels.string() + ": line " + std::to_string(row.line) + " names \"" +
                                            row.file + "\", which is not in " + folder.string());
    }
    files.push_back(std::move(file));
    classes.push_back(row.class_index);
  }
  return std::make_shared<const FolderImages>(std::move(files), std::move(classes));
}

}  // namespace

Result<std::vector<std::uint8_t>> ReadFile(const fs::path& path) {
  auto size = SizeOf(path);
  if (!size) return Forward(size);
  if (*size > kMaxFileBytes) {
    return Fail(ErrorCode::kLimit,
                path.string() + ": has " + std::to_string(*size) + " bytes, more than the 2 GiB that are read");
  }
  return ReadRange(path, 0, static_cast<std::size_t>(*size));
}

Result<Image> ReadImage(const fs::path& path) {
  auto bytes = ReadFile(path);
  if (!bytes) return Forward(bytes);
  auto image = DecodeImage(*bytes);
  if (!image) {
    Error error = std::move(image.error());
    error.message = path.string() + " " + error.message;  // "a.txt is not a picture..."
    return std::unexpected(std::move(error));
  }
  return image;
}

Result<std::vector<fs::path>> ListPictures(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> files;
  auto entries = fs::directory_iterator(folder, error);
  if (error) return CannotRead(folder, fs::exists(folder) ? error.message() : "no such folder");
  for (; entries != fs::directory_iterator(); entries.increment(error)) {
    std::string extension = entries->path().extension().string();
    std::ranges::transform(extension, extension.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    if (std::ranges::find(kExtensions, extension) != kExtensions.end() && entries->is_regular_file(error))
      files.push_back(entries->path());
  }
  if (error) return CannotRead(folder, error.message());
  if (files.empty()) {
    return Fail(ErrorCode::kBadInput,
                folder.string() + ": there is no picture in this folder (jpg, png, bmp, gif, ppm)");
  }
  std::ranges::sort(files);
  return files;
}

Result<std::shared_ptr<const ImageSource>> OpenFolder(const fs::path& folder, const std::optional<fs::path>& labels) {
  if (labels) return OpenLabelledFolder(folder, *labels);
  auto files = ListPictures(folder);
  if (!files) return Forward(files);
  return std::make_shared<const FolderImages>(std::move(*files), std::vector<std::int64_t>{});
}

Result<RawShape> ParseRawShape(const std::string& text) {
  std::array<int, 3> sides{};
  const char* at = text.data();
  const char* end = text.data() + text.size();
  bool fits = true;
  for (std::size_t i = 0; i < 3 && fits; ++i) {
    const auto [stop, error] = std::from_chars(at, end, sides[i]);
    fits = error == std::errc{} && (i == 2 ? stop == end : stop != end && *stop == 'x') && sides[i] >= 1 &&
           sides[i] <= 65'536;
    at = stop + (fits && i < 2 ? 1 : 0);
  }
  if (!fits || sides[2] != 3) {
    return Fail(ErrorCode::kUsage,
                "image shape \"" + text + "\" is not HEIGHTxWIDTHx3, such as 32x32x3 (RGB bytes, row by row)");
  }
  return RawShape{.height = sides[0], .width = sides[1]};
}

Result<std::shared_ptr<const ImageSource>> OpenRawImages(const fs::path& file, RawShape shape,
                                                         const std::optional<fs::path>& labels) {
  auto size = SizeOf(file);
  if (!size) return Forward(size);
  const auto bytes = static_cast<std::uintmax_t>(shape.height) * static_cast<std::uintmax_t>(shape.width) * 3;
  if (*size == 0 || *size % bytes != 0) {
    return Fail(ErrorCode::kBadInput, file.string() + ": " + std::to_string(*size) +
                                          " bytes are not a whole number of " + std::to_string(shape.height) + " x " +
                                          std::to_string(shape.width) + " x 3 pictures; is --image-shape right?");
  }
  const auto count = static_cast<std::size_t>(*size / bytes);
  std::vector<std::int32_t> classes;
  if (labels) {
    auto stored = ReadFile(*labels);
    if (!stored) return Forward(stored);
    if (stored->size() != count * 4) {
      return Fail(ErrorCode::kBadInput, labels->string() + ": " + std::to_string(stored->size()) +
                                            " bytes are not one int32 for each of the " + std::to_string(count) +
                                            " pictures in " + file.string());
    }
    for (std::size_t i = 0; i < count; ++i) {
      std::uint32_t value = 0;
      for (std::size_t b = 0; b < 4; ++b) value |= static_cast<std::uint32_t>((*stored)[i * 4 + b]) << (8 * b);
      classes.push_back(static_cast<std::int32_t>(value));
    }
  }
  return std::make_shared<const RawImages>(file, shape, count, std::move(classes));
}

}  // namespace kdequant
