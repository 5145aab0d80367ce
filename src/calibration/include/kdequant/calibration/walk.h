// kdequant/calibration/walk.h
// Many pictures on their way through a network, a stretch at a time.
#ifndef KDEQUANT_CALIBRATION_WALK_H_
#define KDEQUANT_CALIBRATION_WALK_H_

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "kdequant/base/result.h"
#include "kdequant/model/graph.h"
#include "kdequant/runtime/segment.h"

namespace kdequant {

/// Bytes that a walk which stops before node `stop` keeps for every picture there: the values in float32 that have been
/// computed before it (the network's input among them) and are read from it on.
std::size_t BytesKept(const Graph& graph, std::size_t stop);

/// Keeps, for every picture, the values that are still to be read where the walk stands, so that the network behind it
/// need not run again. Memory: those values in float32 (1.5 MB a picture at the widest cut before a dense layer of
/// EfficientNet-Lite0), and between Enter and Leave one stretch's arena and weights.
class NetworkWalk {
 public:
  explicit NetworkWalk(std::size_t pictures) : values_(pictures) {}

  /// Before the first stretch: the picture as the network's input.
  void SetInput(std::size_t picture, ValueId input, std::vector<float> elements);

  /// Prepares nodes [begin, end) of `graph`, which follow those of the last stretch. The graph may be another one each
  /// time if its values are the same: its weights may have changed. Errors: those of Segment::Create.
  Result<void> Enter(const Graph& graph, std::size_t begin, std::size_t end);

  /// Brings one picture to the end of the stretch. `observer` sees each value as it is computed; it may be empty.
  /// Errors: those of Segment::Run.
  Result<void> Run(std::size_t picture, const Session::Observer& observer);

  /// Frees the stretch's arena and weights once every picture is at its end; what is kept for the pictures stays.
  void Leave();

  /// Whether the value has been computed (or set) and is still to be read.
  bool has(std::size_t picture, ValueId id) const { return values_[picture].contains(id); }
  /// Such a value, row-major.
  std::span<const float> value(std::size_t picture, ValueId id) const { return values_[picture].at(id); }

 private:
  std::vector<std::map<ValueId, std::vector<float>>> values_;
  std::optional<Segment> segment_;
  std::set<ValueId> wanted_;  // by the nodes after the stretch
};

}  // namespace kdequant

#endif  // KDEQUANT_CALIBRATION_WALK_H_
