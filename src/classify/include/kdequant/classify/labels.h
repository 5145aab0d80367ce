// kdequant/classify/labels.h
// What a network's classes are called.
#ifndef KDEQUANT_CLASSIFY_LABELS_H_
#define KDEQUANT_CLASSIFY_LABELS_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "kdequant/model/graph.h"

namespace kdequant {

/// Names by class index.
class Labels {
 public:
  Labels() = default;
  explicit Labels(std::vector<std::string> names, bool assumed = false) : names_(std::move(names)), assumed_(assumed) {}

  /// "class 17" where there is no name.
  std::string Name(std::size_t class_index) const;
  /// Whether the file did not say whose names these are, so that they are a guess.
  bool assumed() const { return assumed_; }
  bool empty() const { return names_.empty(); }

 private:
  std::vector<std::string> names_;
  bool assumed_ = false;
};

/// One name a line; a newline at the end and carriage returns do no harm.
std::vector<std::string> SplitLines(std::string_view text);

/// The names for a network of `class_count` classes: the file's `kdequant.labels`; else `imagenet` (1,000 names, which
/// do not belong into every file) if the file says `kdequant.labelset=imagenet-1k`, or says nothing and has 1,000
/// classes (then they are assumed). With 1,001 classes the first is "background". Otherwise none.
Labels LabelsFor(const Graph& graph, std::size_t class_count, const std::vector<std::string>& imagenet);

}  // namespace kdequant

#endif  // KDEQUANT_CLASSIFY_LABELS_H_
