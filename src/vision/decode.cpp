#include "kdequant/vision/decode.h"

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "exif.h"
#include "jpeg_tables.h"

namespace {

// No single block that stb_image asks for is larger than this: the pixels of the largest picture, four channels of 16
// bits. A PNG of a few megabytes can otherwise unpack to gigabytes whatever its header says.
constexpr std::size_t kMaxBlock = static_cast<std::size_t>(kdequant::kMaxPixels) * 8 + (1U << 20);

void* LimitedMalloc(std::size_t size) { return size <= kMaxBlock ? std::malloc(size) : nullptr; }
void* LimitedRealloc(void* block, std::size_t size) { return size <= kMaxBlock ? std::realloc(block, size) : nullptr; }

}  // namespace

#define STBI_MALLOC(size) LimitedMalloc(size)
#define STBI_REALLOC(block, size) LimitedRealloc(block, size)
#define STBI_FREE(block) std::free(block)
// No TGA: it has no magic number, so that any bytes may pass for one.
#define STBI_ONLY_JPEG
#define STBI_ONLY_PNG
#define STBI_ONLY_BMP
#define STBI_ONLY_GIF
#define STBI_ONLY_PNM
#define STBI_MAX_DIMENSIONS 100'000'000  // kMaxPixels in one row
#define STBI_NO_STDIO
#define STBI_NO_LINEAR
#define STBI_NO_HDR
#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#include <stb/stb_image.h>

namespace kdequant {
namespace {

// Feeds stb_image, which takes missing bytes for zeros, and notices when it asks for more than there is.
class Source {
 public:
  explicit Source(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  bool overran() const { return overran_; }

  static int Read(void* self, char* target, int size) {
    Source& source = *static_cast<Source*>(self);
    const std::size_t count = std::min(static_cast<std::size_t>(size), source.bytes_.size() - source.at_);
    if (count == 0 && size > 0) source.overran_ = true;
    std::memcpy(target, source.bytes_.data() + source.at_, count);
    source.at_ += count;
    return static_cast<int>(count);
  }
  static void Skip(void* self, int count) {
    Source& source = *static_cast<Source*>(self);
    const std::size_t left = source.bytes_.size() - source.at_;
    if (count < 0) {  // stb_image never steps back; corrupt lengths reach it as negative numbers
      source.overran_ = true;
      return;
    }
    if (static_cast<std::size_t>(count) > left) source.overran_ = true;
    source.at_ += std::min(static_cast<std::size_t>(count), left);
  }
  static int AtEnd(void* self) {
    const Source& source = *static_cast<Source*>(self);
    return source.at_ == source.bytes_.size() ? 1 : 0;
  }

 private:
  std::span<const std::uint8_t> bytes_;
  std::size_t at_ = 0;
  bool overran_ = false;
};

constexpr stbi_io_callbacks kCallbacks{.read = Source::Read, .skip = Source::Skip, .eof = Source::AtEnd};

bool HasAt(std::span<const std::uint8_t> bytes, std::size_t offset, std::string_view text) {
  return bytes.size() >= offset + text.size() && std::memcmp(bytes.data() + offset, text.data(), text.size()) == 0;
}

// Formats that people have and that stb_image does not read, so that the message can name them.
std::string_view ForeignFormat(std::span<const std::uint8_t> bytes) {
  if (HasAt(bytes, 0, "RIFF") && HasAt(bytes, 8, "WEBP")) return "WebP";
  if (HasAt(bytes, 4, "ftypavif") || HasAt(bytes, 4, "ftypavis")) return "AVIF";
  if (HasAt(bytes, 4, "ftyphei") || HasAt(bytes, 4, "ftypmif1") || HasAt(bytes, 4, "ftyphevc")) return "HEIC";
  using std::string_view_literals::operator""sv;
  if (HasAt(bytes, 0, "II*\0"sv) || HasAt(bytes, 0, "MM\0*"sv)) return "TIFF";
  if (HasAt(bytes, 0, "<svg") || HasAt(bytes, 0, "<?xml")) return "SVG";
  if (HasAt(bytes, 0, "%PDF")) return "PDF";
  return {};
}

// The size that a PNG header promises. stb_image calls a header that is too large for it no picture at all, and a user
// should hear the reason.
std::int64_t PngPixels(std::span<const std::uint8_t> bytes) {
  if (!HasAt(bytes, 0, "\x89PNG\r\n\x1a\n") || !HasAt(bytes, 12, "IHDR") || bytes.size() < 24) return 0;
  const auto number = [&](std::size_t offset) {
    std::int64_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) value = value << 8 | bytes[offset + i];
    return value;
  };
  const std::int64_t width = number(16);
  const std::int64_t height = number(20);
  return width > kMaxPixels || height > kMaxPixels ? kMaxPixels + 1 : width * height;
}

// Channels as stb_image gives them: grey, grey + alpha, RGB, RGB + alpha. Transparent pixels are laid over white.
Image ToRgb(const std::uint8_t* pixels, int width, int height, int channels) {
  const std::size_t count = static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
  Image image{.width = width, .height = height, .rgb = std::vector<std::uint8_t>(count * 3)};
  const bool grey = channels <= 2;
  const bool transparent = channels == 2 || channels == 4;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint8_t* pixel = pixels + i * static_cast<std::size_t>(channels);
    const unsigned alpha = transparent ? pixel[channels - 1] : 255U;
    for (std::size_t c = 0; c < 3; ++c) {
      const unsigned value = pixel[grey ? 0 : c];
      image.rgb[i * 3 + c] = static_cast<std::uint8_t>((value * alpha + 255U * (255U - alpha) + 127U) / 255U);
    }
  }
  return image;
}

std::string_view FailureReason() {
  const char* reason = stbi_failure_reason();
  return reason != nullptr ? reason : "unknown reason";
}

}  // namespace

