// One walk over the nodes of a graph that rewrites it.
#ifndef KDEQUANT_MODEL_PASSES_SWEEP_H_
#define KDEQUANT_MODEL_PASSES_SWEEP_H_

#include <cstddef>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "kdequant/model/graph.h"

namespace kdequant::model {

/// Takes the nodes one after the other into its hand, and lets the caller put each back unchanged (Keep), put other
/// nodes in its place (Emit, any number), or put back nothing. What is asked about the graph (uses, producers) is about
/// the other nodes, without the one in hand: "x is used by nobody else" is `OtherUses(x) == 0`. Linear: a walk costs as
/// much as it rewrites.
///
///     for (Sweep sweep(graph); sweep.Next();) {
///       if (IsIdentity(sweep.node()) && sweep.Bypass(sweep.node().outputs[0], sweep.node().inputs[0])) continue;
///       sweep.Keep();
///     }
///
/// After Next has returned false the graph is whole again.
class Sweep {
 public:
  explicit Sweep(Graph& graph);

  /// Takes the next node, or finishes the graph when there is none.
  bool Next();

  Node& node() { return node_; }
  Graph& graph() { return graph_; }

  /// Uses of a value by other nodes, those still to come included, and as the graph's output.
  std::size_t OtherUses(ValueId id) const;
  /// The node before this one that computes `id`; null for inputs and constants. Valid until the next Emit.
  const Node* Producer(ValueId id) const;

  void Keep();
  void Emit(Node node);

  /// Takes the producer of `id`, which must have one output and no other use, out of the graph: to be changed and
  /// emitted again here, behind everything that it reads, or dropped.
  Node Take(ValueId id);

  /// Readers of `from`, which no node computes any more, read `to`. Where `from` is the graph's output, `to`'s producer
  /// computes it under its name; false, and nothing done, if `to` has none.
  bool Bypass(ValueId from, ValueId to);

  /// A new value with a name that begins with `base`.
  ValueId AddValue(const std::string& base, Shape shape);
  ValueId AddConstant(const std::string& base, FloatTensor tensor);
  /// `id` with another value: the same value if nobody else uses it, else a new one.
  ValueId ChangeConstant(ValueId id, FloatTensor tensor);

  bool changed() const { return changed_; }

 private:
  static std::size_t Index(ValueId id) { return static_cast<std::size_t>(id); }
  ValueId Resolve(ValueId id) const;
  std::string FreshName(const std::string& base);
  void CountUses(const Node& node, int sign);
  void Grow();
  void Finish();

  Graph& graph_;
  std::vector<Node> rest_;  // not yet taken, from next_ on
  std::size_t next_ = 0;
  Node node_;
  bool in_hand_ = false;
  std::vector<Node> done_;
  std::vector<bool> removed_;             // by index into done_
  std::vector<std::ptrdiff_t> producer_;  // by ValueId: index into done_ or -1
  std::vector<std::ptrdiff_t> uses_;      // by ValueId
  std::vector<bool> is_output_;           // by ValueId
  std::vector<ValueId> replacement_;      // by ValueId; kNoValue where there is none
  std::optional<std::unordered_set<std::string>> names_;
  std::unordered_map<std::string, std::size_t> last_number_;  // by base, of fresh names
  bool changed_ = false;
};

}  // namespace kdequant::model

#endif  // KDEQUANT_MODEL_PASSES_SWEEP_H_
