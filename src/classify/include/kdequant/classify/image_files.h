// kdequant/classify/image_files.h
// Pictures in a folder, or one after another in one file. Of the target kdequant::image_files, where there is a file
// system.
#ifndef KDEQUANT_CLASSIFY_IMAGE_FILES_H_
#define KDEQUANT_CLASSIFY_IMAGE_FILES_H_

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "kdequant/base/result.h"
#include "kdequant/classify/image_source.h"
#include "kdequant/vision/image.h"

namespace kdequant {

/// No file that is read at once is larger (ONNX files end at 2 GiB, too).
inline constexpr std::uintmax_t kMaxFileBytes = std::uintmax_t{1} << 31;

/// The bytes of a file. Errors: kCannotRead (missing, a folder, unreadable), kLimit, kOutOfMemory; the message names
/// the file.
Result<std::vector<std::uint8_t>> ReadFile(const std::filesystem::path& path);

/// A decoded picture file; the message names the file. Errors: as ReadFile and DecodeImage.
Result<Image> ReadImage(const std::filesystem::path& path);

/// The picture files (by extension: jpg, jpeg, png, bmp, gif, ppm, pgm in any case) directly in a folder, sorted by
/// name. Errors: kCannotRead (no such folder), kBadInput (no picture in it).
Result<std::vector<std::filesystem::path>> ListPictures(const std::filesystem::path& folder);

/// The pictures of a folder. Without a label table: ListPictures. With one (CSV, see ParseLabelTable): the files that
/// it names, in its order, and no others. Errors: kBadInput (the table is wrong, or names a file that is not in the
/// folder), kCannotRead.
Result<std::shared_ptr<const ImageSource>> OpenFolder(const std::filesystem::path& folder,
                                                      const std::optional<std::filesystem::path>& labels);

/// A height and width of raw pictures.
struct RawShape {
  int height = 0;
  int width = 0;
};

/// "32x32x3": height, width, and 3 channels. Errors: kUsage.
Result<RawShape> ParseRawShape(const std::string& text);

/// A file of raw RGB pictures, height x width x 3 bytes each, one after another; `labels` is a file of little-endian
/// int32, one a picture. Only the picture asked for is in memory. Errors: kBadInput (the sizes do not fit each other:
/// both are named), kCannotRead.
Result<std::shared_ptr<const ImageSource>> OpenRawImages(const std::filesystem::path& file, RawShape shape,
                                                         const std::optional<std::filesystem::path>& labels);

}  // namespace kdequant

#endif  // KDEQUANT_CLASSIFY_IMAGE_FILES_H_
