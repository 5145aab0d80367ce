// kdequant/classify/image_source.h
// Pictures one after another, maybe with the classes that they show.
#ifndef KDEQUANT_CLASSIFY_IMAGE_SOURCE_H_
#define KDEQUANT_CLASSIFY_IMAGE_SOURCE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "kdequant/base/result.h"
#include "kdequant/vision/image.h"

namespace kdequant {

/// Where an evaluation takes its pictures from. Several threads may load at once.
class ImageSource {
 public:
  virtual ~ImageSource() = default;
  virtual std::size_t size() const = 0;
  /// What messages call picture `index`.
  virtual std::string Name(std::size_t index) const = 0;
  /// The class that picture `index` shows, as the labels have it; absent without labels.
  virtual std::optional<std::int64_t> Label(std::size_t index) const = 0;
  /// Errors: whatever is wrong with the picture; the message names it.
  virtual Result<Image> Load(std::size_t index) const = 0;
};

}  // namespace kdequant

#endif  // KDEQUANT_CLASSIFY_IMAGE_SOURCE_H_
