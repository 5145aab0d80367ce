// kdequant/vision/preprocess.h
// From a picture to the numbers a network was trained on.
#ifndef KDEQUANT_VISION_PREPROCESS_H_
#define KDEQUANT_VISION_PREPROCESS_H_

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kdequant/base/result.h"
#include "kdequant/vision/image.h"

namespace kdequant {

/// The longest side that a SPEC may ask for: more is a typing error, and would cost gigabytes.
inline constexpr int kMaxCropSize = 8192;

/// Resize, centre-crop, and value = (pixel * scale - mean) / std per channel, in float32 and in that order of
/// operations.
struct Preprocess {
  int size = 224;    ///< Side of the square crop that the network sees.
  int resize = 256;  ///< Length of the short side before the crop; 0: no resizing, crop only.
  float scale = 1.0F / 255;
  std::array<float, 3> mean{0, 0, 0};  ///< In the order of the channels as the network sees them (blue first if `bgr`).
  std::array<float, 3> std{1, 1, 1};
  bool bgr = false;
  friend bool operator==(const Preprocess&, const Preprocess&) = default;
};

/// For a network with a picture of size x size about which nothing else is known: pixels / 255, and the usual
/// proportions (the crop is 7/8 of the resized short side: 256 for 224).
Preprocess DefaultPreprocess(int size);

/// Reads a SPEC: comma-separated presets (tf, imagenet, caffe: scale, mean, std and order; the geometry stays) and keys
/// (size= resize= mean=a:b:c std=a:b:c scale= order=rgb|bgr), later ones win, laid over `base`. A number may be a
/// fraction ("1/255"). kUsage names the part that is wrong and lists what is allowed.
Result<Preprocess> ParsePreprocess(std::string_view spec, const Preprocess& base = {});

/// A SPEC of keys alone that reads back to the same.
std::string FormatPreprocess(const Preprocess& preprocess);

/// Bilinear with half-pixel centres, antialiased when shrinking: two passes with 8-bit pixels between them and 22-bit
/// fixed-point weights, the same bytes as Pillow's Image.resize(..., BILINEAR). Every side must be at least 1.
Image Resize(const Image& image, int width, int height);

/// The size x size picture that the network will see, before normalization.
///
/// The short side is resized to `resize` and the long one in proportion, rounded down (as torchvision does); `resize` 0
/// keeps the picture as it is. A picture that would be smaller than `size` is enlarged until its short side is `size`,
/// so that the crop always fits. The crop begins at floor((length - size) / 2). Only the pixels of the crop are
/// computed: a picture of 1 x 20,000 costs no more than any other. An image with width or height 0 gives black.
Image Crop(const Image& image, const Preprocess& preprocess);

enum class TensorLayout { kNchw, kNhwc };

/// Crop, then normalize to 3 * size * size floats.
std::vector<float> ToTensor(const Image& image, const Preprocess& preprocess,
                            TensorLayout layout = TensorLayout::kNchw);

}  // namespace kdequant

#endif  // KDEQUANT_VISION_PREPROCESS_H_
