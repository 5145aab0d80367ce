// How this room's errors name a node.
#ifndef KDEQUANT_MODEL_FAULT_H_
#define KDEQUANT_MODEL_FAULT_H_

#include <string>
#include <string_view>

#include "kdequant/base/result.h"
#include "kdequant/model/graph.h"

namespace kdequant::model {

/// `layer "features.3.conv" (Conv): <text>`
std::unexpected<Error> Fault(ErrorCode code, const Node& node, std::string_view text);

/// A name from a file between quotation marks, cut where it is too long to read.
std::string Quoted(std::string_view name);

}  // namespace kdequant::model

#endif  // KDEQUANT_MODEL_FAULT_H_
