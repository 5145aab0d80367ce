#include "kdequant/classify/labels.h"

namespace kdequant {

std::string Labels::Name(std::size_t class_index) const {
  return class_index < names_.size() ? names_[class_index] : "class " + std::to_string(class_index);
}

std::vector<std::string> SplitLines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.emplace_back(line);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  }
  return lines;
}

Labels LabelsFor(const Graph& graph, std::size_t class_count, const std::vector<std::string>& imagenet) {
  if (const auto own = graph.metadata.find("kdequant.labels"); own != graph.metadata.end()) {
    return Labels(SplitLines(own->second));
  }
  const auto set = graph.metadata.find("kdequant.labelset");
  const bool said = set != graph.metadata.end();
  if (said && set->second != "imagenet-1k") return {};
  if (class_count == imagenet.size()) return Labels(imagenet, !said);
  if (said && class_count == imagenet.size() + 1) {
    std::vector<std::string> names{"background"};
    names.insert(names.end(), imagenet.begin(), imagenet.end());
    return Labels(std::move(names));
  }
  return {};
}

}  // namespace kdequant
