#include "model_file.h"

#include <utility>

#include "imagenet_labels.h"
#include "kdequant/classify/image_files.h"
#include "kdequant/classify/input.h"
#include "kdequant/classify/labels.h"
#include "kdequant/model/prepare.h"
#include "kdequant/onnx/reader.h"

namespace kdequant {

Error InFile(const std::string& path, Error error) {
  if (error.code != ErrorCode::kUsage) error.message = path + ": " + error.message;
  return error;
}

Result<ModelFile> LoadModel(const std::string& path, const std::string& preprocess) {
  auto bytes = ReadFile(path);
  if (!bytes) return Forward(bytes);
  auto graph = ReadOnnx(*bytes);
  if (!graph) return std::unexpected(InFile(path, std::move(graph.error())));
  auto size = OpenInputSize(*graph, preprocess);
  if (!size) return std::unexpected(InFile(path, std::move(size.error())));
  auto prepared = Prepare(*graph, {.default_size = *size});
  if (!prepared) return std::unexpected(InFile(path, std::move(prepared.error())));
  return ModelFile{.graph = std::move(*graph), .bytes = bytes->size()};
}

std::vector<std::string> ImageNetNames() { return SplitLines(kImageNetLabels); }

}  // namespace kdequant
