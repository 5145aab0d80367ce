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

/// Resize, centre-crop, and value = (pixel * scale - mean) / std per channel, channels in `order`.
struct Preprocess {
  int size = 224;    ///< Side of the square crop that the network sees.
  int resize = 256;  ///< Length of the short side before the crop; 0: no resizing, crop only.
  float scale = 1.0F / 255;
  std::array<float, 3> mean{0, 0, 0};
  std::array<float, 3> std{1, 1, 1};
  bool bgr = false;
  friend bool operator==(const Preprocess&, const Preprocess&) = default;
};

/// Reads a SPEC: comma-separated presets (tf, imagenet, caffe) and keys (size= resize= mean=a:b:c std=a:b:c scale= order=rgb|bgr),
/// later ones win, laid over `base`. kUsage names the part that is wrong and lists what is allowed.
Result<Preprocess> ParsePreprocess(std::string_view spec, const Preprocess& base = {});

/// A SPEC of keys alone that reads back to the same.
std::string FormatPreprocess(const Preprocess& preprocess);

/// Bilinear with half-pixel centres, antialiased when shrinking, as Pillow's BILINEAR does: two passes, 8-bit between them.
Image Resize(const Image& image, int width, int height);

/// The size x size picture that the network will see, before normalization: resized and centre-cropped (a picture smaller than
/// `size` is enlarged first, so that the crop always fits).
Image Crop(const Image& image, const Preprocess& preprocess);

enum class TensorLayout { kNchw, kNhwc };

/// Crop, then normalize to 3 * size * size floats.
std::vector<float> ToTensor(const Image& image, const Preprocess& preprocess, TensorLayout layout = TensorLayout::kNchw);

}  // namespace kdequant

#endif  // KDEQUANT_VISION_PREPROCESS_H_