Result<Image> DecodeImage(std::span<const std::uint8_t> bytes) {
  if (bytes.empty()) return Fail(ErrorCode::kBadInput, "is empty, not a picture");
  int width = 0;
  int height = 0;
  int channels = 0;
  const auto too_large = [](const std::string& what) {
    return Fail(ErrorCode::kLimit, "has " + what + " pixels, more than the " + std::to_string(kMaxPixels / 1'000'000) +
                                       " million that are read; make it smaller");
  };
  if (const std::int64_t pixels = PngPixels(bytes); pixels > kMaxPixels) {
    return too_large(pixels == kMaxPixels + 1 ? "far too many" : std::to_string(pixels));
  }
  Source header(bytes);
  if (stbi_info_from_callbacks(&kCallbacks, &header, &width, &height, &channels) == 0) {
    if (const auto format = ForeignFormat(bytes); !format.empty()) {
      return Fail(ErrorCode::kUnsupported,
                  "is a " + std::string(format) + " file, which is not read; convert it to JPEG or PNG");
    }
    return Fail(ErrorCode::kBadInput,
                "is not a picture that can be read (JPEG, PNG, BMP, GIF or PPM), or its header is broken");
  }
  const std::string extent = std::to_string(width) + " x " + std::to_string(height);
  if (width < 1 || height < 1) return Fail(ErrorCode::kBadInput, "has no pixels: " + extent);
  if (std::int64_t{width} * height > kMaxPixels) return too_large(extent);
  if (HasAt(bytes, 0, "\xff\xd8") && !HuffmanTablesFit(bytes)) {
    return Fail(ErrorCode::kBadInput,
                "is broken (a Huffman table of more than 256 symbols); copy or download it again");
  }
  Source source(bytes);
  struct Free {
    void operator()(stbi_uc* pixels) const { stbi_image_free(pixels); }
  };
  const std::unique_ptr<stbi_uc, Free> pixels(
      stbi_load_from_callbacks(&kCallbacks, &source, &width, &height, &channels, 0));
  if (!pixels && FailureReason() == "outofmem") {
    return Fail(ErrorCode::kOutOfMemory,
                "has " + extent + " pixels, for which there is not enough memory; make it smaller");
  }
  if (source.overran() || (!pixels && FailureReason() == "outofdata")) {
    return Fail(ErrorCode::kBadInput, "is truncated: a picture of " + extent + " pixels ends after " +
                                          std::to_string(bytes.size()) + " bytes; copy or download it again");
  }
  if (!pixels) {
    return Fail(ErrorCode::kBadInput, "is broken (" + std::string(FailureReason()) + "); copy or download it again");
  }
  return Upright(ToRgb(pixels.get(), width, height, channels), ExifOrientation(bytes));
}

}  // namespace kdequant
