// Whether a Graph is one: everything behind this check may index without looking.
#ifndef KDEQUANT_MODEL_CHECK_GRAPH_H_
#define KDEQUANT_MODEL_CHECK_GRAPH_H_

#include "kdequant/base/result.h"
#include "kdequant/model/graph.h"

namespace kdequant::model {

/// Every id exists, every node has the inputs and outputs of its operator, every value has one producer that stands
/// before its users, names are unique, constants have as many elements as their shapes say. Linear in the graph.
/// Errors: kBadInput.
Result<void> CheckGraph(const Graph& graph);

/// No tensor has more axes. (A chain of Unsqueeze nodes must not make shapes that grow with the graph.)
inline constexpr std::size_t kMostAxes = 8;

}  // namespace kdequant::model

#endif  // KDEQUANT_MODEL_CHECK_GRAPH_H_
