// kdequant/runtime/segment.h
// A stretch of a network, for work that goes through it layer by layer with many pictures at once.
#ifndef KDEQUANT_RUNTIME_SEGMENT_H_
#define KDEQUANT_RUNTIME_SEGMENT_H_

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "kdequant/base/result.h"
#include "kdequant/model/graph.h"
#include "kdequant/runtime/session.h"

namespace kdequant {

/// Runs nodes [begin, end) of a network in float32, on values that the caller keeps.
///
/// A Session runs one picture through everything. Calibration that changes a layer by what the layers before it have
/// become must instead bring all pictures to that layer, change it, and go on; the values in between are the caller's
/// to keep. Memory: one arena and the packed weights of these nodes only.
class Segment {
 public:
  /// `graph` must be prepared; it is not needed afterwards, except that large constants are shared with it. Errors:
  /// those of Session::Create.
  static Result<Segment> Create(const Graph& graph, std::size_t begin, std::size_t end);

  Segment(Segment&&) noexcept;
  Segment& operator=(Segment&&) noexcept;
  ~Segment();

  /// The values that these nodes read and others have computed (or the graph's input).
  const std::vector<ValueId>& inputs() const;
  /// The values that these nodes compute and later ones (or the caller of the network) read.
  const std::vector<ValueId>& outputs() const;

  /// `inputs`: row-major, one for each of inputs(). `observer` may be empty. Errors: kBadInput (wrong lengths),
  /// kNotFinite (also where the values before these nodes overflowed).
  Result<void> Run(std::span<const std::span<const float>> inputs, const Session::Observer& observer);

  /// Element i of outputs() after Run, row-major; valid until the next Run.
  std::span<const float> output(std::size_t i) const;

 private:
  class Implementation;
  explicit Segment(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace kdequant

#endif  // KDEQUANT_RUNTIME_SEGMENT_H_
