#include "kdequant/runtime/segment.h"

#include <algorithm>
#include <iterator>
#include <new>
#include <set>
#include <utility>

#include "lower.h"
#include "plan.h"

namespace kdequant {
namespace {

// Nodes [begin, end) as a network of their own, value ids unchanged.
Graph Cut(const Graph& graph, std::size_t begin, std::size_t end) {
  Graph cut;
  cut.values = graph.values;
  const auto first = graph.nodes.begin() + static_cast<std::ptrdiff_t>(begin);
  const auto last = graph.nodes.begin() + static_cast<std::ptrdiff_t>(end);
  cut.nodes.assign(first, last);

  std::set<ValueId> computed;
  std::set<ValueId> read;
  for (const Node& node : cut.nodes) {
    for (const ValueId id : node.inputs) {
      if (id == kNoValue || graph.IsConstant(id) || computed.contains(id)) continue;
      if (read.insert(id).second) cut.inputs.push_back(id);
    }
    computed.insert(node.outputs.begin(), node.outputs.end());
  }
  std::set<ValueId> wanted(graph.outputs.begin(), graph.outputs.end());
  for (auto node = last; node != graph.nodes.end(); ++node) wanted.insert(node->inputs.begin(), node->inputs.end());
  std::ranges::set_intersection(computed, wanted, std::back_inserter(cut.outputs));
  return cut;
}

}  // namespace

class Segment::Implementation {
 public:
  Implementation(Graph cut, runtime::Plan plan, runtime::Memory memory)
      : cut_(std::move(cut)), plan_(std::move(plan)), memory_(std::move(memory)) {}

  const std::vector<ValueId>& inputs() const { return cut_.inputs; }
  const std::vector<ValueId>& outputs() const { return cut_.outputs; }

  Result<void> Run(std::span<const std::span<const float>> inputs, const Session::Observer& observer) {
    if (inputs.size() != plan_.inputs.size()) {
      return Fail(ErrorCode::kBadInput, "this stretch of the network has " + std::to_string(plan_.inputs.size()) +
                                            " inputs, not " + std::to_string(inputs.size()));
    }
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const std::string& name = cut_.value(cut_.inputs[i]).name;
      if (inputs[i].size() != ElementCount(plan_.ShapeOf(plan_.inputs[i])).value_or(0)) {
        return Fail(ErrorCode::kBadInput, "\"" + name + "\" has " + std::to_string(inputs[i].size()) +
                                              " elements instead of " + ShapeToString(plan_.ShapeOf(plan_.inputs[i])));
      }
      if (!runtime::CopyFinite(inputs[i], memory_.F32(plan_.inputs[i]))) {
        return Fail(ErrorCode::kNotFinite,
                    "\"" + name + "\" holds a NaN or an infinity; check the model and the picture's preprocessing");
      }
    }
    for (const runtime::Step& step : plan_.steps) {
      if (step.kernel) step.kernel->Run(memory_);
      if (observer) runtime::ShowResult(plan_, step, memory_, observed_, observer);
    }
    return {};
  }

  std::span<const float> output(std::size_t i) const {
    const runtime::SlotId slot = plan_.outputs[i];
    return {memory_.F32(slot), ElementCount(plan_.ShapeOf(slot)).value_or(0)};
  }

 private:
  Graph cut_;
  runtime::Plan plan_;
  runtime::Memory memory_;
  std::vector<float> observed_;
};

Segment::Segment(std::unique_ptr<Implementation> implementation) : implementation_(std::move(implementation)) {}
Segment::Segment(Segment&&) noexcept = default;
Segment& Segment::operator=(Segment&&) noexcept = default;
Segment::~Segment() = default;

Result<Segment> Segment::Create(const Graph& graph, std::size_t begin, std::size_t end) {
  try {
    Graph cut = Cut(graph, begin, end);
    if (auto runnable = runtime::CheckRunnable(cut); !runnable) return Forward(runnable);
    runtime::PlanBuilder builder(cut, KernelSet::kSimd128);
    builder.AllowTiles();
    if (auto lowered = runtime::LowerF32(builder); !lowered) return Forward(lowered);
    runtime::Plan plan = builder.Finish();
    auto memory = plan.Allocate(Threads{});
    if (!memory) return Forward(memory);
    return Segment(std::make_unique<Implementation>(std::move(cut), std::move(plan), std::move(*memory)));
  } catch (const std::bad_alloc&) {
    return Fail(ErrorCode::kOutOfMemory, "there is not enough memory to run the network; use a smaller one");
  }
}

const std::vector<ValueId>& Segment::inputs() const { return implementation_->inputs(); }
const std::vector<ValueId>& Segment::outputs() const { return implementation_->outputs(); }
Result<void> Segment::Run(std::span<const std::span<const float>> inputs, const Session::Observer& observer) {
  return implementation_->Run(inputs, observer);
}
std::span<const float> Segment::output(std::size_t i) const { return implementation_->output(i); }

}  // namespace kdequant
