// ImageNet's class names, made from assets/imagenet-classes.txt when the command is built.
#ifndef KDEQUANT_CLI_IMAGENET_LABELS_H_
#define KDEQUANT_CLI_IMAGENET_LABELS_H_

#include <string_view>

namespace kdequant {

/// 1,000 names in class order, one a line.
extern const std::string_view kImageNetLabels;

}  // namespace kdequant

#endif  // KDEQUANT_CLI_IMAGENET_LABELS_H_
