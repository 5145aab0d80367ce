// From a file name to a prepared network.
#ifndef KDEQUANT_CLI_MODEL_FILE_H_
#define KDEQUANT_CLI_MODEL_FILE_H_

#include <cstddef>
#include <string>
#include <vector>

#include "kdequant/base/result.h"
#include "kdequant/model/graph.h"

namespace kdequant {

struct ModelFile {
  Graph graph;  ///< prepared
  std::size_t bytes = 0;
};

/// `preprocess` is the user's SPEC (may be empty): an open input size is taken from it. Errors: those of reading and
/// preparing, with the file's name.
Result<ModelFile> LoadModel(const std::string& path, const std::string& preprocess);

/// Puts the file's name before the sentence of an error that is about the file (not about how the command is used).
Error InFile(const std::string& path, Error error);

/// ImageNet's names, built into the command.
std::vector<std::string> ImageNetNames();

}  // namespace kdequant

#endif  // KDEQUANT_CLI_MODEL_FILE_H_
