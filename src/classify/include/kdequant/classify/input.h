// kdequant/classify/input.h
// What picture a network takes.
#ifndef KDEQUANT_CLASSIFY_INPUT_H_
#define KDEQUANT_CLASSIFY_INPUT_H_

#include <string_view>

#include "kdequant/base/result.h"
#include "kdequant/model/graph.h"
#include "kdequant/vision/preprocess.h"

namespace kdequant {

/// The side of the network's square picture and the order of its numbers.
struct ImageInput {
  int size = 224;
  TensorLayout layout = TensorLayout::kNchw;
};

/// Of a prepared graph: its input is [1, 3, S, S] or [1, S, S, 3]. Errors: kUnsupported (anything else; the shape is
/// named).
Result<ImageInput> ImageInputOf(const Graph& graph);

/// The size that an unprepared graph's open height and width should get (PrepareOptions::default_size): what `spec`
/// says, else what the file's `kdequant.preprocess` says, else 224. Errors: as PreprocessFor.
Result<int> OpenInputSize(const Graph& graph, std::string_view spec);

/// How pictures are fed to a prepared graph: the usual proportions for its size, over them the file's
/// `kdequant.preprocess`, over that `spec` (the user's, may be empty). The size is the network's own; a file that says
/// otherwise is not believed. Errors: kUsage (`spec` is wrong or demands another size than the network's), kBadInput
/// (the file's own is wrong), kUnsupported (as ImageInputOf).
Result<Preprocess> PreprocessFor(const Graph& graph, std::string_view spec = {});

}  // namespace kdequant

#endif  // KDEQUANT_CLASSIFY_INPUT_H_
